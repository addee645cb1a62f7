/** LLM-Pruner, FLAP and Wanda-sp against PyTorch's numbers: of a model with biases and groups of heads, of one without groups. */
import { WIDTH_METHODS } from '../../../../src/engine/importance/width/methods';
import { checkpointFolder, type GoldenName } from '../../../support/golden';
import { checkWidth, WIDTH_TOLERANCE } from '../../../support/golden-width';
import { withModel } from '../../../support/model';
import { describeShared, itFull, smollm2Folder } from '../../../support/shared';

const NAMES: readonly GoldenName[] = [
  'stories260K',
  'families/llama-mha',
  'families/llama-plain',
  'families/llama-bias',
];

const QUICK: readonly GoldenName[] = ['families/llama-mha', 'families/llama-bias'];

describeShared('golden widths', () => {
  for (const name of NAMES) {
    for (const method of WIDTH_METHODS) {
      (QUICK.includes(name) ? it : itFull)(`${name}, ${method}`, () =>
        withModel(checkpointFolder(name), (model) => checkWidth(model, name, method, WIDTH_TOLERANCE.toys)),
      );
    }
  }
  for (const method of WIDTH_METHODS) {
    itFull(`smollm2-135m, ${method}`, () =>
      withModel(smollm2Folder(), (model) => checkWidth(model, 'smollm2-135m', method, WIDTH_TOLERANCE.smollm2)),
    );
  }
});
