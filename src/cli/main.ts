/** Entry of the command line: parses, runs one command, sets the exit code. */
import { CommanderError } from 'commander';
import { EXIT_USAGE } from './failure';
import { buildProgram } from './program';
import { listenForClosedPipe } from './signals';

async function main(argv: readonly string[]): Promise<void> {
  listenForClosedPipe();
  const program = buildProgram((code) => (process.exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE; // the program has said what is wrong
  }
}

void main(process.argv.slice(2));
