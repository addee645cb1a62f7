/**
 * SHA-256 of files whose bytes are read anyway. Reads in the order of a file are hashed as they pass; what they leave out is
 * read for the hash alone, and what they read again is not hashed again.
 */
import { createHash } from 'node:crypto';
import { RegularFile, type Seen, withFile } from './regular-file';

/** Bytes that are read at a time where nothing else reads them. */
const PIECE = 2 ** 20;

interface Passing {
  readonly hash: ReturnType<typeof createHash>;
  /** Bytes that are hashed, from the start of the file. */
  at: number;
  /** Reads are hashed one after the other. */
  last: Promise<void>;
}

export class PassingHashes {
  private readonly files = new Map<string, Passing>();

  /** Of the files that are read with it. */
  readonly seen: Seen = (path, position, bytes) => {
    const file = this.of(path);
    file.last = file.last.then(() => hashOn(path, file, position, bytes));
    return file.last;
  };

  /** The hash (hex) of a whole file, with what was not read of it. @throws UserError when it cannot be read */
  async finish(path: string): Promise<string> {
    const file = this.of(path);
    await file.last;
    await withFile(path, (opened) => hashUpTo(opened, file, opened.bytes));
    this.files.delete(path);
    return file.hash.digest('hex');
  }

  private of(path: string): Passing {
    let file = this.files.get(path);
    if (!file) this.files.set(path, (file = { hash: createHash('sha256'), at: 0, last: Promise.resolve() }));
    return file;
  }
}

async function hashOn(path: string, file: Passing, position: number, bytes: Uint8Array): Promise<void> {
  if (position > file.at) await withFile(path, (opened) => hashUpTo(opened, file, position));
  const known = file.at - position;
  if (known >= bytes.length) return;
  file.hash.update(bytes.subarray(known));
  file.at = position + bytes.length;
}

async function hashUpTo(opened: RegularFile, file: Passing, end: number): Promise<void> {
  while (file.at < end) {
    const piece = await opened.readRange(file.at, Math.min(PIECE, end - file.at));
    file.hash.update(piece);
    file.at += piece.length;
  }
}
