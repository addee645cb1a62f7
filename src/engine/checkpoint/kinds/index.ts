/** The kinds of mixers and feed-forwards. A new one is a file beside this one, a type and a line in a list here. */
import type { AttentionMixer, AttentionLinear, AttentionWeight } from './attention';
import { ATTENTION_KIND } from './attention';
import type { ConvolutionLinear, ConvolutionMixer, ConvolutionWeight } from './convolution';
import { CONVOLUTION_KIND } from './convolution';
import type { DeltaNetLinear, DeltaNetMixer, DeltaNetWeight } from './delta-net';
import { DELTA_NET_KIND } from './delta-net';
import type { DenseFeedForward, DenseLinear, DenseWeight } from './dense';
import { DENSE_KIND } from './dense';
import type { ExpertLinear, ExpertsFeedForward, ExpertWeight } from './experts';
import { EXPERTS_KIND } from './experts';
import type { Kind } from './kind';
import type { MambaLinear, MambaMixer, MambaWeight } from './mamba';
import { MAMBA_KIND } from './mamba';
import type { ParallelMixer } from './parallel';
import { PARALLEL_KIND } from './parallel';

/** What exchanges information between positions. */
export type Mixer = AttentionMixer | ConvolutionMixer | MambaMixer | DeltaNetMixer | ParallelMixer;
/** What computes on each position by itself. */
export type FeedForward = DenseFeedForward | ExpertsFeedForward;

export type MixerLinear = AttentionLinear | ConvolutionLinear | MambaLinear | DeltaNetLinear;
export type FeedForwardLinear = DenseLinear | ExpertLinear;

/** Weights of a mixer and of a feed-forward, but for the norms of the stream. */
export type MixerWeight = AttentionWeight | ConvolutionWeight | MambaWeight | DeltaNetWeight;
export type FeedForwardWeight = DenseWeight | ExpertWeight;

const MIXERS: { readonly [K in Mixer['kind']]: Kind<Extract<Mixer, { kind: K }>> } = {
  attention: ATTENTION_KIND,
  convolution: CONVOLUTION_KIND,
  mamba: MAMBA_KIND,
  deltaNet: DELTA_NET_KIND,
  parallel: PARALLEL_KIND,
};

const FEED_FORWARDS: { readonly [K in FeedForward['kind']]: Kind<Extract<FeedForward, { kind: K }>> } = {
  dense: DENSE_KIND,
  experts: EXPERTS_KIND,
};

/** What the kind of a mixer says of itself. */
export const mixerKind = ({ kind }: Mixer): Kind<Mixer> => MIXERS[kind] as Kind<Mixer>;

/** What the kind of a feed-forward says of itself. */
export const feedForwardKind = ({ kind }: FeedForward): Kind<FeedForward> => FEED_FORWARDS[kind] as Kind<FeedForward>;

/** Every Linear of every kind, mixers first. */
export const MIXER_LINEARS = Object.values(MIXERS).flatMap(({ linears }) => linears);
export const FEED_FORWARD_LINEARS = Object.values(FEED_FORWARDS).flatMap(({ linears }) => linears);

/** The Linears whose output goes into the stream. */
export const RESIDUAL: ReadonlySet<string> = new Set(['o', 'convOut', 'ssmOut', 'deltaOut', 'down']);

/** The Linears that adapters leave out. */
export const UNADAPTED: ReadonlySet<string> = new Set(Object.values(MIXERS).flatMap(({ unadapted = [] }) => unadapted));
