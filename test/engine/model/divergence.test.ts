/**
 * Comparison with a teacher, against full logits of the float64 reference: families, a vocabulary that the head takes in
 * pieces, single modules left out, and a teacher of another width.
 */
import assert from 'node:assert/strict';
import { UserError } from '../../../src/engine/errors';
import { compareStates, comparisonWork, type Comparison, stateDivergences } from '../../../src/engine/model/divergence';
import { Forward } from '../../../src/engine/model/forward';
import { tokenLosses } from '../../../src/engine/model/head';
import { fullView, type View, viewWithout } from '../../../src/engine/model/view';
import { Work } from '../../../src/engine/progress';
import { loadReference, referenceForward } from '../../reference/forward';
import { referenceDivergence, referenceTokenNlls } from '../../reference/measures';
import { assertAllClose } from '../../support/close';
import { lastState, watchSessions, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { full, itFull } from '../../support/shared';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const VOCABULARY = 288;
/** As for token losses (reference-checks.ts). */
const CLOSE = { absolute: 5e-5 };
const VIEWS = [viewWithout(4, [{ block: 1 }]), viewWithout(4, [{ block: 0, part: 'ffn' }, { block: 3 }])];

const silent = (): Work => new Work({}, 1, 'row-blocks', '');

/** Compares views of a model with the whole one, or with `teacher`, over the float64 reference. */
async function check(
  folder: string,
  rows: readonly (readonly number[])[],
  views: readonly View[],
  teacherFolder = folder,
): Promise<Comparison[]> {
  const reference = loadReference(folder);
  const whole = loadReference(teacherFolder);
  return withModel(folder, (model) =>
    withModel(teacherFolder, async (teacher) => {
      const state = await lastState(teacher, rows, fullView(whole.config.blocks));
      const states = await Promise.all(views.map((view) => lastState(model, rows, view)));
      const found = await compareStates(model, { model: teacher, state }, states, rows, silent());
      const losses = await tokenLosses(model, states, rows, silent());
      const unranked = await stateDivergences(model, { model: teacher, state }, states, rows, silent());
      assert.deepEqual(
        unranked,
        found.map((each) => ({ losses: each.losses, divergences: each.divergences })),
        'without the most likely tokens, bit for bit',
      );
      for (const [v, view] of views.entries()) {
        assert.deepEqual(found[v].losses, losses[v], 'the losses are those of tokenLosses, bit for bit');
        const expected = rows.map((ids) =>
          referenceDivergence(referenceForward(whole, ids).logits, referenceForward(reference, ids, view).logits),
        );
        const { divergences, agree } = found[v];
        assertAllClose(
          divergences,
          expected.flatMap((row) => row.divergences),
          CLOSE,
          `divergences of view ${v}`,
        );
        assert.deepEqual(
          [...agree],
          expected.flatMap((row) => row.agree),
          `agreement of view ${v}`,
        );
        assertAllClose(
          found[v].losses,
          rows.flatMap((ids) => referenceTokenNlls(reference, ids, view)),
          CLOSE,
          'losses',
        );
      }
      return found;
    }),
  );
}

describe('comparison with a teacher', () => {
  for (const [i, name] of [...TINY_MODELS, ...RAGGED_MODELS].entries()) {
    // The views are those of the forward pass, which is compared for every family.
    (i % 4 === 0 ? it : itFull)(`${name}: two views against the whole model`, async () => {
      const [first] = await check(tinyCheckpoint(name), randomRows(3, 20, VOCABULARY, 61), VIEWS);
      const mean = first.divergences.reduce((a, b) => a + b, 0) / first.divergences.length;
      assert.ok(mean > 0.05, 'the views differ, so there is something to compare');
    });
  }

  it('a vocabulary that the head takes in pieces, the last one short', async () => {
    const config = { vocab_size: 6500, num_hidden_layers: 2, hidden_size: 32, head_dim: 16 };
    const rows = randomRows(2, 16, 6500, 62);
    rows[0].splice(1, 4, 3071, 3072, 0, 6499); // the edges of the pieces as targets
    await check(tinyCheckpoint('llama-plain', { config }), rows, [viewWithout(2, [{ block: 0 }])]);
    await check(tinyCheckpoint('llama-gqa-tied', { config }), rows, [
      viewWithout(2, [{ block: 1, part: 'attention' }]),
    ]);
  });

  it('more rows than one run takes', () =>
    // 80 rows of 16 tokens are a run.
    check(tinyCheckpoint('llama-bias'), randomRows(82, 16, VOCABULARY, 63), full ? VIEWS : VIEWS.slice(0, 1)));

  it('a teacher of another width, family and norm', () =>
    check(
      tinyCheckpoint('llama-gqa-tied', { config: { vocab_size: 3100 } }),
      randomRows(2, 16, 3100, 64),
      VIEWS,
      tinyCheckpoint('qwen3-qknorm', { seed: 2, config: { vocab_size: 3100, hidden_size: 48 } }),
    ));

  it('a model does not differ from itself', () =>
    withModel(tinyCheckpoint('mistral-window', { config: { vocab_size: 6500 } }), async (model) => {
      const rows = randomRows(2, 16, 6500, 65);
      const state = await lastState(model, rows, fullView(4));
      const [{ divergences, agree }] = await compareStates(model, { model, state }, [state], rows, silent());
      assertAllClose(divergences, new Float64Array(30), { absolute: 1e-6 }, 'divergences');
      assert.ok(agree.every((same) => same === 1));
    }));

  it('of equally likely tokens the lowest counts, over all pieces', () =>
    withModel(tinyCheckpoint('llama-plain', { config: { vocab_size: 6500 } }), async (model) => {
      const rows = randomRows(2, 16, 6500, 66);
      const { pool } = new Forward(model, 16);
      // A state of zeros has the logit 0 for every token.
      const zeros = [pool.over(new Float32Array(32 * 64), 2)];
      const state = await lastState(model, rows, fullView(4));
      const reference = loadReference(model.checkpoint.folder);
      const top = rows.flatMap((ids) =>
        referenceForward(reference, ids)
          .logits.slice(0, -1)
          .map((z) => z.indexOf(Math.max(...z))),
      );
      const [own, other] = await compareStates(model, { model, state: zeros }, [zeros, state], rows, silent());
      assert.ok(own.agree.every((same) => same === 1));
      assert.deepEqual(
        [...other.agree],
        top.map((word) => Number(word === 0)),
      );
      assertAllClose(own.losses, new Float64Array(30).fill(Math.log(6500)), { absolute: 1e-5 }, 'losses');
    }));

  it('computes the teacher’s logits once for all models, and tells all of its work', () =>
    withModel(tinyCheckpoint('llama-plain', { config: { vocab_size: 6500 } }), async (model) => {
      const rows = randomRows(90, 16, 6500, 67); // 40 rows of 16 tokens are a run
      const state = await lastState(model, rows, fullView(4));
      const counts = watchSessions(model);
      let done = 0;
      const work = new Work({ onProgress: (progress) => (done = progress.done) }, 1, 'row-blocks', '');
      await compareStates(model, { model, state }, [state, state, state], rows, work);
      assert.deepEqual(counts, { open: 0, most: 2, opened: 6, runs: 3 * 3 * 4 }); // pieces, chunks, teacher and models
      assertAllClose([done], [90 * comparisonWork(model.architecture, 3)], { relative: 1e-9 }, 'work');
    }));

  it('refuses a teacher with another vocabulary', () =>
    withModel(tinyCheckpoint('llama-plain'), (model) =>
      withModel(tinyCheckpoint('llama-plain', { config: { vocab_size: 300 } }), async (teacher) => {
        const rows = randomRows(1, 8, VOCABULARY, 68);
        const [state, own] = [await lastState(teacher, rows, fullView(4)), await lastState(model, rows, fullView(4))];
        await assert.rejects(compareStates(model, { model: teacher, state }, [own], rows, silent()), (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, /288 tokens.*300/);
          return true;
        });
      }),
    ));
});
