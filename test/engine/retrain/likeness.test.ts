/** How near a trained model is to the unpruned one, on the tokens to learn of held-out rows: the definition in float64. */
import assert from 'node:assert/strict';
import { viewWithout } from '../../../src/engine/model/view';
import { exampleWithTargets } from '../../../src/engine/retrain/data/example';
import { heldOutLikeness } from '../../../src/engine/retrain/likeness';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { loadReference, referenceForward } from '../../reference/forward';
import { referenceDivergence } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';

const VIEW = viewWithout(4, [{ block: 1 }]);

describe('likeness of a trained model on held-out rows', () => {
  const [long] = randomRows(1, 40, 288, 81);
  const [short] = randomRows(1, 12, 288, 82);
  const heldOut = [
    exampleWithTargets(long, [{ start: 30, end: 40 }]),
    exampleWithTargets(short, [
      { start: 0, end: 2 }, // the first token has no prediction
      { start: 7, end: 12 },
    ]),
  ];
  const folder = tinyCheckpoint('llama-plain');

  it('counts the tokens to learn only, whatever the lengths of the rows', () =>
    withModel(folder, async (model) => {
      const found = (await heldOutLikeness({ model, view: VIEW, below: [], patches: [], heldOut }))!;
      const reference = loadReference(folder);
      const chosen = heldOut.flatMap(({ ids, labels }) => {
        const row = Array.from(ids);
        const [whole, pruned] = [referenceForward(reference, row), referenceForward(reference, row, VIEW)];
        const { divergences, agree } = referenceDivergence(whole.logits, pruned.logits);
        return divergences.flatMap((kl, t) => (labels[t + 1] >= 0 ? [[kl, agree[t]]] : []));
      });
      assert.equal(found.tokens, 10 + 1 + 5);
      const mean = (k: number): number => chosen.reduce((sum, each) => sum + each[k], 0) / chosen.length;
      assertClose(found.kl, mean(0), { absolute: 5e-5 }, 'KL');
      assert.equal(found.top1, mean(1));
    }));

  it('takes the trained weights, on those of healing, against the stored ones', () =>
    withModel(folder, async (model) => {
      const { hidden, layers } = model.architecture;
      const change = (layer: number, scale: number): KeyedPatch => [
        { layer, name: 'down' },
        {
          kind: 'replace',
          values: Float32Array.from({ length: hidden * plainShape(layers[layer]).ffn }, (_, i) => scale * Math.sin(i)),
        },
      ];
      const question = { model, view: VIEW, heldOut, below: [] };
      const plain = (await heldOutLikeness({ ...question, patches: [] }))!;
      const trained = (await heldOutLikeness({ ...question, patches: [change(2, 0.1)] }))!;
      const healed = (await heldOutLikeness({ ...question, below: [[change(2, 0.1)]], patches: [] }))!;
      assert.notEqual(trained.kl, plain.kl);
      assert.deepEqual(healed, trained, 'the same weights, by another way');
    }));

  it('is unknown without tokens to learn', () =>
    withModel(folder, async (model) => {
      const question = { model, view: VIEW, below: [], patches: [] };
      assert.equal(await heldOutLikeness({ ...question, heldOut: [] }), undefined);
      assert.equal(await heldOutLikeness({ ...question, heldOut: [exampleWithTargets([5, 6, 7], [])] }), undefined);
    }));
});
