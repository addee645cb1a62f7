/** The head of a screen, whose products are of 8-bit integers: against their definition in float64, and near float32. */
import assert from 'node:assert/strict';
import { compareStates } from '../../../src/engine/model/divergence';
import { tokenLosses } from '../../../src/engine/model/head';
import type { Model } from '../../../src/engine/model/model';
import type { State } from '../../../src/engine/model/states';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { integerArithmetic } from '../../../src/engine/onnx/integer-trial';
import { Work } from '../../../src/engine/progress';
import { MIXED } from '../../../src/engine/weights/row-integers';
import { dot, logSumExp, type Vector } from '../../reference/forward';
import { referenceDivergence } from '../../reference/measures';
import { assertAllClose } from '../../support/close';
import { lastState, withModel, withScreen } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const [VOCABULARY, LENGTH] = [6500, 16];
const VIEW = viewWithout(4, [{ block: 1 }]);

/** Both round the same numbers, up to float32: a number at the edge of two integers may fall to either. */
const DEFINED = { absolute: 1e-4 };
/** How far the losses and divergences of single tokens of a toy are from float32, in nats. */
const ROUNDED = { absolute: 1.5e-1 };

/** Sylvester's signs. */
const SIGNS = Array.from({ length: MIXED }, (_, a) =>
  Float64Array.from({ length: MIXED }, (__, b) => ((a & b).toString(2).replaceAll('0', '').length % 2 === 0 ? 1 : -1)),
);

/** Neighbours turned by Sylvester's matrix over √32. */
function turned(row: Vector): Vector {
  const result = new Float64Array(row.length);
  for (let start = 0; start < row.length; start += MIXED) {
    const some = row.subarray(start, start + MIXED);
    SIGNS.forEach((signs, i) => (result[start + i] = dot(some, signs) / Math.sqrt(MIXED)));
  }
  return result;
}

/** The nearest multiples of the largest number's `levels`-th part. */
function rounded(row: Vector, levels: number): Vector {
  const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / levels;
  return row.map((value) => Math.round(value / scale) * scale);
}

const cut = (numbers: Float32Array, width: number): Vector[] =>
  Array.from({ length: numbers.length / width }, (_, row) =>
    Float64Array.from(numbers.subarray(row * width, (row + 1) * width)),
  );

/** Logits of last states, one vector for each position, with rounded factors, in float64. */
async function logitsByDefinition({ weights, architecture }: Model, state: State, levels: number): Promise<Vector[]> {
  const { hidden, rmsNormEps } = architecture;
  const gain = await weights.read('finalNorm');
  const words = cut(await weights.read('head'), hidden).map((row) => rounded(turned(row), levels));
  return state
    .flatMap(({ data }) => cut(data, hidden))
    .map((x) => {
      const size = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / hidden + rmsNormEps);
      const inputs = rounded(turned(x.map((value, i) => (value / size) * gain[i])), 127);
      return Float64Array.from(words, (word) => dot(word, inputs));
    });
}

const silent = (): Work => new Work({}, 1, 'row-blocks', '');

describe('the head of a screen', () => {
  for (const name of ['llama-plain', 'llama-gqa-tied'] as const) {
    it(`${name}: losses and divergences are those of rounded factors, and near float32`, async function () {
      const { levels } = await integerArithmetic();
      if (!levels) this.skip();
      await withModel(tinyCheckpoint(name, { config: { vocab_size: VOCABULARY } }), (model) =>
        withScreen(model, async ({ model: screen }) => {
          const rows = randomRows(2, LENGTH, VOCABULARY, 71);
          rows[0].splice(1, 4, 3071, 3072, 0, 6499); // the edges of the pieces as targets
          // The same states for both heads: what differs is the head alone.
          const whole = await lastState(model, rows, fullView(4));
          const own = await lastState(model, rows, VIEW);
          const [losses] = await tokenLosses(screen, [own], rows, silent());
          const [found] = await compareStates(screen, { model: screen, state: whole }, [own], rows, silent());
          const [exact] = await compareStates(model, { model, state: whole }, [own], rows, silent());
          assert.deepEqual(found.losses, losses, 'of both passes, bit for bit');

          const [teacher, logits] = [
            await logitsByDefinition(model, whole, levels),
            await logitsByDefinition(model, own, levels),
          ];
          const expected = rows.flatMap((ids, row) => {
            const of = (all: readonly Vector[]): Vector[] => all.slice(row * LENGTH, (row + 1) * LENGTH);
            const { divergences } = referenceDivergence(of(teacher), of(logits));
            return divergences.map((divergence, t) => {
              const z = of(logits)[t];
              return { loss: logSumExp(z) - z[ids[t + 1]], divergence };
            });
          });
          assertAllClose(
            found.losses,
            expected.map(({ loss }) => loss),
            DEFINED,
            'losses',
          );
          assertAllClose(
            found.divergences,
            expected.map(({ divergence }) => divergence),
            DEFINED,
            'divergences',
          );
          assertAllClose(found.losses, exact.losses, ROUNDED, 'losses beside float32');
          assertAllClose(found.divergences, exact.divergences, ROUNDED, 'divergences beside float32');
          const off = Math.max(...exact.losses.map((loss, t) => Math.abs(loss - found.losses[t])));
          assert.ok(off > 1e-5, 'the products are of integers');
        }),
      );
    });
  }

  it('a model does not differ from itself: what both round cancels', () =>
    withModel(tinyCheckpoint('llama-plain', { config: { vocab_size: VOCABULARY } }), (model) =>
      withScreen(model, async ({ model: screen }) => {
        const rows = randomRows(2, LENGTH, VOCABULARY, 72);
        const state = await lastState(screen, rows, fullView(4));
        const teacher = { model: screen, state };
        const [{ divergences }] = await compareStates(screen, teacher, [state], rows, silent());
        assertAllClose(divergences, new Float64Array(divergences.length), { absolute: 1e-6 }, 'divergences');
      }),
    ));
});
