/**
 * What programs and libraries are for: the format of a binary, its processors, and the libraries that it needs to be
 * loaded, by the headers of ELF (Linux), Mach-O (macOS) and PE (Windows).
 */
export interface Binary {
  readonly format: 'ELF' | 'Mach-O' | 'PE';
  /** More than one in a fat Mach-O file. */
  readonly processors: readonly string[];
  /** Names of the libraries that are loaded with it, without folders. */
  readonly needs: readonly string[];
}

/** @returns undefined if the bytes are not a binary of one of the three systems */
export function binaryOf(bytes: Buffer): Binary | undefined {
  if (bytes.length < 64) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) return elf(bytes);
  if (magic === 0xcffaedfe) return machO(bytes);
  if (magic === 0xcafebabe) return fat(bytes);
  if (magic >>> 16 === 0x4d5a) return pe(bytes);
  return undefined;
}

const processorOf = (names: Readonly<Record<number, string>>, code: number): string =>
  names[code] ?? `0x${code.toString(16)}`;

/** The text that begins at `at` and ends with a zero byte. */
const textAt = (bytes: Buffer, at: number): string => bytes.toString('utf8', at, bytes.indexOf(0, at));

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A part of a file, and the address at which it lies in memory. */
interface Segment {
  readonly address: number;
  readonly size: number;
  readonly offset: number;
}

/** Where in the file an address of memory is. */
function offsetOf(address: number, segments: readonly Segment[]): number {
  const segment = segments.find((each) => address >= each.address && address < each.address + each.size);
  if (segment === undefined) throw new Error(`no part of the file is at 0x${address.toString(16)}`);
  return address - segment.address + segment.offset;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

function elf(bytes: Buffer): Binary {
  const word = (at: number): number => Number(bytes.readBigUInt64LE(at));
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => word(32) + i * bytes.readUInt16LE(54)).map(
    (at) => ({ type: bytes.readUInt32LE(at), offset: word(at + 8), address: word(at + 16), size: word(at + 32) }),
  );
  const dynamic = headers.find(({ type }) => type === PT_DYNAMIC);
  const tags = Array.from({ length: (dynamic?.size ?? 0) / 16 }, (_, i) => dynamic!.offset + 16 * i).map((at) => ({
    tag: word(at),
    value: word(at + 8),
  }));
  const table = tags.find(({ tag }) => tag === DT_STRTAB)?.value;
  const needs = tags.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => value);
  const loaded = headers.filter(({ type }) => type === PT_LOAD);
  return {
    format: 'ELF',
    processors: [processorOf({ 62: 'x64', 183: 'arm64' }, bytes.readUInt16LE(18))],
    needs: needs.map((name) => textAt(bytes, offsetOf(table! + name, loaded))),
  };
}

/** Commands of Mach-O that name a library: it is needed, or wanted, or passed on. */
const LOADS_LIBRARY = [0xc, 0x80000018, 0x8000001f];

function machO(bytes: Buffer): Binary {
  const needs: string[] = [];
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    if (LOADS_LIBRARY.includes(bytes.readUInt32LE(at))) {
      needs.push(baseName(textAt(bytes, at + bytes.readUInt32LE(at + 8))));
    }
    at += bytes.readUInt32LE(at + 4);
  }
  const processor = processorOf({ 0x01000007: 'x64', 0x0100000c: 'arm64' }, bytes.readUInt32LE(4));
  return { format: 'Mach-O', processors: [processor], needs };
}

/** Several Mach-O files in one, each for a processor. */
function fat(bytes: Buffer): Binary {
  const parts = Array.from({ length: bytes.readUInt32BE(4) }, (_, i) => 8 + 20 * i).map((at) => {
    const offset = bytes.readUInt32BE(at + 8);
    return machO(bytes.subarray(offset, offset + bytes.readUInt32BE(at + 12)));
  });
  return {
    format: 'Mach-O',
    processors: parts.flatMap(({ processors }) => processors),
    needs: [...new Set(parts.flatMap(({ needs }) => needs))],
  };
}

function pe(bytes: Buffer): Binary {
  const header = bytes.readUInt32LE(60);
  const optional = header + 24;
  const sections = Array.from(
    { length: bytes.readUInt16LE(header + 6) },
    (_, i) => optional + bytes.readUInt16LE(header + 20) + 40 * i,
  ).map((at) => ({
    address: bytes.readUInt32LE(at + 12),
    size: bytes.readUInt32LE(at + 16),
    offset: bytes.readUInt32LE(at + 20),
  }));
  const imports = bytes.readUInt32LE(optional + 120); // the second directory of a 64-bit file
  const needs: string[] = [];
  for (let at = imports === 0 ? 0 : offsetOf(imports, sections); at !== 0; at += 20) {
    const name = bytes.readUInt32LE(at + 12);
    if (name === 0) break;
    needs.push(textAt(bytes, offsetOf(name, sections)));
  }
  const processor = processorOf({ 0x8664: 'x64', 0xaa64: 'arm64' }, bytes.readUInt16LE(header + 4));
  return { format: 'PE', processors: [processor], needs };
}
