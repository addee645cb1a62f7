/**
 * Log-likelihoods of choices. Rows that share a beginning, of any length and in one batch, must give what each row gives
 * alone in the float64 reference.
 */
import assert from 'node:assert/strict';
import type { ScoredRow } from '../../../src/engine/evaluate/tasks/encode';
import { groupsOf, questionOf, questionsWork, scoreQuestions } from '../../../src/engine/evaluate/tasks/score';
import { openToy, withModel } from '../../support/model';
import { openModel } from '../../../src/engine/model/model';
import { fullView, viewWithout, type View } from '../../../src/engine/model/view';
import { Work } from '../../../src/engine/progress';
import { loadReference, logSumExp, referenceForward, type ReferenceModel } from '../../reference/forward';
import { assertClose } from '../../support/close';
import { randomRows } from '../../support/random';
import { full } from '../../support/shared';
import {
  LENGTH_DEPENDENT_MODELS,
  RAGGED_MODELS,
  TINY_MODELS,
  tinyCheckpoint,
  type TinyName,
} from '../../support/tiny-models';

/** float32 against float64, for sums of some tokens of a toy. */
const CLOSE = { absolute: 2e-4 };

/**
 * A model for each thing that the attention of a tree can have: windows, all or some, odd heads, norms, ragged blocks, capped
 * scores, rotations that follow the length of a row.
 */
const SOME: readonly TinyName[] = [
  'mistral-window',
  'qwen2-mixed-windows',
  'llama-wide-heads',
  'qwen3-qknorm',
  'ragged-bias',
  'gemma2-softcap',
  ...LENGTH_DEPENDENT_MODELS,
];

/** A row whose last `count` tokens are scored. */
const scored = (ids: readonly number[], count: number): ScoredRow => ({
  fed: ids.slice(0, -1),
  targets: ids.slice(-count),
});

/** Questions of several lengths: a shared context, contexts that part early, one token each, rows without a relation. */
function questions(vocabulary: number): readonly (readonly ScoredRow[])[] {
  const [context, a, b, other] = randomRows(4, 24, vocabulary, 31);
  return [
    [scored([...context, ...a.slice(0, 5)], 5), scored([...context, ...b.slice(0, 9)], 9)],
    [
      scored([...context.slice(0, 6), a[0], ...b.slice(0, 4)], 4),
      scored([...context.slice(0, 6), a[1], ...b.slice(0, 4)], 4),
    ],
    [scored([...context.slice(0, 11), a[2]], 1), scored([...context.slice(0, 11), a[3]], 1)],
    [scored(other.slice(0, 3), 2), scored(b.slice(0, 20), 12), scored(b.slice(0, 20), 12)],
  ];
}

function expected(
  reference: ReferenceModel,
  { fed, targets }: ScoredRow,
  view: View,
): { loglik: number; greedy: boolean } {
  const { logits } = referenceForward(reference, fed, view);
  let loglik = 0;
  let greedy = true;
  for (const [i, id] of targets.entries()) {
    const row = logits[fed.length - targets.length + i];
    loglik += row[id] - logSumExp(row);
    greedy &&= row.indexOf(Math.max(...row)) === id;
  }
  return { loglik, greedy };
}

describe('scores of choices', () => {
  for (const name of full ? [...TINY_MODELS, ...RAGGED_MODELS] : SOME) {
    it(`${name}: are those of each row alone`, async () => {
      const folder = tinyCheckpoint(name);
      const reference = loadReference(folder);
      await withModel(folder, async (model) => {
        const { vocabulary, layers } = model.architecture;
        const rows = questions(vocabulary);
        const asked = rows.map((each) => questionOf(each, model.architecture));
        for (const view of [
          fullView(layers.length),
          viewWithout(layers.length, [{ block: 1 }, { block: 2, part: 'attention' }]),
        ]) {
          let done = 0;
          const total = questionsWork([asked], model, view);
          const work = new Work({ onProgress: (progress) => (done = progress.done) }, total, 'token-blocks', '');
          const [found] = await scoreQuestions(model, view, [asked], work);
          assertClose(done, total, { relative: 1e-9 }, 'work');
          for (const [q, choices] of rows.entries()) {
            for (const [c, row] of choices.entries()) {
              const { loglik, greedy } = expected(reference, row, view);
              assertClose(found[q][c].loglik, loglik, CLOSE, `question ${q}, choice ${c}`);
              assert.equal(found[q][c].greedy, greedy);
            }
          }
        }
      });
    });
  }

  it('know a continuation that is the first choice of the model all along', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const view = fullView(model.architecture.layers.length);
      const ids = [5, 9, 2];
      for (let i = 0; i < 3; i++) {
        const rows = Array.from({ length: model.architecture.vocabulary }, (_, id) => scored([...ids, id], 1));
        const [[scores]] = await scoreQuestions(
          model,
          view,
          [[questionOf(rows, model.architecture)]],
          new Work({}, 1, '', ''),
        );
        assert.equal(scores.filter(({ greedy }) => greedy).length, 1, 'one token is the first choice');
        ids.push(scores.findIndex(({ greedy }) => greedy));
      }
      const [[[whole]]] = await scoreQuestions(
        model,
        view,
        [[questionOf([scored(ids, 3)], model.architecture)]],
        new Work({}, 1, '', ''),
      );
      assert.equal(whole.greedy, true);
    }));

  it('have the same bits in one group and in several', async () => {
    const model = await openModel(await openToy(tinyCheckpoint('llama-plain')), { device: 'cpu', memory: 30_000 });
    try {
      const view = fullView(model.architecture.layers.length);
      const asked = questions(model.architecture.vocabulary).map((each) => questionOf(each, model.architecture));
      const bundles = [asked.slice(0, 1), asked.slice(1, 3), asked.slice(3)];
      const groups = groupsOf(bundles, model);
      assert.ok(groups.length > 1, `${groups.length} group`);
      assert.deepEqual(groups.flat(), bundles);
      const apart = [];
      for (const group of groups) apart.push(...(await scoreQuestions(model, view, group, new Work({}, 1, '', ''))));
      const together = await scoreQuestions(model, view, bundles, new Work({}, 1, '', ''));
      assert.deepEqual(apart, together);
    } finally {
      await model.close();
    }
  });

  it('have the same bits in a bundle, whatever bundles are beside it', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const view = fullView(model.architecture.layers.length);
      // Numbers of targets that leave a rest when they are taken four at a time, which is what onnxruntime does.
      const bundles = Array.from({ length: 24 }, (_, b) =>
        randomRows(1 + (b % 3), 9 + b, model.architecture.vocabulary, b).map((ids, q) =>
          questionOf([scored(ids, 1 + ((b + q) % 7))], model.architecture),
        ),
      );
      const together = await scoreQuestions(model, view, bundles, new Work({}, 1, '', ''));
      for (const [b, bundle] of bundles.entries()) {
        assert.deepEqual(await scoreQuestions(model, view, [bundle], new Work({}, 1, '', '')), [together[b]], `${b}`);
      }
    }));

  it('stop when the run is cancelled', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const abort = new AbortController();
      const asked = questions(model.architecture.vocabulary).map((each) => questionOf(each, model.architecture));
      const work = new Work({ signal: abort.signal, onProgress: () => abort.abort() }, 1, '', '');
      const scoring = scoreQuestions(model, fullView(model.architecture.layers.length), [asked], work);
      await assert.rejects(scoring, { name: 'CancelledError' });
    }));
});
