/**
 * The texts that a vocabulary is counted on, piece by piece: a plain text is read as it comes, whatever its size; records of JSON, and
 * folders, as an application's text (engine/application).
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { TEXT_SPLITS, type TextSplit } from '../../format/text-share';
import { readApplication } from '../application/read';
import { type ChatWriter, documentsIn } from '../application/text';
import { throwIfCancelled, UserError } from '../errors';
import { withFile } from '../files/regular-file';
import type { JobOptions } from '../progress';
import { piecesOf } from './counts';

/** A file or a folder that was read. */
export interface ReadText {
  readonly name: string;
  readonly sha256: string;
}

/** What reading calls: with pieces, one after the other, and with what the user must know. */
export interface Reading extends JobOptions {
  readonly onPieces: (pieces: readonly string[], split: TextSplit | undefined) => Promise<void>;
  readonly warn?: (text: string) => void;
}

const RECORDS = ['.json', '.jsonl', '.ndjson'];
const PIECE_BYTES = 2 ** 20;

/**
 * @param paths of texts (UTF-8), of records, and of folders
 * @param writer the model's tokenizer, which writes conversations
 * @throws UserError naming the file that cannot be read; what `onPieces` throws; CancelledError
 */
export async function readTexts(
  paths: readonly string[],
  writer: ChatWriter | undefined,
  reading: Reading,
): Promise<ReadText[]> {
  const sizes = await Promise.all(paths.map((path) => sizeOf(path)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const read: ReadText[] = [];
  let before = 0;
  for (const [i, path] of paths.entries()) {
    const tell = (bytes: number): void =>
      reading.onProgress?.({ label: `counting ${basename(path)}`, done: before + bytes, total, unit: 'bytes' });
    tell(0);
    const isPlain = sizes[i] > 0 && !RECORDS.includes(extname(path).toLowerCase());
    read.push(await (isPlain ? readPlain(path, tell, reading) : readRecords(path, writer, reading)));
    tell((before += sizes[i]));
  }
  return read;
}

/** Bytes of a file; 0 of a folder, and of what is not there, which its reader tells. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );

function readPlain(path: string, tell: (bytes: number) => void, { onPieces, signal }: Reading): Promise<ReadText> {
  return withFile(
    path,
    async (file) => {
      const decoder = new TextDecoder('utf-8', { fatal: true });
      const hash = createHash('sha256');
      let rest = '';
      for (let at = 0; at < file.bytes; at += PIECE_BYTES) {
        throwIfCancelled(signal);
        const bytes = await file.readRange(at, Math.min(PIECE_BYTES, file.bytes - at));
        hash.update(bytes);
        const isLast = at + bytes.length === file.bytes;
        const text = rest + decoded(decoder, bytes, !isLast, path);
        // The last piece may go on in the next part. A line without an end is cut by `piecesOf`, so nothing grows without bound.
        const pieces = piecesOf(text);
        rest = isLast ? '' : (pieces.pop() ?? '');
        await onPieces(pieces, undefined);
        tell(at + bytes.length);
      }
      return { name: basename(resolve(path)), sha256: hash.digest('hex') };
    },
    path,
  );
}

function decoded(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, stream: boolean, path: string): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (error) {
    throw new UserError(`Cannot read ${path}`, 'it is not UTF-8 text', 'Convert the file to UTF-8 and try again.', {
      cause: error,
    });
  }
}

async function readRecords(
  path: string,
  writer: ChatWriter | undefined,
  { onPieces, warn, signal }: Reading,
): Promise<ReadText> {
  const application = await readApplication(path, { signal });
  for (const split of TEXT_SPLITS.filter((each) => application.splits[each].length > 0)) {
    const { documents, warnings } = await documentsIn(application, split, writer);
    for (const warning of warnings) warn?.(warning);
    for (const document of documents) await onPieces(piecesOf(document), split);
  }
  return { name: application.name, sha256: application.sha256 };
}

/** Characters of held-back pieces: some hundred thousand tokens tell enough. */
const HELD_CHARACTERS = 2 ** 20;
const EVERY = 10;

/** Holds back every tenth piece with text, up to a million characters. */
export class HeldBack {
  readonly pieces: string[] = [];
  private seen = 0;
  private characters = 0;

  /** The pieces that are counted. */
  rest(pieces: readonly string[]): string[] {
    return pieces.filter((piece) => {
      if (piece.trim() === '' || this.characters >= HELD_CHARACTERS || ++this.seen % EVERY !== 0) return true;
      this.hold(piece);
      return false;
    });
  }

  hold(piece: string): void {
    if (this.characters >= HELD_CHARACTERS) return;
    this.pieces.push(piece);
    this.characters += piece.length;
  }
}
