/** LoRA retraining against the golden runs of PEFT. */
import { checkpointFolder, EXPERT_CHECKPOINTS, type GoldenName, SMALL_CHECKPOINTS } from '../../support/golden';
import { checkLora, RUN_WHOLE } from '../../support/golden-training';
import { describedModel } from '../../support/model';
import { describeShared, full, itFull, smollm2Folder } from '../../support/shared';

/** The others have the Linears of stories260K, and each family's are adapted in gradients-blocks.test.ts. */
const hasOwnLinears = (name: GoldenName): boolean => /^families3|llama-bias|phi3-partial|gemma2/.test(name);

describeShared('golden LoRA runs', () => {
  for (const name of SMALL_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      if (full || name === RUN_WHOLE) it('the whole run', () => checkLora(model(), name));
      else (hasOwnLinears(name) ? it : it.skip)('the first gradients', () => checkLora(model(), name, 0));
    });
  }

  for (const name of EXPERT_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('the first gradients', () => checkLora(model(), name, full ? 1 : 0));
    });
  }

  describe('smollm2-135m', function () {
    this.timeout('30m');
    const model = describedModel(smollm2Folder);
    itFull('all steps', () => checkLora(model(), 'smollm2-135m'));
  });
});
