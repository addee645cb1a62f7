/** What a smaller vocabulary does to losses, against the reference in float64 (SmolLM2: float32). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { keptMass } from '../../../src/engine/evaluate/kept-mass';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { withModel } from '../../../src/engine/model/opened';
import { goldenVocabulary, idsOfMask } from '../../support/golden-vocabulary';
import { describeShared, itFull, shared, smollm2Folder } from '../../support/shared';

/** Of goldens in float64, and of those in float32. */
const TOLERANCE = { stories260K: 1e-5, 'smollm2-135m': 3e-4 } as const;

async function check(name: keyof typeof TOLERANCE, folder: string, rowsFile: string): Promise<void> {
  const golden = goldenVocabulary(name);
  const { rows } = JSON.parse(readFileSync(rowsFile, 'utf8')) as { rows: number[][] };
  const near = (found: number, expected: number, what: string): void =>
    assert.ok(Math.abs(found - expected) <= TOLERANCE[name], `${what}: ${found}, not ${expected}`);
  await withModel(await openCheckpoint(folder), { device: 'cpu' }, async (model) => {
    for (const result of golden.results) {
      const kept = idsOfMask(result.mask);
      const stays = new Set(kept);
      const { losses, logKept } = await keptMass(model, rows, kept);
      const isTarget = rows.flatMap((row) => row.slice(1).map((id) => stays.has(id)));
      const mean = (values: Float64Array, over: readonly boolean[]): number => {
        const some = values.filter((_, i) => over[i]);
        return some.reduce((sum, value) => sum + value, 0) / some.length;
      };
      assert.equal(isTarget.filter(Boolean).length, result.targets);
      near(mean(losses, isTarget), result.meanNll, 'mean loss');
      const trimmed = losses.map((loss, i) => loss + logKept[i]);
      near(mean(trimmed, isTarget), result.meanNllTrimmed, 'mean loss of the trimmed model');
      near(mean(logKept, isTarget), result.meanLogKeptMass, 'mean logarithm of the kept mass');
      const outside = logKept.map((log) => 1 - Math.exp(log));
      near(
        mean(
          outside,
          isTarget.map(() => true),
        ),
        result.outsideMass,
        'mass outside',
      );
    }
  });
}

describeShared('losses of a trimmed vocabulary', function () {
  this.timeout(300_000);
  it('stories260K', () =>
    check('stories260K', shared('models/stories260K-f32'), shared('golden/stories260K/calibration.json')));
  itFull('SmolLM2-135M', () => check('smollm2-135m', smollm2Folder(), shared('golden/smollm2-135m/calibration.json')));
});
