/** Reads a ZIP archive, which a VSIX is: its list, and single files of it. Enough for archives below 4 GB. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly at: number;
}

export class Zip {
  private readonly entries = new Map<string, Entry>();

  private constructor(private readonly bytes: Buffer) {
    const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
    assert.ok(end >= 0 && end + END_BYTES <= bytes.length && bytes.readUInt32LE(end) === END, 'not a ZIP archive');
    let at = bytes.readUInt32LE(end + 16);
    for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) at = this.add(at);
  }

  static open(file: string): Zip {
    return new Zip(readFileSync(file));
  }

  /** Adds the entry of the central directory that begins at `at`. @returns where the next begins */
  private add(at: number): number {
    assert.equal(this.bytes.readUInt32LE(at), ENTRY);
    const [name, extra, comment] = [28, 30, 32].map((field) => this.bytes.readUInt16LE(at + field));
    const path = this.bytes.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + name);
    this.entries.set(path, {
      method: this.bytes.readUInt16LE(at + 10),
      packed: this.bytes.readUInt32LE(at + 20),
      size: this.bytes.readUInt32LE(at + 24),
      at: this.bytes.readUInt32LE(at + 42),
    });
    return at + ENTRY_BYTES + name + extra + comment;
  }

  /** Paths of its files, with forward slashes. */
  get files(): string[] {
    return [...this.entries.keys()].filter((path) => !path.endsWith('/'));
  }

  /** Bytes of a file. @throws when there is none of this name, or its bytes are broken */
  read(path: string): Buffer {
    const entry = this.entries.get(path);
    assert.ok(entry, `the archive has no ${path}`);
    const { method, packed, size, at } = entry;
    const start = at + LOCAL_BYTES + this.bytes.readUInt16LE(at + 26) + this.bytes.readUInt16LE(at + 28);
    const bytes = this.bytes.subarray(start, start + packed);
    assert.ok(method === STORED || method === DEFLATED, `${path}: compressed by method ${method}`);
    const content = method === STORED ? bytes : inflateRawSync(bytes, { maxOutputLength: size });
    assert.equal(content.length, size, path);
    return content;
  }
  /** Writes all files below a folder; native modules may be run. */
  extractTo(folder: string): void {
    for (const path of this.files) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, this.read(path));
      if (path.endsWith('.node')) chmodSync(file, 0o755);
    }
  }
}
