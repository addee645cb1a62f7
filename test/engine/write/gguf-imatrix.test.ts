/** Importance matrices as files: llama.cpp's two formats, damaged ones, and the blocks that their names mean. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import {
  COUNTS,
  type ImportanceMatrix,
  importanceOf,
  readImportanceMatrix,
  SUMS,
} from '../../../src/engine/formats/gguf/imatrix';
import { expertLinear } from '../../../src/engine/checkpoint/kinds/experts';
import { quantize } from '../../../src/engine/formats/gguf/quantize';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { weighedParts } from '../../../src/engine/write/rewrite';
import { expertToy } from '../../support/expert-toys';
import { openToy } from '../../support/model';
import { Importance } from '../../../src/engine/write/gguf/importance';
import { writeImportanceMatrix } from '../../../src/engine/write/gguf/write-imatrix';
import { ggufBytes, readGgufContent, type EditedTensor } from '../../support/gguf-edits';
import { temporaryFolder } from '../../support/temporary';

const matrix = (blocks: number): ImportanceMatrix => ({
  entries: new Map(
    Array.from({ length: blocks }, (_, block) => [
      `blk.${block}.ffn_down.weight`,
      { sums: Float32Array.of(block + 1, 0.5, 0), count: 4 },
    ]),
  ),
  texts: ['prose.txt'],
  rows: 2,
  rowLength: 2,
});

/** The bytes that older versions of llama.cpp write: sums are means over a pass times the number of passes. */
function oldFile({ entries, rows, texts }: ImportanceMatrix, hasTail = true): Buffer {
  const i32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
  const named = (text: string): Buffer[] => [i32(Buffer.byteLength(text)), Buffer.from(text)];
  return Buffer.concat([
    i32(entries.size),
    ...[...entries].flatMap(([name, { sums, count }]) => [
      ...named(name),
      i32(count),
      i32(sums.length),
      Buffer.from(sums.slice().buffer),
    ]),
    ...(hasTail ? [i32(rows), ...named(texts[0])] : []),
  ]);
}

function fileOf(bytes: Buffer, name = 'imatrix.dat'): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, bytes);
  return file;
}

const refused = (path: string, words: RegExp): Promise<void> =>
  assert.rejects(readImportanceMatrix(path), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(`${error.message} ${error.why}`, words);
    return true;
  });

describe('importance matrices in files', () => {
  it('are read as they were written', async () => {
    const file = join(temporaryFolder(), 'imatrix.gguf');
    await writeImportanceMatrix(matrix(2), file, []);
    assert.deepEqual(await readImportanceMatrix(file), matrix(2));
    const { tensors } = await readGgufContent(file);
    assert.deepEqual(
      tensors.slice(0, 2).map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        [`blk.0.ffn_down.weight${SUMS}`, 'F32', [1, 3]],
        [`blk.0.ffn_down.weight${COUNTS}`, 'F32', [1, 1]],
      ],
    );
    await assert.rejects(writeImportanceMatrix(matrix(1), file, []), /exists already/);
  });

  it('are read in the format of older versions, with and without what later ones added', async () => {
    assert.deepEqual(await readImportanceMatrix(fileOf(oldFile(matrix(2)))), { ...matrix(2), rowLength: 0 });
    const bare = await readImportanceMatrix(fileOf(oldFile(matrix(2), false)));
    assert.deepEqual(bare, { ...matrix(2), texts: [], rows: 0, rowLength: 0 });
    assert.deepEqual([...importanceOf(bare.entries.get('blk.1.ffn_down.weight')!)], [0.5, 0.125, 0]);
  });

  it('of the old format are refused wherever they are cut off', async () => {
    const whole = oldFile(matrix(1), false);
    for (let length = 0; length < whole.length; length++)
      await refused(fileOf(whole.subarray(0, length)), /it ends within/);
  });

  it('are refused with lengths that no file has, and numbers that are no sums', async () => {
    const edited = (at: number, value: number): string => {
      const bytes = oldFile(matrix(1));
      bytes.writeInt32LE(value, at);
      return fileOf(bytes);
    };
    await refused(edited(0, -1), /the number of matrices is -1/);
    await refused(edited(0, 2 ** 30), /the number of matrices is 1073741824/);
    await refused(edited(4, 2 ** 30), /the length of name 1 is 1073741824/);
    const columns = 8 + 'blk.0.ffn_down.weight'.length + 4;
    await refused(edited(columns, 2 ** 30), /the number of columns .* is 1073741824/);
    await refused(edited(columns, 2 ** 20), /it ends within the sums/);
    await refused(edited(columns + 4, -1), /negative or not finite/); // the bits of a NaN
    const negative = new Map([['blk.0.ffn_down.weight', { sums: Float32Array.of(-1), count: 1 }]]);
    await refused(fileOf(oldFile({ ...matrix(1), entries: negative })), /negative or not finite/);
  });

  it('are refused where a GGUF file has other things', async () => {
    const file = join(temporaryFolder(), 'imatrix.gguf');
    await writeImportanceMatrix(matrix(1), file, []);
    const content = await readGgufContent(file);
    const withTensors = (change: (tensors: EditedTensor[]) => EditedTensor[]): string =>
      fileOf(ggufBytes({ ...content, tensors: change(content.tensors) }), 'edited.gguf');
    await refused(
      withTensors(([, counts]) => [counts]),
      /no sums of any matrix/,
    );
    await refused(
      withTensors(([sums]) => [sums]),
      /sums and no counts/,
    );
    await refused(
      withTensors(([sums, counts]) => [{ ...sums, dtype: 'F16', data: Buffer.alloc(6) }, counts]),
      /is F16 in place of F32/,
    );
    await refused(
      withTensors(([sums, counts]) => [sums, { ...counts, shape: [2, 1], data: Buffer.alloc(8) }]),
      /3 sums and 2 counts/,
    );
    const model = withTensors(([sums]) => [{ ...sums, name: 'blk.0.ffn_down.weight' }]);
    await refused(model, /no sums of any matrix/);
  });
});

describe('the importance of the columns of a written file', () => {
  const file = 'imatrix.gguf';
  const firstOf = (importance: Importance, block: number): number | undefined =>
    importance.columnsOf(`blk.${block}.ffn_down.weight`, 3)?.[0];

  it('is by the original’s blocks, or by those that are written', () => {
    const original = Importance.of({ matrix: matrix(4), file }, 4, [0, 3]);
    assert.deepEqual([firstOf(original, 0), firstOf(original, 1)], [0.25, 1]);
    const written = Importance.of({ matrix: matrix(2), file }, 4, [0, 3]);
    assert.deepEqual([firstOf(written, 0), firstOf(written, 1)], [0.25, 0.5]);
    assert.equal(written.matrices, 2);
  });

  it('is refused of another number of blocks or columns', () => {
    assert.throws(() => Importance.of({ matrix: matrix(3), file }, 4, [0, 3]), /imatrix.gguf is of another model/);
    const importance = Importance.of({ matrix: matrix(2), file }, 2, [0, 1]);
    assert.throws(() => importance.columnsOf('blk.0.ffn_down.weight', 5), /imatrix.gguf is of another model/);
  });

  it('is that of each expert on its own in a stack, by the tokens that were routed to it', async () => {
    const from = await openToy(expertToy());
    const [experts, rows, columns] = [3, 64, 32];
    const name = 'blk.1.ffn_down_exps.weight';
    const sums = Float32Array.from({ length: experts * columns }, (_, i) => ((7 * i) % 13) ** 2);
    const counts = Float32Array.of(3, 0, 5);
    const stored = join(temporaryFolder(), 'imatrix.gguf');
    const entries = new Map([[name, { sums, count: 5, counts }]]);
    await writeImportanceMatrix({ ...matrix(2), entries }, stored, []);
    const read = await readImportanceMatrix(stored);
    assert.deepEqual(read.entries.get(name), { sums, count: 5, counts });
    for (const type of ['q4_0', 'iq4_nl'] as const) {
      const written = join(temporaryFolder(), 'model.gguf');
      const expected = await withWeights(from, async (weights) => {
        const result = await writeGguf(from, weights, written, { type, importance: { matrix: read, file } });
        assert.equal(result.weighed, 1);
        const parts: Uint8Array[] = [];
        for (let expert = 0; expert < experts; expert++) {
          // Columns of an expert without tokens count alike, as in llama-quantize.
          const own = Float32Array.from({ length: columns }, (_, c) =>
            counts[expert] > 0 ? Math.fround(sums[expert * columns + c] / counts[expert]) : 1,
          );
          const values = await weights.read({ layer: 1, name: expertLinear(expert, 'down') });
          const dtype = type === 'q4_0' ? 'Q4_0' : 'IQ4_NL';
          parts.push(quantize(values, dtype, new Uint8Array((rows * columns * 18) / 32), own));
        }
        return Buffer.concat(parts);
      });
      const { tensors } = await readGgufContent(written);
      assert.ok(tensors.find((tensor) => tensor.name === name)!.data.equals(expected), type);
      const plain = join(temporaryFolder(), 'plain.gguf');
      await withWeights(from, (weights) => writeGguf(from, weights, plain, { type }));
      const without = (await readGgufContent(plain)).tensors.find((tensor) => tensor.name === name)!;
      assert.ok(!without.data.equals(expected));
    }
    const other = Importance.of({ matrix: read, file }, 2, [0, 1]);
    assert.throws(() => other.columnsOf(name, columns, 2), /3 experts of 32 columns in it, and 2 experts of 32/);
  });

  it('is that of the matrix of each row, wherever rows are cut', () => {
    const importance = Float32Array.of(1, 2, 3, 4, 5, 6);
    const parts = weighedParts({ shape: [12, 2], importance }, { start: 3, count: 7 });
    assert.deepEqual(parts, [
      { rows: { start: 3, count: 1 }, importance: Float32Array.of(1, 2) },
      { rows: { start: 4, count: 4 }, importance: Float32Array.of(3, 4) },
      { rows: { start: 8, count: 2 }, importance: Float32Array.of(5, 6) },
    ]);
    const rows = { start: 3, count: 7 };
    assert.deepEqual(weighedParts({ shape: [12, 6], importance }, rows), [{ rows, importance }]);
    assert.deepEqual(weighedParts({ shape: [12, 6] }, rows), [{ rows }]);
  });

  it('says which matrices have none', () => {
    const importance = Importance.of({ matrix: matrix(2), file }, 2, [0, 1]);
    assert.deepEqual(importance.notes(), []);
    assert.equal(importance.columnsOf('token_embd.weight', 3), undefined);
    assert.match(importance.notes()[0], /^1 matrix has no importance in imatrix.gguf, so .*: token_embd.weight$/);
  });
});
