/** What the tests of packages read in binaries: the program that runs the tests, and files made by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { binaryOf } from '../support/binaries';

/** A Mach-O file for one processor that needs one library. */
function machO(processor: number, library: string): Buffer {
  const bytes = Buffer.alloc(32 + 24 + 40);
  bytes.writeUInt32LE(0xfeedfacf, 0);
  bytes.writeUInt32LE(processor, 4);
  bytes.writeUInt32LE(1, 16);
  bytes.writeUInt32LE(0xc, 32);
  bytes.writeUInt32LE(24 + 40, 36);
  bytes.writeUInt32LE(24, 40);
  bytes.write(library, 32 + 24);
  return bytes;
}

describe('binaries', () => {
  it('are known by their headers: Node itself', () => {
    const node = binaryOf(readFileSync(process.execPath));
    const formats: Partial<Record<NodeJS.Platform, string>> = { linux: 'ELF', darwin: 'Mach-O', win32: 'PE' };
    assert.ok(node);
    assert.equal(node.format, formats[process.platform]);
    assert.ok(node.processors.includes(process.arch));
    assert.ok(node.needs.length > 0);
  });

  it('may be for two processors at once', () => {
    const parts = [machO(0x01000007, '@rpath/liba.dylib'), machO(0x0100000c, '@rpath/libb.dylib')];
    const head = Buffer.alloc(48);
    head.writeUInt32BE(0xcafebabe, 0);
    head.writeUInt32BE(parts.length, 4);
    for (const [i, part] of parts.entries()) {
      head.writeUInt32BE(48 + i * part.length, 8 + 20 * i + 8);
      head.writeUInt32BE(part.length, 8 + 20 * i + 12);
    }
    assert.deepEqual(binaryOf(Buffer.concat([head, ...parts])), {
      format: 'Mach-O',
      processors: ['x64', 'arm64'],
      needs: ['liba.dylib', 'libb.dylib'],
    });
  });

  it('are not texts', () => {
    assert.equal(binaryOf(Buffer.from('MIT License, and much more of it: '.repeat(4))), undefined);
  });
});
