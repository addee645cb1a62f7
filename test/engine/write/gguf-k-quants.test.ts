/** K-quants: the bytes of ggml's own quantizer, and the types that llama.cpp's program gives the matrices of a file. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dequantize } from '../../../src/engine/formats/gguf/dequantize';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { quantizeK } from '../../../src/engine/formats/gguf/k-quants/quantize';
import { Lanes } from '../../../src/engine/formats/gguf/k-quants/lanes';
import { isKQuant, quantize, QUANTIZED_TYPES } from '../../../src/engine/formats/gguf/quantize';
import { bytesOfElements } from '../../../src/engine/formats/gguf/types';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import type { GgufType } from '../../../src/engine/write/gguf/kinds';
import { planGguf, writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { K_QUANT_BYTES, K_QUANT_TOYS, kQuantImportance, kQuantNumbers, toyImportance } from '../../support/k-quants';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import type { NamedMatrix } from '../../../src/engine/write/gguf/importance';
import { openToy } from '../../support/model';
import { full, gemma3Gguf, itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

/** What ggml and llama.cpp make. */
interface Made {
  /** SHA-256 of the bytes, by the type. */
  readonly numbers: Readonly<Record<string, string>>;
  /** By toy and mix: the type of most matrices, and the names of those of each other type. */
  readonly types: Readonly<
    Record<string, Readonly<Record<string, { readonly most: string } & Record<string, string>>>>
  >;
  /** By mix: of the matrices of one toy, one after another by their names. */
  readonly bytes: Readonly<Record<string, string>>;
}

interface Golden extends Made {
  /** With the importance of columns: all numbers and bytes, and the types that differ. */
  readonly important: Made;
}

const golden = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../golden/k-quants.json'), 'utf8')) as Golden;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Types that a search makes, always or where columns have an importance. */
const SEARCHED = QUANTIZED_TYPES.filter((type) => type !== 'Q8_0');

describe('quantized numbers', () => {
  const values = kQuantNumbers();
  const importance = kQuantImportance();
  for (const [how, made, columns] of [
    ['all columns alike', golden.numbers, undefined],
    ['by the importance of columns', golden.important.numbers, importance],
  ] as const) {
    for (const type of columns ? QUANTIZED_TYPES : SEARCHED.filter((each) => each in made)) {
      it(`${type}, ${how}, have the bytes of ggml's own`, () => {
        const bytes = quantize(values, type, new Uint8Array(bytesOfElements(type, values.length)), columns);
        assert.equal(sha(bytes), made[type]);
        if (isKQuant(type)) {
          const inTurn = quantizeK(values, type, new Uint8Array(bytes.length), { importance: columns, lanes: null });
          assert.equal(sha(inTurn), made[type], 'one part after another');
        }
        const row = values.subarray(0, importance.length);
        const again = quantize(row, type, new Uint8Array(bytesOfElements(type, row.length)), columns);
        assert.deepEqual(again, bytes.subarray(0, again.length), 'nothing of another block is left');
        const read = dequantize(bytes, type, new Float32Array(values.length));
        assert.ok(read.every(Number.isFinite));
      });
    }
  }

  it('of simple types take no importance of other columns', () => {
    assert.throws(() => quantize(values, 'Q4_0', new Uint8Array(18_000), new Float32Array(96)), /rows of 96/);
  });

  it('are made with vectors where the machine has them', () => {
    assert.ok(Lanes.open(), 'every machine that tests run on has');
  });

  it('take whole blocks only', () => {
    assert.throws(() => quantize(new Float32Array(128), 'Q4_K', new Uint8Array(72)), /128 numbers/);
  });
});

/** The importance of every matrix of a toy's blocks, as the golden file has it. */
async function importanceOf(checkpoint: Checkpoint): Promise<NamedMatrix> {
  const { layout } = await withWeights(checkpoint, (weights) => planGguf(checkpoint, weights, { type: 'f32' }));
  const matrices = layout.tensors.filter(({ name, shape }) => name.startsWith('blk.') && shape.length === 2);
  const entries = matrices.map(({ name, shape }) => [name, { sums: toyImportance(name, shape[1]), count: 1 }] as const);
  return { matrix: { entries: new Map(entries), texts: ['text'], rows: 1, rowLength: 1 }, file: 'toy.gguf' };
}

describe('types of a quantized file', () => {
  for (const [name, toy] of Object.entries(K_QUANT_TOYS)) {
    it(`are llama.cpp's in every mix, with and without an importance matrix: ${name}`, async () => {
      const checkpoint = await openToy(toy());
      const matrix = await importanceOf(checkpoint);
      for (const importance of [undefined, matrix]) {
        for (const [mix, plain] of Object.entries(golden.types[name])) {
          const made = importance ? (golden.important.types[name][mix] ?? plain) : plain;
          const { most, ...others } = made;
          const { layout, notes } = await withWeights(checkpoint, (weights) =>
            planGguf(checkpoint, weights, { type: mix as GgufType, importance }),
          );
          const found: Record<string, string[]> = {};
          for (const { name: tensor, dtype } of layout.tensors) {
            if (dtype !== 'F32' && dtype !== most) (found[dtype] ??= []).push(tensor);
          }
          const sorted = Object.fromEntries(
            Object.entries(found).map(([dtype, names]) => [dtype, names.sort().join(' ')]),
          );
          assert.deepEqual(sorted, others, mix);
          const hasOthers = notes.some((note) => note.includes('no multiple of 256'));
          const isOdd = name === 'shared' && mix.includes('_k');
          assert.equal(hasOthers, isOdd, `${mix}: ${notes.join()}`);
        }
      }
    });
  }

  for (const [how, bytesOf, isWeighed] of [
    ['alone', golden.bytes, false],
    ['with an importance matrix', golden.important.bytes, true],
  ] as const) {
    it(`have the bytes of its own program, ${how}`, async () => {
      const checkpoint = await openToy(K_QUANT_TOYS[K_QUANT_BYTES]());
      const importance = isWeighed ? await importanceOf(checkpoint) : undefined;
      for (const [mix, expected] of Object.entries(bytesOf)) {
        // What a type makes of numbers is compared above, and which types a mix has.
        if (!full && mix !== 'q4_k_m') continue;
        const file = join(temporaryFolder(), 'model.gguf');
        await withWeights(checkpoint, (weights) =>
          writeGguf(checkpoint, weights, file, { type: mix as GgufType, importance }),
        );
        const { tensors, metadata } = await openGguf(file);
        const bytes = readFileSync(file);
        const matrices = tensors.filter(({ dtype }) => dtype !== 'F32').sort((a, b) => (a.name < b.name ? -1 : 1));
        const all = Buffer.concat(matrices.map(({ offset, bytes: size }) => bytes.subarray(offset, offset + size)));
        assert.equal(sha(all), expected, mix);
        assert.equal(metadata.get('general.quantization_version')?.value, 2);
        assert.equal(metadata.has('quantize.imatrix.entries_count'), isWeighed);
      }
    });
  }

  itShared('are those of Gemma 3 270M’s own file in Q4_K_M', async () => {
    const checkpoint = await openToy(gemma3Gguf());
    const { tensors } = await openGguf(gemma3Gguf());
    const { layout } = await withWeights(checkpoint, (weights) => planGguf(checkpoint, weights, { type: 'q4_k_m' }));
    const found = new Map(layout.tensors.map(({ name, dtype }) => [name, dtype]));
    assert.deepEqual(
      tensors.map(({ name }) => [name, found.get(name)]),
      tensors.map(({ name, dtype }) => [name, dtype]),
    );
  });

  it('are by the blocks that are left', async () => {
    const checkpoint = await openToy(K_QUANT_TOYS.shared());
    const kept = Array.from({ length: 16 }, (_, block) => block + 3);
    const { layout } = await withWeights(checkpoint, (weights) =>
      planGguf(checkpoint, weights, { kept, type: 'q4_k_m' }),
    );
    const finer = layout.tensors.flatMap(({ name, dtype }) =>
      name.includes('ffn_down') && dtype === 'Q6_K' ? [name] : [],
    );
    const blocks = finer.map((name) => Number(/\d+/.exec(name)![0]));
    assert.deepEqual(blocks, [0, 1, 4, 7, 10, 13, 14, 15], 'the first and last eighth of 16, and every third between');
  });
});
