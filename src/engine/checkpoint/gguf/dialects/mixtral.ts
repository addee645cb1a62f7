/** Mixtral: the architecture of LLaMA, with experts. */
import { type Dialect, isLikeLlama } from './dialect';
import { FFN_WIDTH } from '../experts';
import { llama } from './llama';

export const mixtral: Dialect = {
  name: llama.name,
  family: 'mixtral',
  fits: (architecture) => isLikeLlama(architecture) && architecture.layers[0].qkNorm === null,
  paired: true,
  biases: [],
  rotation: llama.rotation,
  experts: { weighs: 'chosen', width: FFN_WIDTH },
  config: ({ layers: [{ experts }] }) => ({
    num_local_experts: experts!.count,
    num_experts_per_tok: experts!.chosen,
    sliding_window: null,
  }),
};
