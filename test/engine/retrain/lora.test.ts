/** LoRA retraining against the golden runs of PEFT. */
import { checkpointFolder, EXPERT_CHECKPOINTS, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkLora, RUN_WHOLE } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared, full, smollm2Folder } from '../../support/shared';

describeShared('golden LoRA runs', () => {
  for (const name of SMALL_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      if (!full && !RUN_WHOLE.includes(name)) it('the first gradients and step', () => checkLora(model(), name, 1));
      else it('the whole run', () => checkLora(model(), name));
    });
  }

  for (const name of EXPERT_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('the first gradients and step', () => checkLora(model(), name, 1));
    });
  }

  describe('smollm2-135m', function () {
    this.timeout('30m');
    const model = describedModel(smollm2Folder);
    it(full ? 'all steps' : 'the first gradients', () => checkLora(model(), 'smollm2-135m', full ? undefined : 0));
  });
});
