/** The metadata of a GGUF file that describes the model, under the keys and with the types that llama.cpp reads. */
import type { Architecture } from '../../checkpoint/architecture';
import { parametersOf } from '../../checkpoint/parameters';
import type { GgufField, GgufValue } from '../../formats/gguf/layout';
import { isQuantised } from '../../formats/gguf/quantise';
import type { RewrittenDtype } from '../rewrite';
import type { Dialect } from './dialect';
import { FILE_TYPES, QUANTISATION_VERSION } from './types';

export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const f32 = (value: number): GgufValue => ({ type: 'f32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const text = (value: string): GgufValue => ({ type: 'string', value });
export const texts = (values: readonly string[]): GgufValue => ({ type: 'array', of: 'string', values });

const UNITS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'K'],
] as const;

/** The types in a file. */
interface Dtypes {
  /** That the file is named after. */
  readonly main: RewrittenDtype;
  readonly all: Iterable<RewrittenDtype>;
}

/** What the file is, for people and for lists of models. */
export function generalFields(
  architecture: Architecture,
  { name: dialect }: Pick<Dialect, 'name'>,
  facts: { readonly name: string; readonly description?: string; readonly dtypes: Dtypes },
): GgufField[] {
  return [
    ['general.architecture', text(dialect)],
    ['general.type', text('model')],
    ['general.name', text(facts.name)],
    ...(facts.description === undefined ? [] : [['general.description', text(facts.description)] as const]),
    ['general.size_label', text(sizeLabel(parametersOf(architecture)))],
    ['general.file_type', u32(FILE_TYPES[facts.dtypes.main])],
    ...([...facts.dtypes.all].some(isQuantised)
      ? [['general.quantization_version', u32(QUANTISATION_VERSION)] as const]
      : []),
  ];
}

/** "135M": parameters in at most three digits. */
export function sizeLabel(parameters: number): string {
  const [unit, letter] = UNITS.find(([size]) => parameters >= size) ?? [1, ''];
  const count = parameters / unit;
  return `${count >= 9.95 ? Math.round(count) : Number(count.toFixed(1))}${letter}`;
}

/** The dimensions of the model. @param architecture of the written blocks only */
export function architectureFields(architecture: Architecture, dialect: Dialect): GgufField[] {
  const { layers, hidden, vocabulary, context, rmsNormEps } = architecture;
  const { name, headDim, rope } = dialect;
  /** One number for equal blocks, else one for each. */
  const perBlock = (values: readonly number[]): GgufValue =>
    name === 'deci' ? { type: 'array', of: 'u32', values } : u32(values[0]);
  const fields: GgufField[] = [
    ['context_length', u32(context)],
    ['embedding_length', u32(hidden)],
    ['block_count', u32(layers.length)],
    ['feed_forward_length', perBlock(layers.map(({ ffn }) => ffn))],
    ['attention.head_count', perBlock(layers.map(({ heads }) => heads))],
    ['attention.head_count_kv', perBlock(layers.map(({ kvHeads }) => kvHeads))],
    ['attention.key_length', u32(headDim)],
    ['attention.value_length', u32(headDim)],
    ['attention.layer_norm_rms_epsilon', f32(rmsNormEps)],
    ['rope.dimension_count', u32(rope.turned ?? headDim)],
    ['rope.freq_base', f32(rope.theta)],
    ['vocab_size', u32(vocabulary)],
    ...dialect.fields,
  ];
  return fields.map(([key, value]) => [`${name}.${key}`, value]);
}
