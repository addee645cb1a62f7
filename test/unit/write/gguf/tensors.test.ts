/** The order of rows that llama.cpp rotates. */
import assert from 'node:assert/strict';
import { pairedRow, pairedRows } from '../../../../src/engine/write/gguf/tensors';

/** Row i of the matrix is all i; every call has to ask for whole heads. */
function rowsOf(total: number, width: number, headDim: number): Parameters<typeof pairedRows>[0] {
  return ({ start, count }) => {
    assert.ok(start % headDim === 0 && count % headDim === 0 && start + count <= total);
    return Promise.resolve(Float64Array.from({ length: count * width }, (_, i) => start + Math.floor(i / width)));
  };
}

describe('gguf/paired rows', () => {
  it('row 2i + s of a head is row s · d / 2 + i of the checkpoint', async () => {
    const [heads, headDim, width] = [3, 6, 2];
    // The definition: (heads, 2, d / 2) → (heads, d / 2, 2).
    const expected: number[] = [];
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < headDim / 2; i++) {
        for (const s of [0, 1]) expected.push((head * 2 + s) * (headDim / 2) + i);
      }
    }
    const read = pairedRows(rowsOf(heads * headDim, width, headDim), width, headDim);
    const all = await read({ start: 0, count: heads * headDim });
    assert.deepEqual(
      [...all],
      expected.flatMap((row) => Array<number>(width).fill(row)),
    );
    for (let start = 0; start < heads * headDim; start++) {
      for (let count = 1; start + count <= heads * headDim; count += 3) {
        const some = await read({ start, count });
        assert.deepEqual([...some], [...all.subarray(start * width, (start + count) * width)]);
      }
    }
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((row) => pairedRow(row, headDim)),
      [0, 3, 1, 4, 2, 5],
    );
  });
});
