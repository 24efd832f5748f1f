/** Errors on the command line: in goes anything thrown, out go words for a person or JSON for a script, and the exit code. */
import { codeOf, FairwayError, exitCodes } from '../errors.js';

export function reportError(error: unknown, asJson: boolean, stderr: NodeJS.WritableStream): number {
  if (isClosedPipe(error)) return exitCodes.done;
  const known = error instanceof FairwayError ? error : undefined;
  const message = known?.message ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (asJson) {
    const body = {
      code: known?.code ?? 'internal_error',
      message,
      ...(known?.line === undefined ? {} : { line: known.line }),
      errors: known?.faults ?? [],
    };
    stderr.write(`${JSON.stringify({ error: body })}\n`);
  } else {
    stderr.write(`fairway: ${message}\n`);
    for (const fault of known?.faults ?? [])
      stderr.write(`  ${fault.parameter}: expected ${fault.expected}\n`);
  }
  return known?.exit ?? exitCodes.failed;
}

/** `fairway sample | head` is no failure. */
const isClosedPipe = (error: unknown): boolean => codeOf(error) === 'EPIPE';
