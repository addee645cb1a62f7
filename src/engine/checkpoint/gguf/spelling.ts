/**
 * How a model is written: in the dialect whose graph computes the same. What none of them computes is refused, because a reader
 * would not notice. Only what short texts do not see is left out with a note: windows of attention, and rotations that change in
 * long texts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GgufField, GgufValue } from '../../formats/gguf/layout';
import { f32, u32 } from '../../formats/gguf/values';
import type { Architecture } from '../architecture';
import { type GgufArchitecture, ggufModel, type GgufShape } from './shapes';
import { cannotWrite, INSTEAD, shared } from './cannot';
import { requireKinds, requireMixers } from './mixers';
import { dialectFor } from './dialects';
import type { Dialect } from './dialects/dialect';
import { expertFields, FFN_WIDTH, requireExperts } from './experts';
import { writeRotation, type WrittenRotation } from './rotation';
import { requireStyle, scoreFactor, scoreNotes, styleFields } from './style';
import { writeWindows } from './windows';

/** What a file says of the model beside the fields that every dialect has. */
export interface Spelling extends WrittenRotation {
  readonly dialect: Dialect;
  /** Of every block. */
  readonly headDim: number;
  /** The file has a matrix for the head even where the model shares the embedding's. */
  readonly ownHead: boolean;
}

/** llama.cpp's own limit. */
const MAX_BLOCKS = 512;

/** @throws UserError for a model that llama.cpp would compute otherwise */
export function spellingOf(model: Architecture): Spelling {
  requireKinds(model);
  const architecture = ggufModel(model);
  const { layers } = architecture;
  if (layers.length > MAX_BLOCKS)
    throw cannotWrite(`it has ${layers.length} blocks, and llama.cpp loads up to ${MAX_BLOCKS}`);
  const headDim = shared(layers, 'headDim', 'heads of different widths');
  if (headDim % 2 !== 0) throw cannotWrite(`its heads have ${headDim} numbers, which is odd`);
  shared(layers, 'qkNorm', 'normalized queries and keys in some blocks only');
  const equal = layers.every((layer) => isDeepStrictEqual(shapeOf(layer), shapeOf(layers[0])));
  const dialect = dialectFor(architecture, equal);
  requireExperts(dialect, architecture);
  requireMixers(dialect, architecture);
  requireBlocks(dialect, architecture, equal);
  requireStyle(dialect, architecture);
  const scores = scoreFactor(dialect, architecture);
  const rotation = writeRotation(dialect, architecture, scores);
  const windows = writeWindows(dialect, architecture);
  return {
    ...rotation,
    dialect,
    headDim,
    ownHead: dialect.tied === 'never' || !architecture.tied,
    fields: [
      ...rotation.fields,
      ...windows.fields,
      ...styleFields(dialect, architecture),
      ...expertFields(dialect, architecture),
      ...(dialect.mixer?.fields(layers.map(({ other }) => other)) ?? []),
    ],
    notes: [...windows.notes, ...scoreNotes(scores), ...rotation.notes],
  };
}

/** What most dialects have once for all blocks. */
const shapeOf = (layer: GgufShape): GgufShape => ({ ...layer, other: undefined, window: null, rope: null });

/** @throws UserError for shapes of blocks that the dialect does not have */
function requireBlocks(dialect: Dialect, { hidden, layers, tied: isTied }: GgufArchitecture, equal: boolean): void {
  const { name, biases: allowed, square, tied, perBlock } = dialect;
  const [{ heads, headDim, biases, qkNorm }] = layers;
  if (!equal && !perBlock) {
    const has = qkNorm ? ' and have normalized queries and keys' : '';
    const why = `its blocks differ${has}, and llama.cpp’s architecture ${name} has the same widths in all of them`;
    throw cannotWrite(why, `Choose equal widths for all blocks. ${INSTEAD}`);
  }
  const odd = biases.filter((linear) => !allowed.includes(linear));
  if (odd.length > 0) {
    const what = qkNorm === null ? `biases on ${odd.join(', ')}` : 'biases and normalized queries and keys';
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

/** The dimensions of the model, and what is special in it. @param architecture of the written blocks only */
export function architectureFields(architecture: Architecture, spelling: Spelling): GgufField[] {
  const { layers, hidden, vocabulary, context, rmsNormEps } = ggufModel(architecture);
  const { dialect, headDim, rope } = spelling;
  /** One number for equal blocks, else one for each. */
  const perBlock = (values: readonly number[]): GgufValue =>
    dialect.perBlock ? { type: 'array', of: 'u32', values } : u32(values[0]);
  const kvHeads = layers.map(({ kvHeads: own, other }) => (other && dialect.mixer?.listed ? 0 : own));
  const fields: GgufField[] = [
    ['context_length', u32(context)],
    ['embedding_length', u32(hidden)],
    ['block_count', u32(layers.length)],
    [FFN_WIDTH, perBlock(layers.map(({ ffn }) => ffn))],
    ['attention.head_count', perBlock(layers.map(({ heads }) => heads))],
    [
      'attention.head_count_kv',
      dialect.mixer?.listed ? { type: 'array', of: 'u32', values: kvHeads } : perBlock(kvHeads),
    ],
    ['attention.key_length', u32(headDim)],
    ['attention.value_length', u32(headDim)],
    ['attention.layer_norm_rms_epsilon', f32(rmsNormEps)],
    ['rope.dimension_count', u32(rope.turned ?? headDim)],
    ['rope.freq_base', f32(rope.theta)],
    ['vocab_size', u32(vocabulary)],
    ...spelling.fields,
  ];
  return fields.map(([key, value]) => [`${dialect.name}.${key}`, value]);
}
