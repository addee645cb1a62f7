/** How the model of a GGUF file computes: by its dialect, and by the factors and caps among its metadata. */
import { printable } from '../../formats/bounded-json';
import type { GgufField } from '../../formats/gguf/layout';
import { f32 } from '../../formats/gguf/values';
import { PLAIN_STYLE, type Style } from '../architecture';
import type { GgufArchitecture } from './shapes';
import { cannotWrite } from './cannot';
import type { Dialect, StyleNumber } from './dialects/dialect';
import { EXPERT_COUNT } from './experts';
import type { GgufFields } from './fields';

type Shape = Pick<GgufArchitecture, 'layers' | 'hidden'>;

/** Numbers that change what a block computes, with the value that changes nothing. */
const NEUTRAL: Readonly<Record<string, number | boolean>> = {
  [EXPERT_COUNT]: 0,
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

/** What the metadata ask for that Coppice does not compute. */
export function oddField(
  { numbers = [], refused, experts }: Dialect,
  fields: GgufFields,
  has: (tensor: string) => boolean,
): string | undefined {
  for (const [field, neutral] of Object.entries(NEUTRAL)) {
    const value = fields.optional(fields.key(field));
    if (value === undefined || value === neutral || numbers.some((number) => number.field === field)) continue;
    if (field === EXPERT_COUNT && experts) continue;
    const shown = typeof value === 'object' ? 'a list' : printable(String(value), 40);
    if (field === EXPERT_COUNT) return `it is a mixture of ${shown} experts`;
    return `${fields.key(field)} is ${shown}, which Coppice does not compute`;
  }
  return refused?.(fields, has);
}

/**
 * @param scores what cosines and sines multiply the scores by
 * @throws UserError for a number that is missing or impossible
 */
export function readStyle(fields: GgufFields, dialect: Dialect, shape: Shape, scores: number): Style {
  const usual = usualScale(dialect, shape);
  const said = (dialect.numbers ?? []).map((number) => [number.of, readNumber(fields, number, usual)] as const);
  const style: Style = { ...PLAIN_STYLE, ...dialect.style?.(shape.hidden), ...Object.fromEntries(said) };
  if (scores === 1 && !dialect.scoresByCosines) return style;
  return { ...style, scoreScale: nearRoot(scores * (style.scoreScale ?? usual)) };
}

/** @param scale of the scores by the width of a head */
function readNumber(fields: GgufFields, number: StyleNumber, scale: number): number | null {
  const { field, usual, absent, inverse } = number;
  if (absent === undefined) {
    const value = fields.number(field, usual);
    return inverse ? 1 / value : value;
  }
  return fields.number(field, 0, true) || (absent === 'width of a head' ? scale : absent);
}

/** The factor of the scores that llama.cpp takes where no field says it. */
function usualScale({ scoresByCosines }: Dialect, { layers, hidden }: Shape): number {
  const [{ heads, headDim }] = layers;
  return 1 / Math.sqrt(layers.length === scoresByCosines?.largest ? Math.floor(hidden / heads) : headDim);
}

/** 1 / √n for a whole n where float32 cannot tell. */
function nearRoot(factor: number): number {
  const n = Math.round(factor ** -2);
  return n > 0 && Math.abs(factor * Math.sqrt(n) - 1) < 1e-6 ? 1 / Math.sqrt(n) : factor;
}

const WORDS = {
  activation: 'activation',
  residualScale: 'factor of what modules add',
  logitScale: 'factor of the logits',
  scoreScale: 'factor of the scores',
  scoreCap: 'cap on the scores',
  logitCap: 'cap on the logits',
} as const;

/** @throws UserError for a factor, a cap or an activation that the dialect does not have */
export function requireStyle(dialect: Dialect, { style, hidden }: GgufArchitecture): void {
  const { name, numbers = [], scoresByCosines } = dialect;
  const own = { ...PLAIN_STYLE, ...dialect.style?.(hidden) };
  const isSaid = (field: keyof Style): boolean =>
    numbers.some(({ of }) => of === field) || (field === 'scoreScale' && scoresByCosines !== undefined);
  const fixed = Object.keys(WORDS) as (keyof typeof WORDS)[];
  const odd = fixed.find((field) => style[field] !== own[field] && !isSaid(field));
  if (odd) throw cannotWrite(`its ${WORDS[odd]} is not that of llama.cpp’s architecture ${name}`);
  if (Math.abs(style.embedScale / own.embedScale - 1) > 1e-6 && !isSaid('embedScale')) {
    throw cannotWrite(`its embedding is scaled by another factor than llama.cpp’s architecture ${name} has`);
  }
  const missing = numbers.find(({ of, usual }) => usual !== undefined && style[of] === null);
  if (!missing) return;
  const what = missing.of === 'scoreCap' ? 'scores' : 'logits';
  throw cannotWrite(`its ${what} have no cap, and llama.cpp’s architecture ${name} has one always`);
}

/** The fields that say the style. */
export function styleFields(
  { numbers = [] }: Dialect,
  { style, layers: [{ headDim }] }: GgufArchitecture,
): GgufField[] {
  return numbers.flatMap(({ field, of, inverse }): GgufField[] => {
    const value = of === 'scoreScale' ? (style[of] ?? 1 / Math.sqrt(headDim)) : style[of];
    return value === null ? [] : [[field, f32(inverse ? 1 / value : value)]];
  });
}

/** What the scores have to be multiplied by beside what llama.cpp takes by itself. */
export function scoreFactor(dialect: Dialect, architecture: GgufArchitecture): number {
  if (!dialect.scoresByCosines) return 1;
  const [{ headDim }] = architecture.layers;
  return (architecture.style.scoreScale ?? 1 / Math.sqrt(headDim)) / usualScale(dialect, architecture);
}

export function scoreNotes(scores: number): string[] {
  if (Math.abs(scores - 1) <= 1e-6) return [];
  return [
    'its scores have another factor than llama.cpp takes for a model with so many blocks and such heads; the file says it ' +
      'by the size of cosines (rope.scaling.attn_factor), which llama.cpp reads, and other programs may not',
  ];
}
