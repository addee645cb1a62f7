/** Training every weight of families with other norms, caps and matrices: how it starts from scratch, and what memory it counts. */
import assert from 'node:assert/strict';
import type { Architecture } from '../../../src/engine/checkpoint/architecture';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import { keysByName, weightKeys, weightOf } from '../../../src/engine/checkpoint/weight-key';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { randomParameters } from '../../../src/engine/retrain/full/full-model';
import { fullTrainingBytes } from '../../../src/engine/retrain/full/memory';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { openToy, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { describeShared, shared } from '../../support/shared';

/** What the stored weight of a norm that changes nothing is. */
const TOYS = [
  ['gemma-tied', 0],
  ['gemma2-softcap', 0],
  ['gemma3-pattern', 0],
  ['phi3-partial', 1],
  ['olmo2-postnorm', 1],
] as const;

describeShared('training every weight of the further families', () => {
  for (const [name, one] of TOYS) {
    it(`from scratch, norms change nothing at first and the model knows nothing: ${name}`, async () => {
      const folder = shared('models/families2', name);
      const { start, architecture } = await withModel(folder, (model) => {
        const view = fullView(model.architecture.layers.length);
        return Promise.resolve({ start: randomParameters(model, view, 3), architecture: model.architecture });
      });
      const names = [...weightKeys(architecture)].map((key) => weightOf(architecture, key)!.name);
      assert.deepEqual([...start.keys()].sort(), names.sort(), 'every weight');
      const norms = [...start].filter(([, { shape }]) => shape.length === 1);
      assert.ok(norms.length > architecture.layers.length);
      for (const [norm, { values }] of norms)
        assert.ok(
          values.every((value) => value === one),
          norm,
        );
      const keys = keysByName(architecture);
      const patches = [...start].map(([each, { values }]): KeyedPatch => [
        keys.get(each)!,
        { kind: 'replace', values },
      ]);
      const loss = await withModel(folder, async (model) => meanLoss(model), { changes: [patches] });
      assert.ok(Math.abs(loss - Math.log(320)) < 0.3, `loss ${loss}`);
    });
  }

  it('counts the capped scores too', async () => {
    const architecture = requireArchitecture(await openToy(shared('models/families2/gemma2-softcap')));
    const free: Architecture = { ...architecture, style: { ...architecture.style, scoreCap: null } };
    const [capped, plain] = [architecture, free].map((each) =>
      fullTrainingBytes(each, { keepsBest: false, longest: 2048 }),
    );
    assert.equal(capped - plain, 4 * 2 * plainShape(architecture.layers[0]).heads * 2048 ** 2);
  });
});

async function meanLoss(model: Parameters<typeof sweepLosses>[0]): Promise<number> {
  const rows = randomRows(3, 12, 320, 5);
  const { full } = await sweepLosses(model, rows, stepsOf(fullView(model.architecture.layers.length)), []);
  return full.reduce((sum, loss) => sum + loss, 0) / full.length;
}
