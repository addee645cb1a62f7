/** Attention and Mamba-2 side by side on one input (Falcon-H1): what both give is added. */
import type { AttentionMixer } from './attention';
import { ATTENTION_KIND } from './attention';
import type { Kind } from './kind';
import type { MambaMixer } from './mamba';
import { MAMBA_KIND } from './mamba';

export interface ParallelMixer {
  readonly kind: 'parallel';
  readonly attention: AttentionMixer;
  readonly mamba: MambaMixer;
  /** What is multiplied: attention's input, and what each adds. */
  readonly factors: { readonly input: number; readonly attention: number; readonly mamba: number };
}

export const PARALLEL_KIND: Kind<ParallelMixer> = {
  words: 'attention beside Mamba',
  // Those of its halves.
  linears: [],
  groups: ({ attention, mamba }) => [...ATTENTION_KIND.groups(attention), ...MAMBA_KIND.groups(mamba)],
  last: ({ attention, mamba, factors }) => [
    ...ATTENTION_KIND.last(attention).map((last) => ({ ...last, factor: factors.attention })),
    ...MAMBA_KIND.last(mamba).map((last) => ({ ...last, factor: factors.mamba })),
  ],
  inner: ({ attention, mamba }) => ATTENTION_KIND.inner(attention) + MAMBA_KIND.inner(mamba),
  carried: ({ mamba }) => MAMBA_KIND.carried!(mamba),
  weights: ({ attention, mamba }, names) => ({
    ...ATTENTION_KIND.weights(attention, names),
    ...MAMBA_KIND.weights(mamba, names),
  }),
};
