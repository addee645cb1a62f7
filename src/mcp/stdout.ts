/** Keeps stdout for the protocol: a client ends the connection over a line that is no message. */
import { Writable } from 'node:stream';

/**
 * From now on whatever this process prints goes to stderr, by `console` or by a library.
 * @returns what writes to the real stdout
 */
export function reserveStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout) as (text: string, done: (error?: Error | null) => void) => boolean;
  stdout.write = stderr.write.bind(stderr);
  return new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => void write(text, done),
  });
}
