/**
 * Takes one file out of a ZIP archive whose bytes are known by their hash (PKWARE's APPNOTE, 4.3: end record, central
 * directory, local header). No encryption, no ZIP64.
 */
import { inflateRawSync } from 'node:zlib';

/** Why an archive was refused; the caller adds its name. */
export class ZipProblem extends Error {}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const STORED = 0;
const DEFLATED = 8;

/** The content of `name`, of at most `most` bytes. @throws ZipProblem */
export function fileOfZip(zip: Buffer, name: string, most: number): Buffer {
  try {
    return extract(zip, name, most);
  } catch (error) {
    if (error instanceof ZipProblem) throw error;
    throw new ZipProblem('it is damaged', { cause: error }); // an offset beyond the end, or data that do not inflate
  }
}

function extract(zip: Buffer, name: string, most: number): Buffer {
  const entry = find(zip, name);
  const method = zip.readUInt16LE(entry + 10);
  const packed = zip.readUInt32LE(entry + 20);
  const size = zip.readUInt32LE(entry + 24);
  const local = zip.readUInt32LE(entry + 42);
  if (size > most) throw new ZipProblem(`${name} in it has ${size} bytes, more than the ${most} allowed`);
  if (zip.readUInt32LE(local) !== LOCAL) throw new ZipProblem('it is damaged');
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const bytes = zip.subarray(start, start + packed);
  if (method !== STORED && method !== DEFLATED) throw new ZipProblem(`${name} in it is packed by method ${method}`);
  const content = method === STORED ? bytes : inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
  if (content.length !== size) throw new ZipProblem('it is damaged');
  return content;
}

/** Position of the file's entry in the central directory. */
function find(zip: Buffer, name: string): number {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), -END_LENGTH);
  if (end < 0 || zip.readUInt32LE(end) !== END) throw new ZipProblem('it is no ZIP archive');
  let at = zip.readUInt32LE(end + 16);
  for (let i = zip.readUInt16LE(end + 10); i > 0; i--) {
    if (zip.readUInt32LE(at) !== ENTRY) throw new ZipProblem('it is damaged');
    const length = zip.readUInt16LE(at + 28);
    if (zip.toString('utf8', at + 46, at + 46 + length) === name) return at;
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new ZipProblem(`it has no file ${name}`);
}
