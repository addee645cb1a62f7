/** The head of a training where it is trained: it measures what it learns from, and is cut into pieces. */
import assert from 'node:assert/strict';
import { bindInputs } from '../../../src/engine/model/binding';
import { type HeadGradients, HeadLoss } from '../../../src/engine/model/head-loss';
import { headTokens } from '../../../src/engine/model/head-tokens';
import type { Model } from '../../../src/engine/model/model';
import { NO_TARGET } from '../../../src/engine/model/targets';
import { type Feeds, float32 } from '../../../src/engine/onnx/session';
import { Random } from '../../../src/engine/random';
import { withModel } from '../../support/model';
import { tinyCheckpoint } from '../../support/tiny-models';

/** More than go through a head of 288 words together. */
const TOKENS = 1500;

interface Question {
  readonly x: Float32Array;
  readonly targets: readonly number[];
}

async function feedsOf({ architecture, weights }: Model): Promise<Feeds> {
  const { hidden, vocabulary } = architecture;
  return {
    finalNorm: float32(await weights.read('finalNorm'), [hidden]),
    head: float32(await weights.read('head'), [vocabulary, hidden]),
  };
}

function question({ architecture: { hidden, vocabulary } }: Model): Question {
  const random = new Random(7);
  return {
    x: Float32Array.from({ length: TOKENS * hidden }, () => random.normal()),
    targets: Array.from({ length: TOKENS }, (_, i) => (i % 9 === 4 ? NO_TARGET : random.below(vocabulary))),
  };
}

/** Opens a head whose weights are fed. */
async function withHead<T>(
  model: Model,
  options: { readonly trainable?: boolean; readonly measures?: boolean },
  use: (head: HeadLoss) => Promise<T>,
): Promise<T> {
  const { architecture } = model;
  const head = await HeadLoss.open(model, { ...options, bind: (g) => bindInputs(g, architecture) });
  try {
    return await use(head);
  } finally {
    await head.close();
  }
}

describe('a trained head', () => {
  for (const style of ['llama-plain', 'gemma2-softcap'] as const) {
    it(`${style}: measures the cross-entropies that it learns from, bit for bit, with and without a gradient`, () =>
      withModel(tinyCheckpoint(style), async (model) => {
        const { x, targets } = question(model);
        const feeds = await feedsOf(model);
        const [{ crossEntropy, loss }, measured] = await withHead(model, { trainable: true }, async (head) => [
          await head.run(x, targets, 1, feeds),
          await head.measure(x, targets, feeds),
        ]);
        const alone = await withHead(model, { measures: true }, (head) => head.measure(x, targets, feeds));
        assert.ok(loss > TOKENS, String(loss));
        assert.deepEqual([crossEntropy, measured, alone], [loss, loss, loss]);
      }));
  }

  it('sums the gradients of its pieces, each with new memory', () =>
    withModel(tinyCheckpoint('llama-plain'), (model) =>
      withHead(model, { trainable: true }, async (head) => {
        const { x, targets } = question(model);
        const feeds = await feedsOf(model);
        const { hidden, vocabulary } = model.architecture;
        const wanted = targets.flatMap((target, i) => (target === NO_TARGET ? [] : [i]));
        const cut = wanted[headTokens(model.architecture, true)];
        assert.ok(cut > 0 && cut < TOKENS, 'two pieces');
        const part = (from: number, to: number): Promise<HeadGradients> =>
          head.run(x.subarray(from * hidden, to * hidden), targets.slice(from, to), 1, feeds);
        const [whole, first, second] = [
          await head.run(x, targets, 1, feeds),
          await part(0, cut),
          await part(cut, TOKENS),
        ];
        for (const [name, size] of [
          ['finalNorm', hidden],
          ['head', vocabulary * hidden],
        ] as const) {
          const sum = first.gradients[name].map((value, i) => value + second.gradients[name][i]);
          assert.equal(sum.length, size);
          assert.deepEqual(whole.gradients[name], sum, name);
          assert.ok(
            sum.some((value) => value !== 0),
            name,
          );
        }
        assert.deepEqual(whole.dx, Float32Array.of(...first.dx, ...second.dx));
      }),
    ));

  it('cannot be a frozen one that only measures', () =>
    withModel(tinyCheckpoint('llama-plain'), (model) =>
      assert.rejects(HeadLoss.open(model, { measures: true }), /one graph/),
    ));
});
