/** Options for measuring speed. */
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import { type Option, seed, whole } from '../option';

/** @param repeats default number of measured runs */
export const measuring = (
  repeats: number,
): Readonly<Record<'promptTokens' | 'newTokens' | 'repeats' | 'seed', Option<number, 'default'>>> => ({
  promptTokens: whole('length of the prompt', { default: 128 }),
  newTokens: whole('tokens to write', { default: 64 }),
  repeats: whole('measured runs', { default: repeats }),
  seed: seed('seed of the prompt', { default: DEFAULT_SEED }),
});
