export function structureFaults(files: readonly { path: string; text: string }[]): string[];
