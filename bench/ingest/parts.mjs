export const measureParts = async () => [];
