/** Falcon-H1 (TII 2025): attention beside Mamba-2 in every block, and a factor on what each matrix gets or gives. */
import { type LayerShape, PLAIN_STYLE } from '../architecture';
import { badField, count, flag, isSet, show, type Config } from '../fields';
import type { MambaFactors } from '../kinds/mamba';
import type { Mixer } from '../kinds';
import { MAX_DIMENSION } from '../../formats/limits';
import { readRope } from '../rope';
import type { Unsupported } from '../types';
import { ATTENTION, type CommonShape, MLP, type ModelFamily } from './family';
import { expanded, MAMBA_READS, readMamba } from './mamba';
import { decoderWeights } from './weights';

const FACTORS = [
  ...['attention_in', 'attention_out', 'key', 'embedding', 'lm_head', 'ssm_in', 'ssm_out'].map(
    (name) => `${name}_multiplier`,
  ),
  ...['ssm_multipliers', 'mlp_multipliers'],
];

export const falconH1: ModelFamily = {
  modelType: 'falcon_h1',
  className: 'FalconH1ForCausalLM',
  name: 'Falcon-H1',
  models: 'Falcon-H1 0.5B to 34B',
  special: 'Mamba-2 beside attention; factors of both, of keys, gates, embedding and logits',
  defaults: { context: 8192, kvHeads: 8, bos: 1, eos: 2, eps: 1e-5 },
  reads: [
    ...FACTORS,
    ...MAMBA_READS,
    ...['mamba_d_ssm', 'mamba_rms_norm', 'mamba_norm_before_gate', 'attention_bias', 'mlp_bias', 'projectors_bias'],
  ],
  layers,
  style: (config, { headDim }) => ({
    ...PLAIN_STYLE,
    embedScale: factor(config, 'embedding_multiplier'),
    scoreScale: scoreScale(factor(config, 'key_multiplier'), headDim),
    logitScale: factor(config, 'lm_head_multiplier'),
  }),
  weights: decoderWeights({
    postNorm: 'pre_ff_layernorm',
    gate: 'feed_forward.gate_proj',
    up: 'feed_forward.up_proj',
    down: 'feed_forward.down_proj',
    finalNorm: 'model.final_layernorm',
  }),
};

function layers(config: Config, common: CommonShape): readonly LayerShape[] | Unsupported {
  const rope = readRope(config, common);
  if ('why' in rope) return rope;
  const { heads, kvHeads, headDim, hidden, ffn } = common;
  const isSilent = !('mamba_d_ssm' in config);
  const inner =
    isSet(config, 'mamba_d_ssm') || isSilent
      ? count(config, 'mamba_d_ssm', MAX_DIMENSION.hidden, 1024)
      : expanded(config, hidden);
  const beforeGate = flag(config, 'mamba_norm_before_gate', true);
  const parts = factors(config, 'ssm_multipliers', 5) as unknown as MambaFactors['parts'];
  const [gate, output] = factors(config, 'mlp_multipliers', 2);
  const mixer: Mixer = {
    kind: 'parallel',
    attention: {
      kind: 'attention',
      ...{ heads, kvHeads, headDim, window: null, rope, qkNorm: null, fused: false },
      biases: flag(config, 'attention_bias', false) ? ATTENTION : [],
    },
    mamba: readMamba(config, {
      inner,
      biases: [
        ...(flag(config, 'mamba_proj_bias', false) ? (['ssmIn'] as const) : []),
        ...(flag(config, 'projectors_bias', false) ? (['ssmOut'] as const) : []),
      ],
      norm: flag(config, 'mamba_rms_norm', false) ? (beforeGate ? 'beforeGate' : 'afterGate') : null,
      factors: { input: factor(config, 'ssm_in_multiplier'), parts },
    }),
    factors: {
      input: factor(config, 'attention_in_multiplier'),
      attention: factor(config, 'attention_out_multiplier'),
      mamba: factor(config, 'ssm_out_multiplier'),
    },
  };
  const layer: LayerShape = {
    mixer,
    ffn: {
      kind: 'dense',
      width: ffn,
      biases: flag(config, 'mlp_bias', false) ? MLP : [],
      fused: false,
      factors: { gate, output },
    },
  };
  return Array.from({ length: common.blocks }, () => layer);
}

/** Keys times a factor give scores times that factor. */
const scoreScale = (keys: number, headDim: number): number | null => (keys === 1 ? null : keys / Math.sqrt(headDim));

/** Some factors of either sign; 1 where the config is silent. */
function factors(config: Config, field: string, count: number): readonly number[] {
  if (!isSet(config, field)) return Array<number>(count).fill(1);
  const list = config[field];
  if (Array.isArray(list) && list.length === count && list.every(Number.isFinite)) return list as number[];
  throw badField(field, `${show(list)} are not ${count} numbers`);
}

function factor(config: Config, field: string): number {
  if (!isSet(config, field)) return 1;
  const value = config[field];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw badField(field, `${show(value)} is not a number`);
}
