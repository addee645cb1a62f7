/** Entry of the command line: runs it, and sets the exit code. */
import { runCommandLine } from './run';
import { exitCodeOf } from './signals';

void runCommandLine(process.argv.slice(2)).then((code) => {
  // An output can fail after the last write, until the process ends.
  process.on('exit', () => (process.exitCode = exitCodeOf(code)));
});
