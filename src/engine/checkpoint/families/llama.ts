/** LLaMA 1 to 3 (Touvron et al. 2023), and the many models that use its class, such as SmolLM2. */
import type { LinearName } from '../architecture';
import { flag } from '../fields';
import { layersWith, type ModelFamily } from './family';
import { decoderWeights } from './weights';
import { noWindows } from './windows';

const ATTENTION: readonly LinearName[] = ['q', 'k', 'v', 'o'];
const MLP: readonly LinearName[] = ['gate', 'up', 'down'];

export const llama: ModelFamily = {
  modelType: 'llama',
  defaults: { context: 2048, bos: 1, eos: 2 },
  layers: (config, common) => {
    const attention = flag(config, 'attention_bias', false) ? ATTENTION : [];
    const mlp = flag(config, 'mlp_bias', false) ? MLP : [];
    return layersWith(noWindows(common.blocks), { config, common }, { biases: [...attention, ...mlp] });
  },
  weights: decoderWeights(),
};
