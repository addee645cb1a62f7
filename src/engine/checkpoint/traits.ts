/** What the blocks of a model have that LLaMA's do not, in words. */
import { numberRanges } from '../../format/ranges';
import type { Architecture, LayerShape } from './architecture';
import { mixerKind } from './kinds';
import { attentionIn, biasesOf, expertsIn, windowOf } from './kinds/parts';

/** A kind of what blocks can have. */
export type Trait = 'mixers' | 'experts' | 'windows' | 'rotation' | 'norms' | 'biases' | 'caps' | 'factors' | 'fused';

/** By what it is about; only what there is. */
export type Traits = Readonly<Partial<Record<Trait, string>>>;

export function traitsOf({ layers, style }: Architecture): Traits {
  const { norms, normOffset, scoreCap, logitCap } = style;
  const where = { before: '', after: 'behind modules only', both: 'before and behind modules' }[norms];
  const caps = [scoreCap === null ? '' : `scores at ${scoreCap}`, logitCap === null ? '' : `logits at ${logitCap}`];
  const first = layers.map(attentionIn).find((mixer) => mixer !== undefined);
  const { qkNorm = null, fused = false, headDim = 0 } = first ?? {};
  const ofQueries =
    qkNorm === null ? '' : `of queries and keys, ${qkNorm === 'head' ? 'head by head' : 'all heads at once'}`;
  const found: Readonly<Record<Trait, string>> = {
    mixers: byBlock(layers, ({ mixer }) => mixerKind(mixer).words, 'attention'),
    experts: byBlock(layers, expertsText, 'none'),
    windows: byBlock(layers, (layer) => attentionIn(layer) && String(windowOf(layer) ?? 'none'), 'none'),
    rotation: byBlock(layers, ropeText, PLAIN),
    norms: joined([where, normOffset === 0 ? '' : `weights + ${normOffset}`, ofQueries]),
    biases: byBlock(layers, (layer) => biasesOf(layer).join(', ') || 'none', 'none'),
    caps: joined(caps),
    factors: factorsOf(style, headDim),
    fused: fused ? 'q, k and v in one matrix, gate and up in one' : '',
  };
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== ''));
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

function factorsOf(
  { embedScale, scoreScale, residualScale, logitScale }: Architecture['style'],
  headDim: number,
): string {
  const factor = (name: string, value: number): string =>
    value === 1 ? '' : `${name} × ${Number(value.toPrecision(6))}`;
  const isUsual = scoreScale === null || scoreScale === 1 / Math.sqrt(headDim);
  return joined([
    factor('embedding', embedScale),
    isUsual ? '' : `scores × ${Number(scoreScale.toPrecision(6))}`,
    factor('residual', residualScale),
    factor('logits', logitScale),
  ]);
}

function expertsText(layer: LayerShape): string {
  const experts = expertsIn(layer);
  if (!experts) return 'none';
  const { chosen, count, shared } = experts;
  return `${chosen} of ${count} for a token${shared ? `, beside an FFN of ${shared.width}` : ''}`;
}

const PLAIN = 'plain';

function ropeText(layer: LayerShape): string | undefined {
  const mixer = attentionIn(layer);
  if (!mixer) return undefined;
  const { rope, headDim } = mixer;
  if (rope === null) return 'none';
  const { theta, scaling, turned = headDim } = rope;
  const part = turned === headDim ? '' : `${turned} of ${headDim} entries`;
  const base = theta === 10_000 ? '' : `base ${theta}`;
  return joined([base, scaling.kind === 'default' ? '' : scaling.kind, part]) || PLAIN;
}

/** "512 in 0–4, 6; none in 5": blocks by what `of` says of them, if it says something; empty if all say `usual`. */
function byBlock(layers: readonly LayerShape[], of: (layer: LayerShape) => string | undefined, usual: string): string {
  const blocks = new Map<string, number[]>();
  for (const [block, layer] of layers.entries()) {
    const words = of(layer);
    if (words !== undefined) blocks.set(words, [...(blocks.get(words) ?? []), block]);
  }
  if (blocks.size === 1) return blocks.has(usual) ? '' : [...blocks.keys()][0];
  return [...blocks].map(([text, list]) => `${text} in ${numberRanges(list, '–')}`).join('; ');
}
