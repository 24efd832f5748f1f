/** The program: runs the command line and leaves with its exit code. */
import { runCommandLine } from './cli/commands.js';

// A reader that went away (a closed pipe) is noticed by the next write; without a listener it would end in a stack trace.
process.stdout.on('error', () => undefined);
process.exitCode = await runCommandLine(process.argv.slice(2));
if (process.exitCode !== 0) process.exit();
