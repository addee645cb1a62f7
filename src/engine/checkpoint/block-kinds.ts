/** What each block is made of, by the names of its kinds, for results. Pure. */
import type { Architecture } from './architecture';
import type { FeedForward, Mixer } from './kinds';

export const MIXER_KINDS = [
  'attention',
  'convolution',
  'mamba',
  'deltaNet',
  'parallel',
] as const satisfies readonly Mixer['kind'][];
export const FEED_FORWARD_KINDS = ['dense', 'experts'] as const satisfies readonly FeedForward['kind'][];

/** Kinds of the two parts of a block, which results call attention and ffn whatever they are. */
export interface BlockKinds {
  readonly block: number;
  readonly attention: Mixer['kind'];
  readonly ffn: FeedForward['kind'];
  /** Of a parallel mixer: what computes side by side. */
  readonly halves?: readonly [Mixer['kind'], Mixer['kind']];
}

/** Of every block, in order. */
export const kindsOf = ({ layers }: Pick<Architecture, 'layers'>): BlockKinds[] =>
  layers.map(({ mixer, ffn }, block) => ({
    block,
    attention: mixer.kind,
    ffn: ffn.kind,
    ...(mixer.kind === 'parallel' && { halves: [mixer.attention.kind, mixer.mamba.kind] }),
  }));
