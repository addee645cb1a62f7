/** Healing against PyTorch's numbers: stories260K in full, SmolLM2 in test:full, and toys with norms behind their last Linears. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { heal } from '../../../src/engine/heal/heal';
import type { TokenRows } from '../../../src/engine/model/forward';
import type { Model } from '../../../src/engine/model/model';
import { viewWithout } from '../../../src/engine/model/view';
import {
  calibrationRows,
  checkpointFolder,
  GOLDEN_HEALINGS,
  type GoldenHeal,
  goldenHeal,
  goldenNorms,
} from '../../support/golden';
import {
  checkHealSteps,
  checkLikeness,
  HEAL_TOLERANCE,
  healSettings,
  type HealTolerance,
} from '../../support/heal-checks';
import { describedModel } from '../../support/model';
import { describeShared, full, itFull, shared } from '../../support/shared';

type Healing = (typeof GOLDEN_HEALINGS)[number];

/** Every case of a golden file that has the given methods. */
function testGoldenHealings(
  model: () => Model,
  golden: Pick<GoldenHeal, 'foldRidge' | 'refitRidge' | 'step' | 'stepCut' | 'cases'>,
  rows: TokenRows,
  tolerance: HealTolerance,
  isFull: (method: Healing) => boolean = () => false,
): void {
  for (const [i, expected] of golden.cases.entries()) {
    for (const [j, method] of GOLDEN_HEALINGS.entries()) {
      const wanted = expected[method];
      if (wanted === undefined) continue;
      // Each method has one of the cases.
      const test = isFull(method) || i !== j % golden.cases.length ? itFull : it;
      test(`${method} without ${expected.removed.join(', ')}`, async () => {
        const removed = expected.removed.map((block) => ({ block }));
        const view = viewWithout(model().architecture.layers.length, removed);
        const { steps, fit, heldOut } = await heal(model(), view, rows, healSettings(golden, method));
        assert.equal(heldOut, undefined);
        const cuts = steps.filter(({ s }) => s !== undefined);
        if (!checkHealSteps(method === 'scalar' ? cuts : steps, wanted.steps, tolerance)) return;
        checkLikeness(fit!.before, expected.plain, tolerance, 'plain');
        checkLikeness(fit!.after, wanted, tolerance, 'healed');
        checkLikeness(
          fit!.rounded,
          wanted.rounded,
          { ...tolerance, loss: tolerance.rounded ?? tolerance.loss },
          'rounded',
        );
      });
    }
  }
}

describeShared('healing of stories260K against PyTorch', () => {
  const model = describedModel(() => checkpointFolder('stories260K'));
  testGoldenHealings(model, goldenHeal('stories260K'), calibrationRows('stories260K'), HEAL_TOLERANCE.toys);
});

describeShared('healing of SmolLM2 against PyTorch', () => {
  if (!full) {
    itFull('all methods', () => undefined);
    return;
  }
  const model = describedModel(() => checkpointFolder('smollm2-135m'));
  testGoldenHealings(model, goldenHeal('smollm2-135m'), calibrationRows('smollm2-135m'), HEAL_TOLERANCE.smollm2);
});

/** Made by scripts/norms/golden.py from toys beside the repository. */
describeShared('healing where norms stand behind the last Linears against PyTorch', () => {
  for (const name of ['gemma2-softcap', 'gemma3-five-to-one', 'gemma3-pattern', 'olmo2-postnorm']) {
    describe(name, () => {
      const folder = shared('models/families2', name);
      const model = describedModel(() => folder);
      const { rows } = JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8')) as { rows: number[][] };
      testGoldenHealings(model, goldenNorms(name), rows, HEAL_TOLERANCE.behindNorms, (method) => method !== 'refit');
    });
  }
});
