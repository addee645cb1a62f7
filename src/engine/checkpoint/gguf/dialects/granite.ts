/** Granite 3, and Granite 4 without Mamba: LLaMA's block with factors, each in a field of its own; without rotation in some. */
import { type Dialect, hasFactors, isLikeLlama } from './dialect';
import { llama } from './llama';

export const granite: Dialect = {
  name: 'granite',
  family: 'granite',
  fits: (architecture) => isLikeLlama(architecture) && hasFactors(architecture),
  paired: true,
  biases: llama.biases,
  rotation: { ...llama.rotation, none: true },
  numbers: [
    // Logits are divided by it.
    { field: 'logit_scale', of: 'logitScale', inverse: true },
    { field: 'embedding_scale', of: 'embedScale', absent: 1 },
    { field: 'residual_scale', of: 'residualScale', absent: 1 },
    { field: 'attention.scale', of: 'scoreScale', absent: 'width of a head' },
  ],
  config: ({ style, layers: [{ headDim, biases }] }) => ({
    embedding_multiplier: style.embedScale,
    residual_multiplier: style.residualScale,
    attention_multiplier: style.scoreScale ?? 1 / Math.sqrt(headDim),
    logits_scaling: 1 / style.logitScale,
    attention_bias: biases.includes('o'),
    mlp_bias: biases.includes('down'),
  }),
};
