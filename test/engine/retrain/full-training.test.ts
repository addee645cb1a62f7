/** Training of every weight against the golden runs of PyTorch, and every parameter's gradient. */
import { checkpointFolder, EXPERT_CHECKPOINTS, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkFullTraining, checkGradientNorms, RUN_WHOLE } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared, full, itFull, smollm2Folder } from '../../support/shared';

describeShared('golden full-parameter runs', () => {
  for (const name of SMALL_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('gradient norms of every parameter', () => checkGradientNorms(model(), name));
      if (name.startsWith('families3/')) return; // no run
      if (!full && !RUN_WHOLE.includes(name))
        it('the first gradients and step', () => checkFullTraining(model(), name, 1));
      else it('the whole run', () => checkFullTraining(model(), name));
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
