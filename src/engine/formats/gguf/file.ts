/**
 * The header of a GGUF file (versions 2 and 3, little-endian): magic, version, two counts, metadata, tensor list. The
 * tensors' bytes follow at the next multiple of the alignment. Coppice never reads them.
 */
import { unowned } from '../safetensors/header';
import { realpath } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { UserError } from '../../errors';
import { DamagedFile, refuse, type Report } from '../damage';
import { withFile } from '../../files/regular-file';
import { type FileStamp, stampOf } from '../../files/stamps';
import { type ByteSource, GgufCursor } from './cursor';
import { type GgufEntry, type KeepWhole, readEntry } from './metadata';
import { align, checkPlaces, type GgufTensor, type ListedTensor, readListedTensor } from './tensors';
import { MAX_GGUF_ENTRIES, MAX_TENSORS } from '../limits';

export interface GgufHeader {
  readonly version: number;
  /** By key, in the order of the file. */
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly GgufTensor[];
  /** Position of the first tensor's bytes. */
  readonly dataStart: number;
  /** SHA-256 over the header and the file's size. */
  readonly digest: Buffer;
  /** Problems that do not prevent reading. */
  readonly notes: readonly string[];
}

export interface GgufFile extends GgufHeader {
  /** Absolute. */
  readonly path: string;
  /** Symbolic links resolved. */
  readonly file: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** At the time of reading. */
  readonly stamp: FileStamp;
}

const MAGIC = 'GGUF';
const VERSIONS = [2, 3];
const DEFAULT_ALIGNMENT = 32;
/** Larger than any page or disk block; a power of two. */
const MAX_ALIGNMENT = 2 ** 24;

/** Decides by the name or the first bytes. False for unreadable files: opening them reports the reason. */
export async function isGguf(path: string): Promise<boolean> {
  if (path.toLowerCase().endsWith('.gguf')) return true;
  try {
    return (await withFile(path, (file) => file.readRange(0, MAGIC.length))).toString('latin1') === MAGIC;
  } catch {
    return false;
  }
}

/**
 * Reads the header of the file at `path`. Throws `UserError`, or reports and returns what could be read.
 * @param keepWhole keys whose lists and texts are kept whole; none when undefined
 */
export async function openGguf(path: string, report: Report = refuse, keepWhole?: KeepWhole): Promise<GgufFile> {
  const absolute = resolve(path);
  return withFile(absolute, async (opened) => {
    const { bytes } = opened;
    const file = await realpath(absolute);
    const source = { bytes, read: (position: number, length: number) => opened.readRange(position, length) };
    const stamp = stampOf(basename(path), file, opened.stats);
    return { path: absolute, file, bytes, stamp, ...(await readGgufHeader(source, basename(path), report, keepWhole)) };
  });
}

/** Reads a header. If `report` returns, the result has what was read before the damage. */
export async function readGgufHeader(
  source: ByteSource,
  name: string,
  report: Report = refuse,
  keepWhole: KeepWhole = () => false,
): Promise<GgufHeader> {
  const cursor = new GgufCursor(source, name);
  const metadata = new Map<string, GgufEntry>();
  const listed: ListedTensor[] = [];
  const draft = { version: 0, metadata, dataStart: 0, notes: [] as string[] };
  try {
    const counts = await readStart(cursor, name);
    draft.version = counts.version;
    for (let i = 0; i < counts.entries; i++) {
      const entry = await readEntry(cursor, i, keepWhole);
      if (metadata.has(entry.key)) report(cursor.damaged('it occurs twice'));
      metadata.set(entry.key, entry);
    }
    const alignment = readAlignment(metadata, cursor);
    for (let i = 0; i < counts.tensors; i++) listed.push(await readListedTensor(cursor, i));
    draft.dataStart = align(cursor.position, alignment);
    checkPlaces(listed, cursor, draft.dataStart, alignment, report);
    draft.notes.push(...trailing(listed, draft.dataStart, alignment, source.bytes));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report(error);
  }
  const tensors = listed.map(({ entry: _, offset, ...rest }) => ({ ...rest, offset: draft.dataStart + offset }));
  return { ...draft, tensors, digest: cursor.digest() };
}

interface Counts {
  readonly version: number;
  readonly tensors: number;
  readonly entries: number;
}

async function readStart(cursor: GgufCursor, name: string): Promise<Counts> {
  cursor.enter('magic');
  await cursor.need(4);
  const magic = await cursor.u32();
  if (magic !== Buffer.from(MAGIC, 'latin1').readUInt32LE()) {
    throw new DamagedFile(name, 'magic', 'it does not begin with "GGUF"', 'Check that it is a GGUF file.', 0);
  }
  cursor.enter('version');
  const version = await cursor.u32();
  if (!VERSIONS.includes(version)) throw cursor.damaged(whyNotVersion(version));
  cursor.enter('number of tensors');
  const tensors = await cursor.count(MAX_TENSORS, 'it');
  cursor.enter('number of metadata entries');
  const entries = await cursor.count(MAX_GGUF_ENTRIES, 'it');
  return { version, tensors, entries };
}

function whyNotVersion(version: number): string {
  if (VERSIONS.includes(Buffer.from(Uint32Array.of(version).buffer).swap32().readUInt32LE())) {
    return 'the file is big-endian, which Coppice does not read';
  }
  return `it is ${version}; versions ${VERSIONS.join(' and ')} are known`;
}

function readAlignment(metadata: ReadonlyMap<string, GgufEntry>, cursor: GgufCursor): number {
  const entry = metadata.get('general.alignment');
  if (!entry) return DEFAULT_ALIGNMENT;
  const { value, type, offset } = entry;
  const alignment = type === 'u32' && typeof value === 'number' ? value : 0;
  if (alignment > 0 && alignment <= MAX_ALIGNMENT && Number.isInteger(Math.log2(alignment))) return alignment;
  throw cursor.damaged(
    `it is not a power of two up to ${MAX_ALIGNMENT}, stored as u32`,
    'metadata "general.alignment"',
    offset,
  );
}

function trailing(listed: readonly ListedTensor[], dataStart: number, alignment: number, bytes: number): string[] {
  const last = listed.at(-1);
  const end = dataStart + (last ? align(last.offset + last.bytes, alignment) : 0);
  return bytes > end ? [unowned(bytes - end, 'after the last tensor')] : [];
}
