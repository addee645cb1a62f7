/**
 * The folds of the criterion "healed" where norms stand behind modules: maps of what the modules add, fitted with the weights of
 * tokens that the healing of these families has. In float64, from their definition.
 */
import assert from 'node:assert/strict';
import { scoreHealed } from '../../../src/engine/importance/criteria/healed';
import { DenseStream } from '../../../src/engine/importance/dense-stream';
import { HealedSweep } from '../../../src/engine/importance/healed-sweep';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import {
  addAll,
  dot,
  loadReference,
  referenceEmbedding,
  referenceModule,
  type ReferenceModel,
  type Vector,
} from '../../reference/forward';
import { diagonal, solveSymmetric, transposedProduct } from '../../reference/matrices';
import { assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
const ROWS = randomRows(10, 14, 288, 71);

/** For each row: the stream before each module and after the last, and what each module adds. */
function streamsOf(
  model: ReferenceModel,
  ids: readonly number[],
): { stream: (readonly Vector[])[]; added: (readonly Vector[])[] } {
  const stream: (readonly Vector[])[] = [referenceEmbedding(model, ids)];
  const added: (readonly Vector[])[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    for (const part of ['attention', 'ffn'] as const) {
      const x = stream[stream.length - 1];
      added.push(referenceModule(model, block, part, x).added);
      stream.push(addAll(x, added[added.length - 1]));
    }
  }
  return { stream, added };
}

/** The mean over tokens of |target − folded|² / |target|² without a block, by a fold before it. */
function leftWithout(model: ReferenceModel, block: number): number {
  const rows = ROWS.map((ids) => streamsOf(model, ids));
  const tokens = rows.flatMap(({ stream, added }) =>
    added[2 * block - 1].map((moved, t) => {
      const target = stream[2 * block + 2][t];
      const rest = target.map((value, i) => value - stream[2 * block][t][i]);
      const count = t === 0 ? 0 : 1 / Math.sqrt(dot(target, target) / target.length + model.config.eps);
      return { moved, target, rest, count };
    }),
  );
  const x = tokens.map(({ moved, count }) => moved.map((value) => count * value));
  const r = tokens.map(({ rest, count }) => rest.map((value) => count * value));
  const { hidden } = model.config;
  const gram = transposedProduct(x, x, hidden, hidden);
  const median = diagonal(gram).sort((a, b) => a - b)[(hidden - 1) >> 1];
  const left = gram.map((row, i) => row.map((value, j) => value + (i === j ? 0.3 * median : 0)));
  const delta = solveSymmetric(left, transposedProduct(x, r, hidden, hidden));
  const shares = tokens.map(({ moved, target, rest }) => {
    const error = rest.map((value, i) => value - 0.8 * delta.reduce((sum, row, k) => sum + moved[k] * row[i], 0));
    return dot(error, error) / dot(target, target);
  });
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

describe('folds of what a norm gives, for the criterion "healed"', () => {
  for (const name of ['gemma3-pattern', 'olmo2-postnorm'] as const) {
    it(`leave what a fit with weighted tokens leaves: ${name}`, () => {
      const folder = tinyCheckpoint(name);
      const reference = loadReference(folder);
      return withModel(folder, async (model) => {
        const dense = await DenseStream.compute(model, ROWS, [], model.memory / 2);
        const sweep = await HealedSweep.open(model, dense, ROWS);
        const left = await sweep.leftOver(stepsOf(fullView(BLOCKS)), [1, 2, 3]);
        await sweep.close();
        await dense.close();
        for (const [i, { ofEach }] of left.entries()) {
          assertClose(ofEach, leftWithout(reference, i + 1), { relative: 1e-4 }, `without block ${i + 1}`);
        }
        const { removals } = await scoreHealed(model, ROWS, { count: 2, candidates: [0, 1, 2, 3] });
        assert.equal(new Set(removals.map(({ block }) => block)).size, 2);
      });
    });
  }
});
