/** LFM2: short convolutions in place of attention in most blocks, which the list of heads of keys and values tells. */
import { u32 } from '../../../formats/gguf/values';
import { MAX_DIMENSION } from '../../../formats/limits';
import type { OtherMixer } from '../shapes';
import type { Dialect, DialectMixer } from './dialect';

const KERNEL = 'shortconv.l_cache';

const CONVOLUTION: DialectMixer = {
  kind: 'convolution',
  listed: true,
  read: (fields, { hidden, kvHeads }) => {
    const kernel = fields.count(KERNEL, MAX_DIMENSION.headDim);
    const convolution: OtherMixer = { kind: 'convolution', channels: hidden, kernel, biased: false };
    return kvHeads.map((heads) => (heads === 0 ? convolution : undefined));
  },
  fields: (others) =>
    others
      .flatMap((mixer) => (isConvolution(mixer) ? [mixer.kernel] : []))
      .slice(0, 1)
      .map((kernel) => [KERNEL, u32(kernel)]),
  refused: (mixer) =>
    isConvolution(mixer) && mixer.biased
      ? 'its short convolutions have biases (conv_bias), and llama.cpp’s architecture lfm2 has none'
      : undefined,
};

type Convolution = Extract<OtherMixer, { kind: 'convolution' }>;

const isConvolution = (mixer: OtherMixer | undefined): mixer is Convolution => mixer?.kind === 'convolution';

export const lfm2: Dialect = {
  name: 'lfm2',
  family: 'lfm2',
  fits: ({ style, layers: [{ qkNorm, fused }] }) => style.norms === 'before' && qkNorm === 'head' && !fused,
  biases: [],
  qkNorm: 'head',
  mixer: CONVOLUTION,
  names: { finalNorm: 'token_embd_norm.weight' },
  config: ({ layers, rmsNormEps, tied }) => ({
    norm_eps: rmsNormEps,
    block_auto_adjust_ff_dim: false,
    layer_types: layers.map(({ other }) => (other ? 'conv' : 'full_attention')),
    conv_L_cache: layers.map(({ other }) => other).find(isConvolution)?.kernel,
    conv_bias: false,
    tie_embedding: tied,
  }),
};
