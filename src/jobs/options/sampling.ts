/** How to choose tokens, and how many. Greedy by default; any sampling option makes it sample. */
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import { l10n } from '../../l10n';
import { flag, positive, seed, share, text, whole } from '../option';

/** Default number of tokens to write. */
const NEW_TOKENS = 64;

export const sampling = {
  greedy: flag('always choose the most likely token (the default)', {
    conflicts: ['temperature', 'topK', 'topP', 'seed'],
  }),
  temperature: positive('sampling temperature; lower is more predictable', { placeholder: 't' }),
  topK: whole('sample from the n most likely tokens'),
  topP: share('sample from the most likely tokens that add up to probability p', { placeholder: 'p' }),
  seed: seed(`random seed of the sampling (default: ${DEFAULT_SEED})`),
};

export const writing = {
  maxNewTokens: whole('stop after this many tokens', { default: NEW_TOKENS, recorded: true }),
  ignoreEos: flag('continue after the end-of-text token'),
};

/** Who the model is in a chat. */
export const system = {
  system: text('the system message of the chat (default: that of the template)', {
    noun: () => l10n.t('the system message'),
    needs: 'chat',
  }),
};

/** Values of the sampling options. */
export interface SamplingOptions {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
}

export type Sampling =
  | { readonly greedy: true }
  | { readonly temperature: number; readonly topK?: number; readonly topP?: number; readonly seed: number };

/** Greedy unless one of the options is given. */
export function samplingOf({ temperature, topK, topP, seed: given }: SamplingOptions): Sampling {
  if ([temperature, topK, topP, given].every((value) => value === undefined)) return { greedy: true };
  return { temperature: temperature ?? 1, topK, topP, seed: given ?? DEFAULT_SEED };
}
