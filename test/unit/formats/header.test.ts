/** Headers: the format's own rules, and every broken file of the reference material. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseHeader } from '../../../src/engine/formats/safetensors/header';
import { MAX_HEADER_BYTES, MAX_NAME_LENGTH, MAX_RANK } from '../../../src/engine/formats/limits';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { rejects, writeRaw } from '../../support/checkpoint-files';

/** Parses `header` (JSON, or text as it is) in front of `dataBytes` bytes. */
function parse(header: unknown, dataBytes = 0): ReturnType<typeof parseHeader> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  return parseHeader(json, { name: 'm.safetensors', file: '/m.safetensors', bytes: 8 + json.length + dataBytes });
}
const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32'): unknown => {
  return { dtype, shape, data_offsets: offsets };
};

describe('safetensors header', () => {
  it('gives name, type, shape and byte range of every tensor in file order', () => {
    const text = JSON.stringify({
      __metadata__: { format: 'pt' },
      b: entry([2], [6, 14]),
      a: entry([3], [0, 6], 'BF16'),
      empty: entry([0, 5], [6, 6]),
    });
    const { metadata, tensors } = parse(text, 14);
    const start = 8 + text.length;
    assert.deepEqual({ ...metadata }, { format: 'pt' });
    assert.deepEqual(tensors, [
      { name: 'a', dtype: 'BF16', shape: [3], file: '/m.safetensors', offset: start, bytes: 6 },
      { name: 'empty', dtype: 'F32', shape: [0, 5], file: '/m.safetensors', offset: start + 6, bytes: 0 },
      { name: 'b', dtype: 'F32', shape: [2], file: '/m.safetensors', offset: start + 6, bytes: 8 },
    ]);
  });

  it('accepts whitespace around it, null metadata, and any name', () => {
    assert.deepEqual(parse(' \n{"__metadata__":null} \t').tensors, []);
    for (const name of ['../../etc/passwd', '__proto__', 'constructor', '', '0', 'モデル']) {
      assert.deepEqual(
        parse(`{${JSON.stringify(name)}:{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1).tensors[0].name,
        name,
      );
    }
  });

  const refused: [string, unknown, number, RegExp][] = [
    ['text that is not JSON', '{"a":', 0, /header is not valid/],
    ['a list', '[]', 0, /not a JSON object/],
    ['null', 'null', 0, /not a JSON object/],
    ['metadata that is no object', { __metadata__: 3 }, 0, /__metadata__/],
    ['metadata with a number', { __metadata__: { step: 3 } }, 0, /__metadata__\.step/],
    ['an entry that is no object', { a: 1 }, 0, /tensor "a", entry/],
    ['no dtype', { a: { shape: [1], data_offsets: [0, 4] } }, 4, /tensor "a", dtype[^]*missing/],
    ['a dtype in lower case', { a: entry([1], [0, 4], 'f32') }, 4, /tensor "a", dtype[^]*"f32"/],
    ['a dtype from the prototype', { a: entry([1], [0, 4], 'toString') }, 4, /dtype/],
    ['no shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /tensor "a", shape[^]*missing/],
    ['a negative dimension', { a: entry([-1], [0, 4]) }, 4, /tensor "a", shape/],
    ['a fractional dimension', { a: entry([1.5], [0, 6]) }, 6, /tensor "a", shape/],
    ['a dimension in quotes', { a: entry(['1'], [0, 4]) }, 4, /tensor "a", shape/],
    ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, /tensor "a", data_offsets[^]*missing/],
    ['three offsets', { a: entry([1], [0, 4, 8]) }, 4, /data_offsets[^]*pair/],
    ['an end before the start', { a: entry([1], [4, 0]) }, 4, /data_offsets[^]*before/],
    [
      'an offset that is no exact integer',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[9007199254740993,9007199254740994]}}',
      4,
      /data_offsets/,
    ],
    ['a shape that is not its range', { a: entry([2, 2], [0, 4]) }, 4, /data_offsets[^]*takes 16/],
    ['a size beyond the exact integers', { a: entry([2 ** 52, 2 ** 52], [0, 4]) }, 4, /tensor "a", shape/],
    ['a size beyond them times zero', { a: entry([2 ** 52, 2 ** 52, 0], [0, 0]) }, 0, /tensor "a", shape/],
    ['half a byte', { a: entry([3], [0, 1], 'F4') }, 1, /tensor "a", shape/],
    ['a hole', { a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12, /tensor "b", data_offsets[^]*4 bytes before/],
    ['a hole in front', { a: entry([1], [4, 8]) }, 8, /tensor "a", data_offsets[^]*4 bytes before/],
    ['an overlap', { a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8, /tensor "b", data_offsets[^]*overlap/],
    ['bytes beyond the file', { a: entry([2], [0, 8]) }, 6, /tensor "a", data_offsets[^]*ends at/],
    ['bytes after the last tensor', { a: entry([1], [0, 4]) }, 6, /file size[^]*2 bytes/],
    [
      'a name twice',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      0,
      /"a" occurs twice/,
    ],
    [
      'a name twice, once escaped',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      0,
      /occurs twice/,
    ],
    ['a field twice', '{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, /"dtype" occurs twice/],
    ['a name beyond the cap', { ['n'.repeat(MAX_NAME_LENGTH + 1)]: entry([0], [0, 0]) }, 0, /longer than/],
    ['a rank beyond the cap', { a: entry(new Array(MAX_RANK + 1).fill(1), [0, 4]) }, 4, /more than 16 entries/],
    ['deep nesting', `{"a":${'['.repeat(100_000)}`, 0, /nested more than/],
  ];
  for (const [title, header, dataBytes, pattern] of refused) {
    it(`refuses ${title}`, () => rejects(() => parse(header, dataBytes), /m\.safetensors/, pattern));
  }

  it('refuses a byte order mark before it, as the reference reader does', async () => {
    await rejects(() => parse('\ufeff{}'), /m\.safetensors[^]*byte order mark/);
  });

  it('shows control characters of a name escaped', async () => {
    await rejects(() => parse({ '\u001b[31mred\u202e': 1 }), /tensor "\\u001b\[31mred\\u202e"/);
  });
});

describe('safetensors file', () => {
  it('reads a header longer than the first read', async () => {
    const file = join(temporaryFolder(), 'model.safetensors');
    const names = Array.from({ length: 1000 }, (_, i) => `tensor.${i}`);
    writeRaw(file, Object.fromEntries(names.map((name, i) => [name, entry([1], [4 * i, 4 * i + 4])])), 4000);
    assert.deepEqual([...(await openCheckpoint(file)).tensors.keys()], names);
  });

  it('refuses a header length beyond the file, and beyond the cap in a file that has the bytes', async () => {
    const file = join(temporaryFolder(), 'model.safetensors');
    writeRaw(file, '{}', MAX_HEADER_BYTES + 100);
    const write = async (length: bigint): Promise<void> => {
      const handle = await open(file, 'r+');
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(length);
      await handle.write(bytes, 0, 8, 0);
      await handle.close();
    };
    await write(BigInt(MAX_HEADER_BYTES) + 1n);
    await rejects(() => openCheckpoint(file), /header length[^]*more than/);
    await write(2n ** 64n - 1n);
    await rejects(() => openCheckpoint(file), /header length[^]*more than/);
    writeRaw(file, '{}', 0);
    await write(3n);
    await rejects(() => openCheckpoint(file), /header length[^]*ends after 10/);
  });
});

describeShared('the broken files of the reference material', () => {
  const table = readFileSync(shared('data/bad-safetensors/EXPECTED.tsv'), 'utf8').trim().split('\n').slice(1);
  for (const line of table) {
    const [file, , expected] = line.split('\t');
    it(`${file}: ${expected}`, async () => {
      const path = shared('data/bad-safetensors', file);
      if (!expected.startsWith('OK')) {
        await rejects(() => openCheckpoint(path), new RegExp(`^${file.replaceAll(/[.^]/g, '\\$&')}: `));
        return;
      }
      const checkpoint = await openCheckpoint(path);
      assert.equal(checkpoint.tensors.size, expected.includes('0 tensors') ? 0 : 1);
      assert.equal(checkpoint.shards[0].name, basename(path));
      assert.match(checkpoint.unsupported?.why ?? '', /no config\.json/);
    });
  }
});
