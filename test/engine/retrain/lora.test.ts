/** LoRA retraining against the golden runs of PEFT. */
import { checkpointFolder, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkLora } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared, full, smollm2Folder } from '../../support/shared';

describeShared('golden LoRA runs', () => {
  for (const name of SMALL_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('the whole run', () => checkLora(model(), name));
    });
  }

  describe('smollm2-135m', function () {
    this.timeout('30m');
    const model = describedModel(smollm2Folder);
    it(full ? 'all steps' : 'the first step', () => checkLora(model(), 'smollm2-135m', full ? undefined : 1));
  });
});
