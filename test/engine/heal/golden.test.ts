/** Healing against PyTorch's numbers: stories260K in full, SmolLM2's refit (all methods in test:full). */
import assert from 'node:assert/strict';
import { heal } from '../../../src/engine/heal/heal';
import type { Model } from '../../../src/engine/model/model';
import { viewWithout } from '../../../src/engine/model/view';
import { calibrationRows, checkpointFolder, GOLDEN_HEALINGS, goldenHeal, type GoldenName } from '../../support/golden';
import {
  checkHealSteps,
  checkLikeness,
  HEAL_TOLERANCE,
  healSettings,
  type HealTolerance,
} from '../../support/heal-checks';
import { describedModel } from '../../support/model';
import { describeShared, full, itFull } from '../../support/shared';

type Healing = (typeof GOLDEN_HEALINGS)[number];

/** Every case of a checkpoint's golden file with the given methods. */
function testGoldenHealings(
  model: () => Model,
  name: GoldenName,
  tolerance: HealTolerance,
  methods: readonly Healing[],
): void {
  const golden = goldenHeal(name);
  const rows = calibrationRows(name);
  for (const expected of golden.cases) {
    for (const method of methods) {
      it(`${method} without ${expected.removed.join(', ')}`, async () => {
        const removed = expected.removed.map((block) => ({ block }));
        const view = viewWithout(model().architecture.layers.length, removed);
        const { steps, fit, heldOut } = await heal(model(), view, rows, healSettings(golden, method));
        assert.equal(heldOut, undefined);
        const cuts = steps.filter(({ s }) => s !== undefined);
        if (!checkHealSteps(method === 'scalar' ? cuts : steps, expected[method].steps, tolerance)) return;
        checkLikeness(fit!.before, expected.plain, tolerance, 'plain');
        checkLikeness(fit!.after, expected[method], tolerance, 'healed');
        checkLikeness(fit!.rounded, expected[method].rounded, tolerance, 'rounded');
      });
    }
  }
}

describeShared('healing of stories260K against PyTorch', () => {
  const model = describedModel(() => checkpointFolder('stories260K'));
  testGoldenHealings(model, 'stories260K', HEAL_TOLERANCE.toys, GOLDEN_HEALINGS);
});

describeShared('healing of SmolLM2 against PyTorch', () => {
  if (!full) {
    itFull('all methods', () => undefined);
    return;
  }
  const model = describedModel(() => checkpointFolder('smollm2-135m'));
  testGoldenHealings(model, 'smollm2-135m', HEAL_TOLERANCE.smollm2, GOLDEN_HEALINGS);
});
