/** Entry of the command line: parses, runs one command, sets the exit code. */
import { CommanderError } from 'commander';
import { EXIT_USAGE, reportFailure } from './failure';
import { buildProgram } from './program';
import { exitCodeOf, listenForClosedPipe } from './signals';
import { terminalFeaturesOf } from './terminal/features';

/** @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
  listenForClosedPipe();
  let code = 0;
  const program = buildProgram((found) => (code = found));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Of a wrong command line the program has said what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return reportFailure(
      error,
      terminalFeaturesOf(process.stderr, process.env, !argv.includes('--no-color')),
      argv.includes('--verbose'),
    );
  }
}

void main(process.argv.slice(2)).then((code) => {
  // An output that fails does so by the time that the process ends, which may be after the last write.
  process.on('exit', () => (process.exitCode = exitCodeOf(code)));
});
