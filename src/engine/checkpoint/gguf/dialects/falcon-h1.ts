/** Falcon-H1: attention beside Mamba-2 in every block. Files have no factors: these are multiplied into the matrices (weights/folded.ts). */
import { type MambaMixer, mambaWidths } from '../../kinds/mamba';
import { mambaConfig, mambaFields, oddMamba, readFileMamba } from '../mamba';
import type { OtherMixer } from '../shapes';
import type { Dialect, DialectMixer } from './dialect';

const NAME = 'falcon-h1';

const BESIDE: DialectMixer = {
  kind: 'parallel',
  read: (fields, { kvHeads }) => {
    const parallel: OtherMixer = {
      kind: 'parallel',
      mamba: readFileMamba(fields, null),
      factors: { input: 1, attention: 1, mamba: 1 },
    };
    return kvHeads.map(() => parallel);
  },
  fields: ([first]) => (first?.kind === 'parallel' ? mambaFields(first.mamba) : []),
  refused: (mixer) => (mixer.kind === 'parallel' ? refused(mixer.mamba) : undefined),
};

function refused(mamba: MambaMixer): string | undefined {
  if (mamba.norm !== null) return 'its Mamba has a norm (mamba_rms_norm), with which no file was tried in llama.cpp';
  return oddMamba(mamba, NAME);
}

export const falconH1: Dialect = {
  name: NAME,
  family: 'falcon_h1',
  fits: ({ style, layers: [{ qkNorm, fused }] }) => style.norms === 'before' && qkNorm === null && !fused,
  biases: [],
  mixer: BESIDE,
  // llama.cpp asks for it so.
  names: { postNorm: 'ffn_norm' },
  refused: (_, has) => (has('blk.0.ssm_norm.weight') ? 'its Mamba has a norm (ssm_norm)' : undefined),
  config: ({ layers: [{ other }] }) => {
    if (other?.kind !== 'parallel') return {};
    const { mamba } = other;
    return {
      attention_bias: false,
      mlp_bias: false,
      projectors_bias: false,
      mamba_d_ssm: mambaWidths(mamba).inner,
      ...mambaConfig(mamba),
      mamba_rms_norm: false,
    };
  },
};
