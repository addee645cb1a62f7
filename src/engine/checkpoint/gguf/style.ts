/** How the model of a GGUF file computes: by its architecture, and by the factors and caps among its metadata. */
import { printable } from '../../formats/bounded-json';
import { type Architecture, PLAIN_STYLE, type Style } from '../architecture';
import { type GgufArchitecture, scoreScaleOf } from './capabilities';
import type { GgufFields } from './fields';

/** Numbers that change what a block computes, with the value that changes nothing. */
const NEUTRAL: Readonly<Record<string, number | boolean>> = {
  expert_count: 0,
  logit_scale: 0,
  embedding_scale: 0,
  residual_scale: 0,
  attn_logit_softcapping: 0,
  final_logit_softcapping: 0,
  'attention.scale': 0,
  'attention.clamp_kqv': 0,
  'attention.max_alibi_bias': 0,
  'attention.causal': true,
  use_parallel_residual: false,
};

/** Those that an architecture has. */
const OWN: Readonly<Partial<Record<GgufArchitecture, readonly string[]>>> = {
  gemma2: ['attn_logit_softcapping', 'final_logit_softcapping'],
  gemma3: ['final_logit_softcapping'],
  granite: ['logit_scale', 'embedding_scale', 'residual_scale', 'attention.scale'],
};

/** llama.cpp's own for Gemma 2. */
const SCORE_CAP = 50;
const LOGIT_CAP = 30;

/** What the metadata ask for that Coppice does not compute. */
export function oddField(name: GgufArchitecture, fields: GgufFields): string | undefined {
  for (const [field, neutral] of Object.entries(NEUTRAL)) {
    const value = fields.optional(fields.key(field));
    if (value === undefined || value === neutral || OWN[name]?.includes(field)) continue;
    const shown = typeof value === 'object' ? 'a list' : printable(String(value), 40);
    if (field === 'expert_count') return `it is a mixture of ${shown} experts`;
    return `${fields.key(field)} is ${shown}, which Coppice does not compute`;
  }
  if (name === 'granite' && fields.optional(fields.key('rope.scaling.finetuned')) === false) {
    return `${fields.key('rope.scaling.finetuned')} is false, so queries and keys are not rotated`;
  }
  return undefined;
}

/**
 * @param scores what cosines and sines multiply the scores by
 * @throws UserError for a number that is missing or impossible
 */
export function styleOf(name: GgufArchitecture, fields: GgufFields, shape: Shape, scores: number): Style {
  const style = { ...PLAIN_STYLE, ...named(name, fields, shape) };
  const isUsual = scores === 1 && name !== 'gemma2' && name !== 'gemma3';
  return isUsual ? style : { ...style, scoreScale: nearRoot(scores * (style.scoreScale ?? scoreScaleOf(name, shape))) };
}

type Shape = Pick<Architecture, 'layers' | 'hidden'>;

function named(name: GgufArchitecture, fields: GgufFields, shape: Shape): Partial<Style> {
  const { hidden } = shape;
  const gemma = { normOffset: 1, activation: 'gelu', embedScale: Math.sqrt(hidden) } as const;
  const cap = (field: string, usual: number): number | null => fields.number(field, usual, true) || null;
  switch (name) {
    case 'gemma':
      return gemma;
    case 'gemma2':
      return {
        ...gemma,
        norms: 'both',
        scoreCap: fields.number('attn_logit_softcapping', SCORE_CAP),
        logitCap: fields.number('final_logit_softcapping', LOGIT_CAP),
      };
    case 'gemma3':
      return { ...gemma, norms: 'both', logitCap: cap('final_logit_softcapping', 0) };
    case 'olmo2':
      return { norms: 'after' };
    case 'granite':
      return {
        // Logits are divided by it.
        logitScale: 1 / fields.number('logit_scale'),
        // 0 stands for an absent factor.
        embedScale: fields.number('embedding_scale', 0, true) || 1,
        residualScale: fields.number('residual_scale', 0, true) || 1,
        scoreScale: fields.number('attention.scale', 0, true) || scoreScaleOf(name, shape),
      };
    default:
      return {};
  }
}

/** 1 / √n for a whole n where float32 cannot tell. */
function nearRoot(factor: number): number {
  const n = Math.round(factor ** -2);
  return n > 0 && Math.abs(factor * Math.sqrt(n) - 1) < 1e-6 ? 1 / Math.sqrt(n) : factor;
}
