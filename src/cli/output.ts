/**
 * Writes to stdout and stderr. Node's stream for a file or a device writes once and ignores a partial write, for
 * example on a full disk or at a limit. So this file writes to the end and throws on failure. Pipes and terminals fail
 * later, with an event (signals.ts).
 */
import { fstatSync, writeSync } from 'node:fs';
import { systemErrorCode, UserError } from '../engine/errors';
import { systemReason } from '../engine/system-failure';

/** The output of a command cannot be written. */
class OutputError extends UserError {}

/** The error of stdout in words for the user. */
export function outputError(error: unknown): OutputError {
  const { why, action } = systemReason(error) ?? { why: String(error), action: 'Write to another file or disk.' };
  return new OutputError('The output cannot be written', why, action, { cause: error });
}

/** Writes to stdout. @throws OutputError when a file or a device refuses more data */
export function writeOut(text: string): void {
  try {
    write(process.stdout, text);
  } catch (error) {
    throw outputError(error);
  }
}

/** Writes to stderr. A failure cannot be reported anywhere, so it is ignored. */
export function writeErr(text: string): void {
  try {
    write(process.stderr, text);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

function write(stream: NodeJS.WriteStream & { readonly fd?: number }, text: string): void {
  if (stream.isTTY || stream.fd === undefined || !endsInFile(stream.fd)) {
    stream.write(text);
    return;
  }
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(stream.fd, bytes, done);
}

const files = new Map<number, boolean>();

/** Whether it is a regular file or a device such as /dev/full, which accepts or refuses bytes immediately. */
function endsInFile(fd: number): boolean {
  let known = files.get(fd);
  if (known === undefined) {
    const stats = fstatSync(fd);
    files.set(fd, (known = stats.isFile() || stats.isCharacterDevice()));
  }
  return known;
}
