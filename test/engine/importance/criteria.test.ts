/** The criteria that compare states or weights, against their definitions over the float64 reference. */
import { scoreAngular } from '../../../src/engine/importance/criteria/angular';
import { scoreBlockInfluence } from '../../../src/engine/importance/criteria/block-influence';
import { scoreMagnitude, type MagnitudeReduction } from '../../../src/engine/importance/criteria/magnitude';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { loadReference, referenceForward, type Vector } from '../../reference/forward';
import { assertAllClose, assertClose, TOLERANCE } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

function cosine(a: Vector, b: Vector): number {
  const dot = (x: Vector, y: Vector): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('criteria over states', () => {
  const folder = tinyCheckpoint('qwen2-layer-types');
  const rows = randomRows(85, 16, 288, 71); // more than the 80 rows of one run
  const removed = [{ block: 1 }, { block: 2, part: 'ffn' }] as const;

  for (const [what, view, blocks] of [
    ['the model', fullView(BLOCKS), [0, 1, 2, 3]],
    ['a view', viewWithout(BLOCKS, removed), [0, 2, 3]],
  ] as const) {
    it(`block influence and angular distance of ${what}`, async () => {
      const reference = loadReference(folder);
      const residuals = rows.map((ids) => referenceForward(reference, ids, view).residuals);
      await withModel(folder, async (model) => {
        const influence = await scoreBlockInfluence(model, rows, { view });
        const expected = blocks.map((block) => ({
          index: block,
          score: mean(residuals.flatMap((r) => r[block].map((x, t) => 1 - cosine(x, r[block + 1][t])))),
        }));
        assertScores(influence.blocks, expected);
        const { windows } = await scoreAngular(model, rows, { view });
        const distances = [1, 2, 3]
          .filter((size) => size < blocks.length)
          .flatMap((size) =>
            blocks.slice(0, blocks.length - size + 1).map((start, i) => {
              const end = blocks[i + size - 1];
              const angles = residuals.map((r) => Math.acos(cosine(r[start].at(-1)!, r[end + 1].at(-1)!)) / Math.PI);
              return { index: 10 * size + start, score: mean(angles) };
            }),
          );
        assertScores(
          windows.map(({ start, size, score }) => ({ index: 10 * size + start, score })),
          distances,
        );
      });
    });
  }
});

type Scores = readonly { readonly index: number; readonly score: number }[];

function assertScores(actual: Scores, expected: Scores): void {
  assertAllClose(
    actual.map((a) => a.index),
    expected.map((e) => e.index),
    { absolute: 0 },
    'what is scored',
  );
  for (const [i, { score }] of actual.entries()) {
    assertClose(score, expected[i].score, TOLERANCE.similarity, `score of ${expected[i].index}`);
  }
}

describe('magnitude', () => {
  const REDUCTIONS: Record<MagnitudeReduction, (neurons: number[]) => number> = {
    sum: (n) => n.reduce((a, b) => a + b, 0),
    mean,
    max: (n) => Math.max(...n),
    product: (n) => n.reduce((a, b) => a + Math.log(b), 0),
  };

  for (const name of ['llama-bias', 'llama3-rope', 'qwen3-qknorm'] as const) {
    it(`${name}: every norm and reduction`, async () => {
      const folder = tinyCheckpoint(name);
      const { tensors } = loadReference(folder);
      await withModel(folder, async ({ weights }) => {
        for (const [norm, power] of [
          ['l1', 1],
          ['l2', 2],
        ] as const) {
          for (const [reduction, reduce] of Object.entries(REDUCTIONS) as [MagnitudeReduction, typeof mean][]) {
            const scored = await scoreMagnitude(weights, { norm, reduction });
            const expected = [...Array(BLOCKS).keys()].map((block) => {
              const weights = [...tensors.values()].filter(
                (t) => t.name.startsWith(`model.layers.${block}.`) && t.name.endsWith('.weight'),
              );
              return REDUCTIONS.sum(
                weights.map(({ values, shape }) => {
                  const width = shape[1] ?? 1;
                  return reduce(
                    Array.from({ length: shape[0] }, (_, neuron) => {
                      const inputs = values.subarray(neuron * width, (neuron + 1) * width);
                      return inputs.reduce((sum, w) => sum + Math.abs(w) ** power, 0);
                    }),
                  );
                }),
              );
            });
            const scores = scored.blocks.map((b) => b.score);
            assertAllClose(scores, expected, TOLERANCE.magnitude, `${norm} ${reduction}`);
          }
        }
      });
    });
  }
});
