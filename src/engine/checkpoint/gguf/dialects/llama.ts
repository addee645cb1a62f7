/** LLaMA, Mistral and all that use their block: `llama` for equal blocks, `deci` for others. */
import { ATTENTION, MLP } from '../../families/family';
import type { Dialect } from './dialect';

export const llama: Dialect = {
  name: 'llama',
  family: 'llama',
  fits: (_, equal) => equal,
  paired: true,
  biases: [...ATTENTION, ...MLP],
  rotation: { factors: true, longrope: 'named' },
  config: ({ layers: [{ biases }] }) => ({ attention_bias: biases.includes('o'), mlp_bias: biases.includes('down') }),
};

export const deci: Dialect = { ...llama, name: 'deci', fits: (_, equal) => !equal, perBlock: true };
