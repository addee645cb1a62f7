/** Runs whose products are taken together. */
import assert from 'node:assert/strict';
import { groupsOf, piecesOf } from '../../../src/engine/heal/groups';

type Use = 'fit' | 'choose' | 'none';
const run = (rows: number, use: Use = 'fit') => ({ rows, use });

function pieces(runs: ReturnType<typeof run>[], length: number): number[] {
  return piecesOf(runs, groupsOf(runs), length);
}

describe('pieces of runs', () => {
  it('are the runs themselves where each has as many tokens as a piece, or is a group', () => {
    assert.deepEqual(pieces([run(16), run(16), run(7)], 128), [0, 1, 2]);
    assert.deepEqual(pieces([run(2), run(2), run(1)], 128), [0, 1, 2]);
    const many = Array.from({ length: 70 }, () => run(16));
    assert.deepEqual(
      pieces(many, 128),
      many.map((_, p) => p),
    );
  });

  it('have up to 2,048 tokens of one group', () => {
    // LLaMA-7B's 32,768 tokens in runs of 256: groups of four runs, 1,024 tokens.
    const runs = Array.from({ length: 128 }, () => run(2));
    assert.deepEqual(
      pieces(runs, 128),
      runs.map((_, p) => p >> 2),
    );
    // 131,072 tokens: groups of sixteen runs, each two pieces of eight.
    const more = Array.from({ length: 512 }, () => run(2));
    assert.deepEqual(
      pieces(more, 128),
      more.map((_, p) => p >> 3),
    );
  });

  it('end where the use of rows changes', () => {
    const runs = [...Array.from({ length: 64 }, () => run(2)), ...Array.from({ length: 3 }, () => run(2, 'none'))];
    const found = pieces(runs, 128);
    assert.notEqual(found[63], found[64]);
    assert.equal(found[62], found[63]);
  });
});
