/**
 * Writing to stdout and stderr. Node's own stream for a file or a device writes once and takes it for done, also when a
 * full disk or a limit cut it short; so these are written to the end here, and a failure is thrown. Pipes and terminals
 * fail later, by an event (signals.ts).
 */
import { fstatSync, writeSync } from 'node:fs';
import { systemErrorCode, UserError } from '../engine/errors';
import { systemReason } from '../engine/system-failure';

/** What a command prints cannot be written. */
export class OutputError extends UserError {}

/** The error of stdout as the user reads it. */
export function outputError(error: unknown): OutputError {
  const { why, action } = systemReason(error) ?? { why: String(error), action: 'Write to another file or disk.' };
  return new OutputError('The output cannot be written', why, action, { cause: error });
}

/** Writes to stdout. @throws OutputError when it is a file or a device that takes no more */
export function writeOut(text: string): void {
  try {
    write(process.stdout, text);
  } catch (error) {
    throw outputError(error);
  }
}

/** Writes to stderr. When that fails there is nowhere left to say it, and the work goes on. */
export function writeErr(text: string): void {
  try {
    write(process.stderr, text);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function write(stream: NodeJS.WriteStream & { readonly fd: number }, text: string): void {
  if (stream.isTTY || !endsInFile(stream.fd)) {
    stream.write(text);
    return;
  }
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(stream.fd, bytes, done);
}

const files = new Map<number, boolean>();

/** A regular file or a device, such as /dev/full: what takes bytes at once or refuses them. */
function endsInFile(fd: number): boolean {
  let known = files.get(fd);
  if (known === undefined) {
    const stats = fstatSync(fd);
    files.set(fd, (known = stats.isFile() || stats.isCharacterDevice()));
  }
  return known;
}
