/**
 * Which of llama.cpp's architectures a model is written as: the one whose graph computes the same. `llama` has equal
 * blocks, `deci` heads and widths that differ from block to block; both have every bias. What none of them computes is
 * refused, because a reader would not notice. Only what short texts do not see is left out with a note: windows of
 * attention, and rotations that change in long texts.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Architecture, type LayerShape, type Rope, type Style, PLAIN_STYLE } from '../../checkpoint/architecture';
import type { GgufField } from '../../formats/gguf/layout';
import { cannotWrite, INSTEAD } from './cannot';
import { CAPABILITIES, type GgufArchitecture, NO_ROPE_PERIOD, scoreScaleOf } from '../../checkpoint/gguf/capabilities';
import { f32 } from './metadata';
import { hasUsualMagnitude, type Rotation, rotationOf } from './rotation';
import { windowsIn } from './windows';

export interface Dialect {
  readonly name: GgufArchitecture;
  /** Of every block. */
  readonly headDim: number;
  /** Of the blocks without a window, if others have another one. */
  readonly rope: Rope;
  /** Rows of q and k are in the order of pairs that are rotated together, as LLaMA's authors stored them. */
  readonly paired: boolean;
  /** The file has a matrix for the head even where the model shares the embedding's. */
  readonly ownHead: boolean;
  /** Fields that not every architecture has, without its name. */
  readonly fields: readonly GgufField[];
  /** Divisors of the rotation's frequencies, by the names of their tensors. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
  /** What llama.cpp computes otherwise, and from when on. */
  readonly notes: readonly string[];
}

/** llama.cpp's own limit. */
const MAX_BLOCKS = 512;

/** @throws UserError for a model that llama.cpp would compute otherwise */
export function dialectOf(architecture: Architecture): Dialect {
  const { layers } = architecture;
  if (layers.length > MAX_BLOCKS)
    throw cannotWrite(`it has ${layers.length} blocks, and llama.cpp loads up to ${MAX_BLOCKS}`);
  const headDim = shared(layers, 'headDim', 'heads of different widths');
  if (headDim % 2 !== 0) throw cannotWrite(`its heads have ${headDim} numbers, which is odd`);
  shared(layers, 'qkNorm', 'normalised queries and keys in some blocks only');
  const uniform = layers.every((layer) => isDeepStrictEqual(shapeOf(layer), shapeOf(layers[0])));
  const name = nameOf(architecture, uniform);
  requireBlocks(name, architecture, uniform);
  requireStyle(name, architecture);
  const { rope, fields: localFields } = ropesOf(name, architecture);
  const { paired, tied } = CAPABILITIES[name];
  const windows = windowsIn(name, architecture);
  const scores = scoreFactor(name, architecture);
  const rotation = rotationOf(name, rope, headDim, scores);
  return {
    name,
    headDim,
    rope,
    paired,
    ownHead: tied === 'never' || !architecture.tied,
    fields: [...rotation.fields, ...localFields, ...windows.fields, ...styleFields(name, architecture)],
    factors: rotation.factors,
    notes: [...windows.notes, ...scoreNotes(scores), ...rotation.notes],
  };
}

/** What llama.cpp's architectures but `deci` have once for all blocks. */
const shapeOf = (layer: LayerShape): LayerShape => ({ ...layer, window: null, rope: null });

/** The value that all blocks have. */
function shared<K extends keyof LayerShape>(layers: readonly LayerShape[], key: K, what: string): LayerShape[K] {
  const [first] = layers;
  if (layers.every((layer) => isDeepStrictEqual(layer[key], first[key]))) return first[key];
  throw cannotWrite(`its blocks have ${what}, and llama.cpp has no architecture for that`);
}

/** By what the blocks have; the family decides only between architectures that compute the same. */
function nameOf(architecture: Architecture, uniform: boolean): GgufArchitecture {
  const { family, style, layers } = architecture;
  const [{ fused, qkNorm }] = layers;
  if (fused) return 'phi3';
  if (style.norms === 'after') return 'olmo2';
  if (style.norms === 'both') return qkNorm ? 'gemma3' : 'gemma2';
  if (style.activation === 'gelu') return 'gemma';
  if (hasFactors(style)) return 'granite';
  if (layers.some(({ rope }) => rope === null)) return 'smollm3';
  if (qkNorm) return 'qwen3';
  if (family === 'qwen2' && uniform && fitsQwen2(architecture)) return 'qwen2';
  return uniform ? 'llama' : 'deci';
}

const hasFactors = ({ residualScale, scoreScale, embedScale, logitScale }: Style): boolean =>
  residualScale !== 1 || scoreScale !== null || embedScale !== 1 || logitScale !== 1;

/** Qwen2's architecture has square queries, three biases and no divisors. Others of this family are written like LLaMA. */
function fitsQwen2({ hidden, layers }: Architecture): boolean {
  const [{ heads, headDim, biases, rope }] = layers;
  const kinds = ['default', 'linear', 'dynamic'];
  const { biases: its } = CAPABILITIES.qwen2;
  return heads * headDim === hidden && isDeepStrictEqual(biases, its) && kinds.includes(rope?.scaling.kind ?? '');
}

function requireBlocks(name: GgufArchitecture, { hidden, layers, tied: isTied }: Architecture, uniform: boolean): void {
  const { biases: allowed, square, tied } = CAPABILITIES[name];
  const [{ heads, headDim, biases, qkNorm }] = layers;
  if (!uniform && name !== 'deci') {
    const has = qkNorm ? ' and have normalised queries and keys' : '';
    const why = `its blocks differ${has}, and llama.cpp’s architecture ${name} has the same widths in all of them`;
    throw cannotWrite(why, `Choose equal widths for all blocks. ${INSTEAD}`);
  }
  const odd = biases.filter((linear) => !allowed.includes(linear));
  if (odd.length > 0 && name !== 'deci') {
    const what = qkNorm === null ? `biases on ${odd.join(', ')}` : 'biases and normalised queries and keys';
    const why = `it has ${what}, which llama.cpp’s architecture ${name} does not have`;
    throw cannotWrite(why, `If the biases make up for removed parts, leave them out. ${INSTEAD}`);
  }
  if (square && heads * headDim !== hidden) {
    const why = `its heads are ${heads * headDim} numbers wide together`;
    throw cannotWrite(`${why}, and llama.cpp’s architecture ${name} takes them to be as wide as the model, ${hidden}`);
  }
  if (tied === 'always' && !isTied)
    throw cannotWrite(`it has a head of its own, and llama.cpp’s architecture ${name} takes the embedding for it`);
}

/** @throws UserError for a factor, a cap or an activation that the architecture does not have */
function requireStyle(name: GgufArchitecture, { style, hidden }: Architecture): void {
  const fixed = {
    activation: isGemma(name) ? 'gelu' : 'silu',
    ...(name !== 'granite' && { residualScale: 1, logitScale: 1 }),
    ...(name !== 'granite' && name !== 'gemma2' && name !== 'gemma3' && { scoreScale: null }),
    ...(name !== 'gemma2' && { scoreCap: null }),
    ...(name !== 'gemma2' && name !== 'gemma3' && { logitCap: null }),
  };
  const odd = Object.entries(fixed).find(([field, value]) => style[field as keyof Style] !== value);
  if (odd) throw cannotWrite(`its ${WORDS[odd[0]]} is not that of llama.cpp’s architecture ${name}`);
  const embedScale = isGemma(name) ? Math.sqrt(hidden) : name === 'granite' ? style.embedScale : PLAIN_STYLE.embedScale;
  if (Math.abs(style.embedScale / embedScale - 1) > 1e-6) {
    throw cannotWrite(`its embedding is scaled by another factor than llama.cpp’s architecture ${name} has`);
  }
  if (name !== 'gemma2') return;
  for (const [cap, what] of [[style.scoreCap, 'scores'] as const, [style.logitCap, 'logits'] as const]) {
    if (cap === null) throw cannotWrite(`its ${what} have no cap, and llama.cpp’s architecture ${name} has one always`);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  activation: 'activation',
  residualScale: 'factor of what modules add',
  logitScale: 'factor of the logits',
  scoreScale: 'factor of the scores',
  scoreCap: 'cap on the scores',
  logitCap: 'cap on the logits',
};

const isGemma = (name: GgufArchitecture): boolean => name === 'gemma' || name === 'gemma2' || name === 'gemma3';

/** The rotation that the file describes, and fields of a second one. */
function ropesOf(name: GgufArchitecture, { layers }: Architecture): Pick<Rotation, 'fields'> & { readonly rope: Rope } {
  if (name === 'smollm3') return { rope: rotatedByNumber(layers), fields: [] };
  if (name === 'gemma3') return localAndGlobal(layers);
  const rope = shared(layers, 'rope', 'different rotations');
  if (rope === null) throw cannotWrite('it does not rotate queries and keys');
  return { rope, fields: [] };
}

/** llama.cpp leaves out the rotation of every fourth block, whatever a file says. */
function rotatedByNumber(layers: readonly LayerShape[]): Rope {
  const odd = layers.findIndex(({ rope }, block) => (rope === null) !== ((block + 1) % NO_ROPE_PERIOD === 0));
  const ropes = layers.flatMap(({ rope }) => (rope === null ? [] : [rope]));
  if (odd === -1 && ropes.every((rope) => isDeepStrictEqual(rope, ropes[0]))) return ropes[0];
  if (odd === -1) throw cannotWrite('its blocks have different rotations');
  const does = layers[odd].rope === null ? 'does not rotate' : 'rotates';
  throw cannotWrite(
    `its block ${odd} ${does} queries and keys, and llama.cpp leaves the rotation out of blocks 3, 7, 11 and so on, ` +
      'whatever a file says',
    `Remove blocks so that the others keep that order, for example four in a row. ${INSTEAD}`,
  );
}

/** Gemma 3's blocks with a window turn by a base of their own, without scaling. */
function localAndGlobal(layers: readonly LayerShape[]): ReturnType<typeof ropesOf> {
  const ropesWhere = (slides: boolean): (Rope | null)[] =>
    layers.flatMap(({ rope, window }) => ((window !== null) === slides ? [rope] : []));
  const [locals, globals] = [ropesWhere(true), ropesWhere(false)];
  const [local, global] = [locals.at(0) ?? globals[0], globals.at(0) ?? locals[0]];
  const same = (rope: Rope | null, ropes: readonly (Rope | null)[]): rope is Rope =>
    rope !== null && ropes.every((each) => isDeepStrictEqual(each, rope));
  if (!same(local, locals) || !same(global, globals)) throw cannotWrite('its blocks have different rotations');
  if (locals.length > 0 && local.scaling.kind !== 'default') {
    throw cannotWrite('the rotation of its blocks with a window is scaled, which llama.cpp does not do there');
  }
  if (locals.length > 0 && !hasUsualMagnitude(global)) {
    throw cannotWrite('yarn’s factor of cosines is not the usual one, and llama.cpp would use it in all blocks');
  }
  return { rope: global, fields: locals.length > 0 ? [['rope.freq_base_swa', f32(local.theta)]] : [] };
}

/** Of the scores, beside what llama.cpp takes by itself. */
function scoreFactor(name: GgufArchitecture, architecture: Architecture): number {
  const { scoreScale } = architecture.style;
  if (name !== 'gemma2' && name !== 'gemma3') return 1;
  const [{ headDim }] = architecture.layers;
  return (scoreScale ?? 1 / Math.sqrt(headDim)) / scoreScaleOf(name, architecture);
}

function scoreNotes(scores: number): string[] {
  if (Math.abs(scores - 1) <= 1e-6) return [];
  return [
    'its scores have another factor than llama.cpp takes for a model with so many blocks and such heads; the file says it ' +
      'by the size of cosines (rope.scaling.attn_factor), which llama.cpp reads, and other programs may not',
  ];
}

function styleFields(name: GgufArchitecture, { style, layers: [{ headDim }] }: Architecture): GgufField[] {
  const { scoreCap, logitCap, logitScale, embedScale, residualScale, scoreScale } = style;
  if (name === 'granite') {
    return [
      // What logits are divided by.
      ['logit_scale', f32(1 / logitScale)],
      ['embedding_scale', f32(embedScale)],
      ['residual_scale', f32(residualScale)],
      ['attention.scale', f32(scoreScale ?? 1 / Math.sqrt(headDim))],
    ];
  }
  return [
    ...(scoreCap === null ? [] : [['attn_logit_softcapping', f32(scoreCap)] as const]),
    ...(logitCap === null ? [] : [['final_logit_softcapping', f32(logitCap)] as const]),
  ];
}
