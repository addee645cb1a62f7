/** The order of a healed sweep: where models are folded, towards what, and where variants leave the model. */
import assert from 'node:assert/strict';
import { countWalk, innerTargets, passing, stagesOf } from '../../../src/engine/importance/healed-walk';
import { fullView, stepsOf, viewWithout } from '../../../src/engine/model/view';

describe('importance/healed-walk', () => {
  it('of the whole model folds nothing but the variants, each once', () => {
    const stages = stagesOf(stepsOf(fullView(3)), [0, 1, 2], 3);
    assert.deepEqual(
      stages.map(({ target }) => target),
      Array(6).fill(undefined),
    );
    // After block 0 the variant without block 1 aims at block 2; after block 1 that without the last at the end.
    assert.deepEqual(stages[1].branch, { candidate: 1, target: 4 });
    assert.deepEqual(stages[3].branch, { candidate: 2, target: 6 });
    assert.equal(stages[0].branch, undefined);
    // The model passes six modules, the variant without block 0 four, that without block 1 two, the last none.
    assert.deepEqual(countWalk(stages, [0, 1, 2]), { modules: 6 + 4 + 2, folds: 2 });
    assert.deepEqual(passing(stages[4], [0, 1, 2]), [0, 1]);
  });

  it('folds at every cut, and once for a variant that makes a cut wider', () => {
    const steps = stepsOf(viewWithout(5, [{ block: 2 }]));
    const stages = stagesOf(steps, [1, 2], 5); // blocks 1 and 3
    const cut = stages.find(({ target }) => target !== undefined)!;
    assert.deepEqual([cut.module.block, cut.module.ffn, cut.target], [1, true, 6]);
    assert.deepEqual(cut.branch, { candidate: 2, target: 8 });
    const early = stages.find(({ branch }) => branch?.candidate === 1)!;
    assert.deepEqual([early.module.block, early.branch!.target], [0, 6]);
    // The variant without block 1 has one cut, from block 0 to block 3.
    assert.equal(countWalk(stages, [1]).folds, 1 + 1);
  });

  it('knows single modules', () => {
    const steps = stepsOf(viewWithout(3, [{ block: 1, part: 'attention' }]));
    assert.deepEqual(innerTargets(steps), [3]);
    const stages = stagesOf(steps, [], 3);
    assert.deepEqual(
      stages.map(({ module: { block, attention }, target }) => [2 * block + (attention ? 0 : 1), target]),
      [
        [0, undefined],
        [1, 3],
        [3, undefined],
        [4, undefined],
        [5, undefined],
      ],
    );
  });
});
