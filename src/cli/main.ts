/** Entry of the command line: parses, runs one command, sets the exit code. */
import { CommanderError } from 'commander';
import { EXIT_USAGE } from './exit-codes';
import { reportFailure } from './failure';
import { buildProgram } from './program';
import { exitCodeOf, listenForClosedPipe } from './signals';
import { terminalFeaturesOf } from './terminal/features';

/** @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
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

void main(process.argv.slice(2)).then((code) => {
  // An output can fail after the last write, until the process ends.
  process.on('exit', () => (process.exitCode = exitCodeOf(code)));
});
