/** Training of every weight against the golden runs of PyTorch, and every parameter's gradient. */
import { checkpointFolder, EXPERT_CHECKPOINTS, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkFullTraining, checkGradientNorms, RUN_WHOLE } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared, full, itFull, smollm2Folder } from '../../support/shared';

describeShared('golden full-parameter runs', () => {
  for (const name of SMALL_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      const hasRun = !name.startsWith('families3/');
      // The first gradients of a run are those of every parameter too.
      (hasRun ? itFull : it)('gradient norms of every parameter', () => checkGradientNorms(model(), name));
      if (!hasRun) return;
      if (full || name === RUN_WHOLE) it('the whole run', () => checkFullTraining(model(), name));
      else it('the first gradients', () => checkFullTraining(model(), name, 0));
    });
  }

  for (const name of EXPERT_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('gradient norms of every parameter', () => checkGradientNorms(model(), name));
    });
  }

  describe('smollm2-135m', function () {
    this.timeout('30m');
    const model = describedModel(smollm2Folder);
    itFull('gradient norms of every parameter', () => checkGradientNorms(model(), 'smollm2-135m'));
  });
});
