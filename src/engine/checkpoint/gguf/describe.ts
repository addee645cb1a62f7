/**
 * What the metadata of a GGUF file say about its model, as an architecture and as the config.json that transformers would
 * have for it. llama.cpp has one architecture, "llama", for LLaMA, Mistral and all that use their block.
 */
import { printable } from '../../formats/bounded-json';
import type { GgufEntry } from '../../formats/gguf/metadata';
import type { GgufTensor } from '../../formats/gguf/tensors';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Architecture } from '../architecture';
import { ggufShapes } from './shapes';
import type { Unsupported } from '../types';
import { withFused } from './as-gguf';
import { configOf } from './config';
import { DIALECT_NAMES, dialectNamed } from './dialects';
import type { Dialect } from './dialects/dialect';
import { EXPERT_COUNT } from './experts';
import { GgufFields } from './fields';
import { readLayers } from './layers';
import { oddField, readStyle } from './style';

export interface GgufModel {
  readonly architecture: Architecture;
  /** As in a config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** How its tensors are named, and how they lie. */
  readonly dialect: Dialect;
  readonly notes: readonly string[];
}

/** The parts of a file that describe its model. */
export interface GgufDescription {
  /** Name of the file, for messages. */
  readonly file: string;
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  /** By llama.cpp's names. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Divisors of the rotation's frequencies, by the names of their tensors. */
  readonly ropeFactors?: ReadonlyMap<string, readonly number[]>;
}

/**
 * Reads the description. Returns the reason if Coppice cannot compute with the model.
 * @throws UserError that names a key which is missing or impossible
 */
export function describeGguf(gguf: GgufDescription): GgufModel | Unsupported {
  const name = gguf.metadata.get('general.architecture')?.value;
  const experts = typeof name === 'string' ? gguf.metadata.get(`${name}.${EXPERT_COUNT}`)?.value : undefined;
  const dialect = dialectNamed(name, experts !== undefined && experts !== 0);
  if (!dialect) return unknownArchitecture(name);
  const fields = new GgufFields(gguf.metadata, gguf.file, dialect.name);
  const has = (tensor: string): boolean => gguf.tensors.has(tensor);
  const odd = oddField(dialect, fields, has);
  if (odd !== undefined) return unsupported(odd);
  const blocks = fields.count('block_count', MAX_DIMENSION.blocks);
  const hidden = fields.count('embedding_length', MAX_DIMENSION.hidden);
  const described = readLayers(fields, dialect, { blocks, hidden, has, factors: gguf.ropeFactors ?? new Map() });
  if ('why' in described) return described;
  const { notes } = described;
  const layers = dialect.joined ? described.layers.map((layer) => withFused(layer, true)) : described.layers;
  const vocabulary = gguf.tensors.get('token_embd.weight')?.shape[0] ?? 0;
  const architecture: Architecture = {
    family: dialect.family,
    layers,
    style: readStyle(fields, dialect, { layers: ggufShapes(layers), hidden }, described.scores),
    hidden,
    vocabulary,
    context: fields.count('context_length', MAX_DIMENSION.context),
    rmsNormEps: fields.number('attention.layer_norm_rms_epsilon', undefined, true),
    tied: !has('output.weight'),
    ...specialTokens(fields, vocabulary),
  };
  const stored = DOWN.map((tensor) => gguf.tensors.get(tensor)?.dtype).find((dtype) => dtype !== undefined);
  return {
    architecture,
    config: configOf(architecture, dialect, stored),
    dialect,
    notes,
  };
}

/** A matrix that every model has, by either name. */
const DOWN = ['blk.0.ffn_down.weight', 'blk.0.ffn_down_exps.weight'];

function unknownArchitecture(name: unknown): Unsupported {
  const known = DIALECT_NAMES.join(', ');
  const why =
    typeof name === 'string'
      ? `general.architecture is "${printable(name, 60)}"`
      : `general.architecture is ${name === undefined ? 'missing' : 'not a text'}`;
  return unsupported(why, `Coppice computes with GGUF files of ${known}; the file can be inspected.`);
}

const unsupported = (why: string, action = 'The file can be inspected.'): Unsupported => ({ why, action });

function specialTokens(fields: GgufFields, vocabulary: number): Pick<Architecture, 'bosTokenId' | 'eosTokenIds'> {
  const id = (name: string): number[] => {
    const value = fields.optional(`tokenizer.ggml.${name}_token_id`);
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < vocabulary ? [value] : [];
  };
  const [bosTokenId] = id('bos');
  return {
    ...(bosTokenId !== undefined && { bosTokenId }),
    eosTokenIds: [...new Set([...id('eos'), ...id('eot'), ...id('eom')])],
  };
}
