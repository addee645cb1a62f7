/** Laying out GGUF files: the reader finds what was given, at places that the format asks for. */
import assert from 'node:assert/strict';
import { readGgufHeader, type GgufHeader } from '../../../src/engine/formats/gguf/file';
import {
  type GgufField,
  type GgufLayout,
  layOutGguf,
  type UnplacedTensor,
} from '../../../src/engine/formats/gguf/layout';
import { memorySource } from '../../support/gguf-files';

const tensor = (name: string, ...shape: number[]): UnplacedTensor => ({ name, dtype: 'F32', shape });
const read = ({ header, bytes }: GgufLayout): Promise<GgufHeader> =>
  readGgufHeader(memorySource(header, bytes), 'm.gguf');

const VALUES: readonly GgufField[] = [
  ['u8', { type: 'u8', value: 255 }],
  ['i8', { type: 'i8', value: -128 }],
  ['u16', { type: 'u16', value: 65_535 }],
  ['i16', { type: 'i16', value: -2 }],
  ['u32', { type: 'u32', value: 2 ** 32 - 1 }],
  ['i32', { type: 'i32', value: -(2 ** 31) }],
  ['f32', { type: 'f32', value: 0.5 }],
  ['f64', { type: 'f64', value: 1 / 3 }],
  ['u64', { type: 'u64', value: 2n ** 64n - 1n }],
  ['i64', { type: 'i64', value: -5n }],
  ['bool', { type: 'bool', value: true }],
  ['string', { type: 'string', value: '▁é🌍' }],
];

describe('layout of a GGUF file', () => {
  it('holds every kind of value', async () => {
    const { version, metadata } = await read(layOutGguf(VALUES, []));
    assert.equal(version, 3);
    const found = [...metadata.values()].map(({ key, type, value }) => [key, type, value]);
    const given = VALUES.map(([key, field]) => [key, field.type, 'value' in field && field.value]);
    const small = (value: unknown): unknown => (value === -5n ? -5 : value); // the reader has numbers where they are exact
    assert.deepEqual(
      found,
      given.map((entry) => entry.map(small)),
    );
  });

  it('holds lists of numbers and of texts, longer than its first room', async () => {
    const tokens = Array.from({ length: 30_000 }, (_, i) => `token ${i}`);
    const { metadata } = await read(
      layOutGguf(
        [
          ['tokens', { type: 'array', of: 'string', values: tokens }],
          ['scores', { type: 'array', of: 'f32', values: Float32Array.of(-1.5, 2) }],
          ['widths', { type: 'array', of: 'u32', values: [3, 1, 2] }],
          ['after', { type: 'bool', value: false }],
        ],
        [],
      ),
    );
    assert.deepEqual(metadata.get('tokens')?.value, { of: 'string', length: 30_000, first: tokens.slice(0, 32) });
    assert.deepEqual(metadata.get('scores')?.value, { of: 'f32', length: 2, first: [-1.5, 2] });
    assert.deepEqual(metadata.get('widths')?.value, { of: 'u32', length: 3, first: [3, 1, 2] });
    assert.equal(metadata.get('after')?.value, false);
  });

  it('places every tensor at a multiple of 32, the end too', async () => {
    const tensors: UnplacedTensor[] = [
      tensor('a', 3, 5),
      { name: 'b', dtype: 'BF16', shape: [7] },
      { name: 'c', dtype: 'Q4_0', shape: [2, 64] },
      tensor('d', 1),
    ];
    const layout = layOutGguf(VALUES.slice(0, 3), tensors);
    assert.equal(layout.header.length % 32, 0);
    const { dataStart, tensors: found, notes } = await read(layout);
    assert.equal(dataStart, layout.header.length);
    assert.deepEqual(
      found.map(({ name, dtype, shape, offset, bytes }) => [name, dtype, shape, offset - dataStart, bytes]),
      [
        ['a', 'F32', [3, 5], 0, 60],
        ['b', 'BF16', [7], 64, 14],
        ['c', 'Q4_0', [2, 64], 96, 72],
        ['d', 'F32', [1], 192, 4],
      ],
    );
    assert.deepEqual(found, layout.tensors);
    assert.equal(layout.bytes, dataStart + 224);
    assert.deepEqual(notes, []);
  });

  it('is exact beyond 2 ** 32 elements and bytes', async () => {
    const layout = layOutGguf([], [tensor('huge', 2 ** 20, 2 ** 14), tensor('next', 2)]);
    const { tensors } = await read(layout);
    assert.deepEqual(
      tensors.map(({ offset, bytes }) => [offset - layout.header.length, bytes]),
      [
        [0, 2 ** 36],
        [2 ** 36, 8],
      ],
    );
  });

  it('refuses what the format cannot hold', () => {
    const bad = (fields: readonly GgufField[], tensors: readonly UnplacedTensor[], why: RegExp): void => {
      assert.throws(() => layOutGguf(fields, tensors), why);
    };
    const long = 'n'.repeat(63);
    layOutGguf([], [tensor(long, 1)]);
    bad([], [tensor(`${long}n`, 1)], /64 bytes/);
    bad([], [tensor(`${'n'.repeat(62)}é`, 1)], /64 bytes/);
    bad([], [tensor('', 1)], /0 bytes/);
    bad([], [tensor('a', 1), tensor('a', 2)], /a occurs twice/);
    bad([], [tensor('a', 0, 4)], /shape \[0, 4\]/);
    bad([], [tensor('a', 1, 1, 1, 1, 1)], /shape/);
    bad([], [tensor('a')], /shape \[\]/);
    bad([], [{ name: 'a', dtype: 'Q4_0', shape: [2, 40] }], /shape \[2, 40\]/);
    bad([], [{ name: 'a', dtype: 'BOOL', shape: [2] }], /BOOL is not a type/);
    bad([], [tensor('a', 2 ** 30, 2 ** 30)], /more than/);
    bad([VALUES[0], VALUES[0]], [], /u8 occurs twice/);
    bad([['', VALUES[0][1]]], [], /key of 0 bytes/);
    for (const value of [-1, 2 ** 32, 0.5, NaN]) bad([['k', { type: 'u32', value }]], [], /k cannot be stored/);
    bad([['k', { type: 'f32', value: 1e300 }]], [], /k cannot be stored/);
    bad([['k', { type: 'string', value: '\ud83c' }]], [], /k cannot be stored/);
  });
});
