/**
 * The language model of a multimodal Gemma 3 or Qwen3.5 as a model of its own: its config is made from `text_config`, and its
 * weights lose the prefix that tells them from those of the vision tower. Gemma 3's is written as a model of its own too, Qwen3.5's
 * in its place, beside what is around it.
 */
import { isObject } from '../../format/json';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { printable } from '../formats/bounded-json';
import type { TensorInfo } from '../formats/tensor';
import type { Config } from './fields';

/** Fields of the whole model that hold for its language model, unless that says otherwise. */
const INHERITED = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'torch_dtype', 'dtype', 'transformers_version'];

/** How the weights are packed, which the whole model says. */
const PACKING = ['quantization_config', 'quantization'];

/** What transformers' configuration class assumes where text_config is silent; text_config of 4B names little more than sizes. */
const GEMMA3_DEFAULTS: Config = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
};

/** A kind of multimodal model. */
interface Whole {
  readonly textType: string;
  readonly className: string;
  readonly defaults: Config;
  /** Fields of the whole model that hold, whatever its language model says. */
  readonly ruling: readonly string[];
  /** The prefix of the language model's tensors, if it is written in its place in the whole model. */
  readonly prefix?: string;
}

const WHOLES: Readonly<Record<string, Whole>> = {
  gemma3: {
    textType: 'gemma3_text',
    className: 'Gemma3ForCausalLM',
    defaults: GEMMA3_DEFAULTS,
    // Its class ties the head.
    ruling: ['tie_word_embeddings', ...PACKING],
  },
  qwen3_5: {
    textType: 'qwen3_5_text',
    className: 'Qwen3_5ForCausalLM',
    defaults: {},
    ruling: PACKING,
    prefix: 'model.language_model.',
  },
};

const wholeOf = ({ model_type: type, text_config: inner }: Config): Whole | undefined =>
  typeof type === 'string' && isObject(inner) && Object.hasOwn(WHOLES, type) ? WHOLES[type] : undefined;

/** Whether the language model of this config is a part that Coppice takes out. */
export const hasTextPart = (config: Config): boolean => wholeOf(config) !== undefined;

/** The prefix of the language model's tensors in files that Coppice writes; undefined if it is written as a model of its own. */
export const writtenPrefix = (config: Config): string | undefined => wholeOf(config)?.prefix;

/**
 * The config of the language model; any other config as it is. Works on a config whose numbers are texts, too.
 */
export function textConfig(config: Config): Config {
  const [inner, whole] = [config.text_config, wholeOf(config)];
  if (!whole || !isObject(inner)) return config;
  const of = (names: readonly string[]): Config =>
    Object.fromEntries(names.filter((name) => name in config).map((name) => [name, config[name]]));
  const type = inner.model_type ?? whole.textType;
  return {
    architectures: [whole.className],
    ...whole.defaults,
    ...of(INHERITED),
    ...inner,
    ...of(whole.ruling),
    // Another type stays, so that it is refused by its name.
    model_type: type === config.model_type ? whole.textType : type,
  };
}

/** Both layouts of names: of transformers up to 4.51 and of later ones. */
const LAYOUTS: readonly (readonly [prefix: string, own: string])[] = [
  ['language_model.model.', 'model.'],
  ['language_model.lm_head.', 'lm_head.'],
  ['model.language_model.', 'model.'],
  ['lm_head.', 'lm_head.'],
];

export interface TextPart {
  /** All tensors of the files, those of the language model by the names that they have in it. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Names of tensors that are no part of the language model. */
  readonly others: ReadonlySet<string>;
  /** Says so, for `inspect`. */
  readonly note: string;
}

/** @throws UserError for a weight that is stored in both layouts */
export function textPart(stored: ReadonlyMap<string, TensorInfo>, config: Config): TextPart {
  const tensors = new Map<string, TensorInfo>();
  const others = new Set<string>();
  for (const [before, tensor] of stored) {
    const layout = LAYOUTS.find(([prefix]) => before.startsWith(prefix));
    const name = layout ? layout[1] + before.slice(layout[0].length) : before;
    if (tensors.has(name)) throw twice(before, name);
    tensors.set(name, name === before ? tensor : { ...tensor, name });
    if (!layout) others.add(name);
  }
  const what = writtenPrefix(config) === undefined ? 'the vision part' : 'other parts';
  const fate = writtenPrefix(config) === undefined ? 'left out' : 'kept as they are';
  const left =
    others.size === 0
      ? ''
      : `; ${counted(others.size, 'tensor')} of ${what} ${others.size === 1 ? 'is' : 'are'} ${fate}`;
  return { tensors, others, note: `the language model of a multimodal checkpoint (text_config)${left}` };
}

function twice(before: string, name: string): UserError {
  return new UserError(
    `"${printable(name, 120)}" is stored twice`,
    `"${printable(before, 120)}" is the same weight under the name of another version of transformers`,
    'Download the weights of one revision of the model.',
  );
}
