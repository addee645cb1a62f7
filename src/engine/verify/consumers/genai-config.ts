/**
 * Whether onnxruntime-genai may open a folder. Its genai_config.json can name libraries that it loads (`custom_ops_library`,
 * those of providers), so only a file whose sessions are set as Coppice sets them is given to it.
 */
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../../format/json';
import { readSmallFile } from '../../files/regular-file';

const MOST_BYTES = 2 ** 20;

/** `strange`: it has other settings; undefined where there is none. */
export async function genaiConfigIn(folder: string): Promise<'ours' | 'strange' | undefined> {
  let text: string;
  try {
    text = (await readSmallFile(join(folder, 'genai_config.json'), MOST_BYTES)).toString();
  } catch {
    return undefined;
  }
  try {
    const config: unknown = JSON.parse(text);
    // In Coppice's own layout no key is there twice: other readers would take both.
    return isOurs(config) && text === `${JSON.stringify(config, null, 2)}\n` ? 'ours' : 'strange';
  } catch {
    return 'strange';
  }
}

/** The fields of a model that Coppice writes. Each other one may be a further session, with settings of its own. */
const MODEL = [
  'type',
  'pad_token_id',
  'bos_token_id',
  'eos_token_id',
  'unk_token_id',
  'context_length',
  'vocab_size',
  'decoder',
  'draft',
];
const DECODER = [
  'session_options',
  'filename',
  'head_size',
  'hidden_size',
  'num_attention_heads',
  'num_hidden_layers',
  'num_key_value_heads',
  'inputs',
  'outputs',
];

/** Where the model of a draft lies: below the folder, with a plain name. */
const DRAFT_FILE = /^draft\/\w+\.onnx$/;
const MOST_DRAFTED = 16;

function isOurs(config: unknown): boolean {
  if (!isObject(config) || !hasOnly(config, ['model', 'search', 'speculative'])) return false;
  const { model, speculative } = config;
  if (!isObject(model) || !hasOnly(model, MODEL) || !isDecoder(model.decoder)) return false;
  const { draft } = model;
  if (draft === undefined) return speculative === undefined;
  if (!isDecoder(draft) || typeof draft.filename !== 'string' || !DRAFT_FILE.test(draft.filename)) return false;
  if (!isObject(speculative) || !hasOnly(speculative, ['max_draft_tokens'])) return false;
  const most = speculative.max_draft_tokens;
  return Number.isInteger(most) && (most as number) >= 1 && (most as number) <= MOST_DRAFTED;
}

function isDecoder(decoder: unknown): decoder is JsonObject {
  if (!isObject(decoder) || !hasOnly(decoder, DECODER) || !isObject(decoder.session_options)) return false;
  const { log_id: id, provider_options: providers, ...others } = decoder.session_options;
  const isEmpty = Array.isArray(providers) && providers.length === 0;
  return typeof id === 'string' && isEmpty && Object.keys(others).length === 0;
}

const hasOnly = (value: object, names: readonly string[]): boolean =>
  Object.keys(value).every((name) => names.includes(name));
