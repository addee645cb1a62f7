/** Runs one command line: parses it, runs its command, and reports what is wrong. */
import { CommanderError } from 'commander';
import { EXIT_USAGE } from './exit-codes';
import { reportFailure } from './failure';
import { buildProgram } from './program';
import { listenForClosedPipe } from './signals';
import { terminalFeaturesOf } from './terminal/features';

/**
 * @param argv the words after `coppice`
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  listenForClosedPipe();
  let code = 0;
  const program = buildProgram((found) => (code = found), argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // The program has already reported a wrong command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportFailure(
      error,
      terminalFeaturesOf(process.stderr, process.env, !argv.includes('--no-color')),
      argv.includes('--verbose'),
    );
  }
}
