/** Selection: order, keep-list, criteria with rules of their own. Published scores in, published choices out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { LayerShape } from '../../../src/engine/checkpoint/architecture';
import { requireAttentionLeft } from '../../../src/engine/checkpoint/kinds/parts';
import { plainLayer } from '../../../src/engine/checkpoint/kinds/plain';
import { UserError } from '../../../src/engine/errors';
import { parseJsonNumber } from '../../../src/format/json';
import {
  candidatesOf,
  keepList,
  endBlocks,
  rankBlocks,
  selectByAngular,
  selectByGreedy,
  selectBySet,
  selectByOrder,
  selectExplicit,
  wholeBlocks,
} from '../../../src/engine/importance/select';
import { describeShared, shared } from '../../support/shared';

const ATTENDING = plainLayer({
  ...{ heads: 2, kvHeads: 1, headDim: 8, ffn: 12, window: null, rope: null },
  ...{ biases: [], qkNorm: null, fused: false },
});
const CONVOLVING: LayerShape = {
  ...ATTENDING,
  mixer: { kind: 'convolution', channels: 16, kernel: 3, biased: false },
};

interface Vector {
  readonly id: string;
  readonly num_blocks: number;
  readonly scores: readonly unknown[];
  readonly expected_order: readonly number[];
  readonly expected_candidates_plus: readonly number[];
  readonly selections: Readonly<
    Record<string, { readonly raw_removed_sorted: number[]; readonly plus_removed_sorted: number[] }>
  >;
}

const nothingKept: ReadonlySet<number> = new Set();

describe('prune/select', () => {
  describeShared('the six published score vectors', () => {
    const { vectors } = JSON.parse(readFileSync(shared('spec/sensitivity_vectors.json'), 'utf8')) as {
      vectors: Vector[];
    };
    it('are six', () => assert.equal(vectors.length, 6));
    for (const vector of vectors) {
      it(vector.id, () => {
        const order = rankBlocks(vector.scores.map((score) => parseJsonNumber(score)!));
        assert.deepEqual(order, vector.expected_order);
        const kept = keepList(vector.num_blocks);
        assert.deepEqual(candidatesOf(order, kept), vector.expected_candidates_plus);
        for (const [count, selection] of Object.entries(vector.selections)) {
          assert.deepEqual(selectByOrder(order, Number(count), nothingKept), selection.raw_removed_sorted);
          assert.deepEqual(selectByOrder(order, Number(count), kept), selection.plus_removed_sorted);
        }
      });
    }
  });

  it('ranks ties by index and non-finite scores last', () => {
    assert.deepEqual(rankBlocks([2, 1, 2, 1, 0]), [4, 1, 3, 0, 2]);
    assert.deepEqual(rankBlocks([NaN, Infinity, 3, -Infinity, -1, NaN, Infinity]), [4, 2, 1, 3, 6, 0, 5]);
    assert.deepEqual(rankBlocks([Infinity, Infinity]), [0, 1]);
    assert.deepEqual(rankBlocks([]), []);
  });

  it('keeps {0, 1, 2, 3, L−2, L−1} unless told otherwise', () => {
    assert.deepEqual(endBlocks(32), [0, 1, 2, 3, 30, 31]);
    assert.deepEqual(endBlocks(5), [0, 1, 2, 3, 4]);
    assert.deepEqual(endBlocks(1), [0]);
    assert.deepEqual([...keepList(12, { keep: [6] })], [0, 1, 2, 3, 10, 11, 6]);
    assert.deepEqual([...keepList(12, { keepEnds: false, keep: [6] })], [6]);
    assert.throws(() => keepList(12, { keep: [12] }), UserError);
  });

  it('keeps a block with attention where only some have it, in choices and in what is written', () => {
    const kinds = 'cccccacacccc';
    const layers = Array.from(kinds, (kind) => (kind === 'a' ? ATTENDING : CONVOLVING));
    assert.deepEqual([...keepList(layers, { keepEnds: false })], [7]);
    assert.deepEqual([...keepList(layers, { keepEnds: false, keep: [5] })], [5]);
    assert.deepEqual(
      [
        ...keepList(
          layers.map(() => ATTENDING),
          { keepEnds: false },
        ),
      ],
      [],
    );
    requireAttentionLeft(layers, [0, 1, 7]);
    assert.throws(() => requireAttentionLeft(layers, [0, 5, 7]), { name: 'UserError', why: /only blocks 5, 7/ });
  });

  it('refuses more blocks than the keep-list leaves, and leaves at least one', () => {
    const order = rankBlocks(Array.from({ length: 12 }, (_, i) => i));
    const kept = keepList(12);
    assert.deepEqual(selectByOrder(order, 6, kept), [4, 5, 6, 7, 8, 9]);
    assert.throws(() => selectByOrder(order, 7, kept), { name: 'UserError', why: /0, 1, 2, 3, 10, 11.*leaves 6/ });
    assert.throws(() => selectByOrder(order, 12, nothingKept), UserError);
    assert.equal(selectByOrder(order, 11, nothingKept).length, 11);
  });

  describe('angular', () => {
    const windows = [
      { start: 4, size: 2, score: 0.2 },
      { start: 0, size: 2, score: 0.1 },
      { start: 5, size: 2, score: 0.2 },
      { start: 6, size: 2, score: NaN },
      { start: 7, size: 2, score: 0.3 },
      { start: 5, size: 3, score: 0.01 },
    ];
    it('takes the lowest window of the size, by start on a tie', () => {
      assert.deepEqual(selectByAngular(windows, 10, 2, nothingKept), [0, 1]);
      assert.deepEqual(selectByAngular(windows, 10, 2, keepList(10)), [4, 5]);
      assert.deepEqual(selectByAngular(windows, 10, 2, new Set([0, 4])), [5, 6]);
      assert.deepEqual(selectByAngular(windows, 10, 2, new Set([1, 5])), [7, 8]);
    });
    it('says when no window of that size was measured or free', () => {
      assert.throws(() => selectByAngular(windows, 10, 4, new Set()), { name: 'UserError', why: /largest has 3/ });
      assert.throws(() => selectByAngular(windows, 10, 3, new Set([6])), {
        name: 'UserError',
        why: /kept block \(6\)/,
      });
    });
  });

  it('takes greedy removals in their order, never around a kept block', () => {
    assert.deepEqual(selectByGreedy([9, 4, 5, 6], 12, 3, keepList(12)), [4, 5, 9]);
    assert.throws(() => selectByGreedy([9, 0, 5, 6], 12, 2, keepList(12)), { name: 'UserError', why: /block 0/ });
    assert.deepEqual(selectByGreedy([9, 0, 5, 6], 12, 1, keepList(12)), [9]);
    assert.throws(() => selectByGreedy([9], 12, 2, keepList(12)), { name: 'UserError', why: /stopped after 1/ });
  });

  it('takes a set as a whole, for its own number of blocks only, never with a kept block', () => {
    assert.deepEqual(selectBySet([4, 5, 9], 12, 3, keepList(12)), [4, 5, 9]);
    for (const count of [2, 4]) {
      assert.throws(() => selectBySet([4, 5, 9], 12, count, keepList(12)), {
        name: 'UserError',
        why: /one set of 3 blocks/,
        action: /--count/,
      });
    }
    assert.throws(() => selectBySet([0, 5, 9], 12, 3, keepList(12)), { name: 'UserError', why: /block 0/ });
    assert.throws(() => selectBySet([4, 5, 6, 7, 8, 9], 12, 7, keepList(12)), { name: 'UserError', why: /kept/ });
  });

  it('takes the blocks a user names, the "+" heuristic aside', () => {
    assert.deepEqual(selectExplicit([11, 0, 11], 12), [0, 11]);
    assert.throws(() => selectExplicit([3], 12, [3]), UserError);
    assert.throws(() => selectExplicit([12], 12), UserError);
    assert.throws(() => selectExplicit([], 12), UserError);
    assert.throws(() => selectExplicit([0, 1], 2), UserError);
  });

  it('refuses lone modules with the reason', () => {
    assert.deepEqual(wholeBlocks([{ block: 12 }, { block: 3, part: 'ffn' }, { block: 3, part: 'attention' }]), [3, 12]);
    assert.throws(() => wholeBlocks([{ block: 10, part: 'attention' }]), {
      name: 'UserError',
      what: /10\.attention/,
      why: /stock Hugging Face/,
    });
  });
});
