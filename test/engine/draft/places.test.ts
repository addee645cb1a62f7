/** One pass of target and draft over the target's text, beside the reference in float64. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { forecast } from '../../../src/engine/draft/forecast';
import { overlapOf, placesOf, readTexts, takenChances, type WrittenText } from '../../../src/engine/draft/places';
import { withModel } from '../../../src/engine/model/opened';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { Work } from '../../../src/engine/progress';
import { assertAllClose } from '../../support/close';
import { describeShared, shared } from '../../support/shared';

interface Golden {
  readonly prompts: readonly WrittenText[];
  readonly drafts: readonly {
    readonly removed: readonly number[];
    readonly bits: string | null;
    readonly agreement: readonly string[];
    readonly confidence: readonly (readonly number[])[];
    readonly wRejection: readonly (readonly number[])[];
    readonly overlap: readonly number[];
    readonly forecast: readonly { readonly length: number; readonly threshold: number; readonly rounds: number[] }[];
  }[];
}

/** The reference rounds its numbers to six digits. */
const CLOSE = { absolute: 1e-5 };
const work = () => new Work({}, 1, '', '');

describeShared('draft/places: beside the reference', function () {
  this.timeout(60_000);
  const { prompts: texts, drafts } = JSON.parse(readFileSync(shared('golden/drafts/drafts.json'), 'utf8')) as Golden;

  it('finds agreement, confidence, chances and what both have in common, for drafts without blocks', async () => {
    const checkpoint = await openCheckpoint(shared('models/stories260K-f32'));
    const blocks = requireArchitecture(checkpoint).layers.length;
    await withModel(checkpoint, {}, async (model) => {
      const target = await readTexts({ model, view: fullView(blocks) }, texts, 1, work());
      assert.ok(
        target.scores.isTop.every((each) => each === 1),
        'the text is the target’s own',
      );
      const others = drafts.filter(({ bits }) => bits === null);
      assert.ok(others.length >= 3);
      for (const golden of others) {
        const view = viewWithout(
          blocks,
          golden.removed.map((block) => ({ block })),
        );
        const draft = await readTexts({ model, view }, texts, 1, work());
        const places = placesOf(texts, 'greedy', target.scores, draft.scores);
        assert.deepEqual(
          places.map(({ taken }) => Array.from(taken).join('')),
          golden.agreement,
        );
        const rejection = placesOf(texts, 'rejection', target.scores, draft.scores);
        for (const [i, { confidence }] of places.entries()) {
          assertAllClose(confidence, golden.confidence[i], CLOSE, `confidence of text ${i}`);
          assertAllClose(rejection[i].taken, golden.wRejection[i], CLOSE, `chances of text ${i}`);
        }
        for (const { length, threshold, rounds } of golden.forecast) {
          const found = places.map((each) => forecast(each, { length, threshold }).rounds);
          assert.deepEqual(found, rounds);
        }
        const overlap = await overlapOf(target, draft, 1);
        let at = 0;
        const means = texts.map(({ ids }) => {
          const own = overlap.subarray(at, (at += ids.length));
          return own.reduce((sum, each) => sum + each, 0) / own.length;
        });
        assertAllClose(means, golden.overlap, CLOSE, 'overlap');
      }
    });
  });

  it('is certain of a draft that is the target, at every temperature', async () => {
    const checkpoint = await openCheckpoint(shared('models/stories260K-f32'));
    const view = fullView(requireArchitecture(checkpoint).layers.length);
    await withModel(checkpoint, {}, async (model) => {
      for (const temperature of [0.5, 1, 2]) {
        const read = await readTexts({ model, view }, texts.slice(0, 2), temperature, work());
        assert.ok(takenChances('rejection', read.scores, read.scores).every((chance) => chance === 1));
        assert.ok((await overlapOf(read, read, temperature)).every((mass) => Math.abs(mass - 1) < CLOSE.absolute));
      }
    });
  });
});
