/** Estimates: operations counted from the architecture agree with a count of every product, one by one. */
import assert from 'node:assert/strict';
import type { Architecture } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { type PlainShape, plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { layerParameters } from '../../../src/engine/checkpoint/parameters';
import { comparisonSweepWork, foldWork, healedWork, shortlistSize } from '../../../src/engine/importance/cost';
import {
  evaluationFlops,
  healingFlops,
  rowBlockFlops,
  scoringFlops,
  speedLike,
  writingFlops,
} from '../../../src/engine/importance/estimate';
import { checkpointFolder } from '../../support/golden';
import { openToy } from '../../support/model';
import { tinyCheckpoint } from '../../support/tiny-models';

const ROWS = { rows: 3, length: 16 };

/** Operations of (rows, inner) × (inner, columns): counted product by product. */
function product(rows: number, inner: number, columns: number): number {
  let count = 0;
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) count += 2 * inner;
  return count;
}

/** A block over a row: its seven Linears, and each head's scores and values. */
function blockFlops({ hidden }: Architecture, { heads, kvHeads, headDim, ffn }: PlainShape, length: number): number {
  let count = product(length, hidden, heads * headDim) + product(length, heads * headDim, hidden);
  count += 2 * product(length, hidden, kvHeads * headDim);
  count += 2 * product(length, hidden, ffn) + product(length, ffn, hidden);
  for (let head = 0; head < heads; head++) count += product(length, headDim, length) + product(length, length, headDim);
  return count;
}

const headFlops = ({ hidden, vocabulary }: Architecture, length: number): number => product(length, hidden, vocabulary);

const near = (actual: number, expected: number, share: number): void =>
  assert.ok(Math.abs(actual / expected - 1) < share, `${actual}, counted ${expected}`);

describe('estimates', () => {
  let a: Architecture;
  let block: number;
  let head: number;
  before(async () => {
    a = requireArchitecture(await openCheckpoint(checkpointFolder('sample')));
    block = blockFlops(a, plainShape(a.layers[0]), ROWS.length);
    head = headFlops(a, ROWS.length);
  });

  it('of a block are every product of it', () => {
    assert.equal(rowBlockFlops(a, ROWS.length), block);
    assert.notEqual(rowBlockFlops(a, 2 * ROWS.length), 2 * block); // attention grows with the square
  });

  it('of a perplexity sweep are every variant, from the block on that it lacks', () => {
    let count = 0;
    let states = 1;
    for (const layer of a.layers) {
      count += states * blockFlops(a, plainShape(layer), ROWS.length); // those under way go through block k, and one more begins behind it
      states++;
    }
    near(scoringFlops(a, 'ppl', ROWS), ROWS.rows * (count + states * head), 0.05);
  });

  it('of a greedy run are a sweep a round, of a model that gets shorter', () => {
    let count = 0;
    for (let round = 0; round < 3; round++) {
      let states = 1;
      for (let k = 0; k < a.layers.length - round; k++) {
        count += states * block;
        states++;
      }
      count += states * head;
    }
    near(scoringFlops(a, 'greedy', ROWS, { count: 3 }), ROWS.rows * count, 0.05);
    const fewer = scoringFlops(a, 'greedy', ROWS, { count: 3, kept: new Set([0, 1, 2, 3]) });
    assert.ok(fewer < scoringFlops(a, 'greedy', ROWS, { count: 3 }));
  });

  it('of Taylor are a forward pass, and one back with the forward pass again', () => {
    let count = head + head; // logits, and their gradient by the states
    for (const layer of a.layers) count += (1 + 1 + 2) * blockFlops(a, plainShape(layer), ROWS.length);
    near(scoringFlops(a, 'taylor', ROWS), ROWS.rows * count, 0.05);
  });

  it('of criteria that compare states are one forward pass without a head', () => {
    for (const criterion of ['block-influence', 'angular'] as const)
      assert.equal(scoringFlops(a, criterion, ROWS), ROWS.rows * a.layers.length * block);
  });

  it('of a criterion that reads weights are the parameters of the blocks, whatever the vocabulary is', () => {
    const parameters = layerParameters(a).reduce((sum, each) => sum + each, 0);
    assert.equal(scoringFlops(a, 'magnitude', ROWS), 2 * parameters);
    assert.equal(scoringFlops({ ...a, vocabulary: 10 * a.vocabulary }, 'magnitude', ROWS), 2 * parameters);
  });

  it('of a text are its windows', () => {
    near(evaluationFlops(a, ROWS, [0, 1]), ROWS.rows * ((a.layers.length - 2) * block + head), 0.05);
  });

  it('of a model whose blocks differ are counted block by block', async () => {
    const ragged = requireArchitecture(await openToy(tinyCheckpoint('ragged-plain')));
    const layers = ragged.layers.map((layer) => blockFlops(ragged, plainShape(layer), ROWS.length));
    const total = layers.reduce((sum, flops) => sum + flops, 0);
    near(rowBlockFlops(ragged, ROWS.length), total / layers.length, 1e-12);
    near(scoringFlops(ragged, 'angular', ROWS), ROWS.rows * total, 1e-12);
    const headOf = headFlops(ragged, ROWS.length);
    const without = (removed: number[]): number => evaluationFlops(ragged, ROWS, removed);
    near(without([]) - without([2]), ROWS.rows * layers[2], 1e-9);
    near(without([0, 1, 2, 3]), ROWS.rows * headOf, 0.3); // the head in units of a mean block's parameters
    // Block k is passed by the whole model and by the k variants that lack an earlier block.
    const sweep = layers.reduce((sum, flops, k) => sum + (1 + k) * flops, 0);
    const heads = scoringFlops(ragged, 'ppl', ROWS) - ROWS.rows * sweep;
    near(heads, (layers.length + 1) * without([0, 1, 2, 3]), 1e-9);
  });

  it('of removal by what healing leaves are a pass that fits every fold, and a sweep over a third of the candidates', () => {
    const open = [...a.layers.keys()].slice(1);
    const { dense, rounds } = healedWork(a, a.layers.length, open, 8);
    assert.equal(dense, a.layers.length);
    const fold = foldWork(a);
    for (const [round, { choosing, measuring }] of rounds.entries()) {
      const left = open.length - round;
      if (left === 4) assert.equal(choosing, 0);
      else near(choosing, a.layers.length - round + fold * open.length, 1e-9);
      const all =
        comparisonSweepWork(a, a.layers.length - round, open.slice(0, left)) + fold * (left + round * (1 + left / 2));
      assert.ok(left === 4 || measuring < all, `round ${round + 1}`);
    }
    assert.deepEqual([1, 4, 5, 12, 29].map(shortlistSize), [1, 4, 4, 4, 10]);
  });

  it('of healing are both streams, the sums of products and the systems of equations', () => {
    const { hidden, layers } = a;
    const [{ ffn, heads, headDim }] = layers.map(plainShape);
    const [rows, removed] = [300, [4, 5, 8]]; // so many that the tokens and not the equations count
    const system = (width: number): { sums: number; solved: number } => ({
      sums: product(rows * ROWS.length, width, width) / 2 + product(rows * ROWS.length, width, hidden),
      solved: width ** 3 / 3 + product(width, width, hidden),
    });
    let count = 0;
    for (const [k] of layers.entries()) {
      count += rows * block; // the dense stream
      if (k < 3 || removed.includes(k)) continue;
      count += rows * block; // the healed one
      for (const { sums, solved } of k === 3 ? [system(ffn)] : [system(heads * headDim), system(ffn)])
        count += sums + solved;
    }
    const all = { rows, length: ROWS.length };
    near(healingFlops(a, removed, all, { method: 'refit', heldOut: 0 }), count, 0.05);
    const measured = healingFlops(a, removed, all, { method: 'refit', heldOut: 0.5 });
    assert.ok(measured > healingFlops(a, removed, { ...all, rows: 150 }, { method: 'refit', heldOut: 0 }));
  });

  it('of healing are less for fewer corrections, and nothing where nothing is removed', () => {
    const all = { rows: 100, length: ROWS.length };
    const of = (method: 'refit' | 'fold' | 'scalar', removed = [4, 8]): number =>
      healingFlops(a, removed, all, { method, heldOut: 0 });
    assert.ok(of('refit') > of('fold') && of('fold') > of('scalar'));
    near(of('scalar'), 100 * (a.layers.length + 7) * block, 1e-9); // block 3 and the six kept ones after it
    near(of('scalar', [0]), 100 * (2 * a.layers.length - 1) * block, 1e-9);
    assert.ok(of('refit', [3]) > of('refit', [9]));
    assert.equal(of('refit', []), 0);
  });

  it('of a text that the model writes are every token through every block, more slowly', () => {
    near(writingFlops(a, ROWS), ROWS.rows * (a.layers.length * block + head), 0.05);
    assert.ok(speedLike('write', 'ppl', 100) < 50);
    const healing = speedLike('heal', 'ppl', 100);
    assert.ok(healing < 100 && healing > speedLike('write', 'ppl', 100));
    assert.equal(Math.round(speedLike('evaluate', 'heal', healing)), 100);
  });

  it('know that gradients are slower than products', () => {
    assert.equal(speedLike('ppl', 'evaluate', 7), 7);
    assert.ok(speedLike('taylor', 'ppl', 100) < 100);
    assert.equal(Math.round(speedLike('ppl', 'taylor', speedLike('taylor', 'ppl', 100))), 100);
  });
});
