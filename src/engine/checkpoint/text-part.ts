/**
 * The language model of a multimodal Gemma 3 as a model of its own: its config is made from `text_config`, and its weights
 * lose the prefix that tells them from those of the vision tower.
 */
import { isObject } from '../../format/json';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { printable } from '../formats/bounded-json';
import type { TensorInfo } from '../formats/tensor';
import type { Config } from './fields';

const WHOLE = 'gemma3';
const TYPE = 'gemma3_text';

/** What transformers' configuration class assumes where text_config is silent; text_config of 4B names little more than sizes. */
const DEFAULTS: Config = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
};

/** Fields of the whole model that hold for its language model, unless that says otherwise. */
const INHERITED = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'torch_dtype', 'dtype', 'transformers_version'];

/** Fields of the whole model that hold, whatever its language model says: its class ties the head and packs all weights. */
const RULING = ['tie_word_embeddings', 'quantization_config', 'quantization'];

/** Whether the language model of this config is a part that Coppice takes out. */
export const hasTextPart = (config: Config): boolean => config.model_type === WHOLE && isObject(config.text_config);

/**
 * The config of the language model; any other config as it is. Works on a config whose numbers are texts, too.
 */
export function textConfig(config: Config): Config {
  const inner = config.text_config;
  if (!hasTextPart(config) || !isObject(inner)) return config;
  const of = (names: readonly string[]): Config =>
    Object.fromEntries(names.filter((name) => name in config).map((name) => [name, config[name]]));
  const type = inner.model_type ?? TYPE;
  return {
    architectures: ['Gemma3ForCausalLM'],
    ...DEFAULTS,
    ...of(INHERITED),
    ...inner,
    ...of(RULING),
    // Another type stays, so that it is refused by its name.
    model_type: type === WHOLE ? TYPE : type,
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
export function textPart(stored: ReadonlyMap<string, TensorInfo>): TextPart {
  const tensors = new Map<string, TensorInfo>();
  const others = new Set<string>();
  for (const [before, tensor] of stored) {
    const layout = LAYOUTS.find(([prefix]) => before.startsWith(prefix));
    const name = layout ? layout[1] + before.slice(layout[0].length) : before;
    if (tensors.has(name)) throw twice(before, name);
    tensors.set(name, name === before ? tensor : { ...tensor, name });
    if (!layout) others.add(name);
  }
  const left =
    others.size === 0
      ? ''
      : `; ${counted(others.size, 'tensor')} of the vision part ${others.size === 1 ? 'is' : 'are'} left out`;
  return { tensors, others, note: `the language model of a multimodal checkpoint (text_config)${left}` };
}

function twice(before: string, name: string): UserError {
  return new UserError(
    `"${printable(name, 120)}" is stored twice`,
    `"${printable(before, 120)}" is the same weight under the name of another version of transformers`,
    'Download the weights of one revision of the model.',
  );
}
