/**
 * `config.json` and `generation_config.json` of an ONNX folder. The config is the checkpoint's with the numbers of the
 * model that was written, and says which files transformers.js loads.
 */
import { readdir } from 'node:fs/promises';
import type { JsonObject } from '../../../../format/json';
import { attentionIn, attentionOf, carriedBy, denseIn } from '../../../checkpoint/kinds/parts';
import { readConfigFile } from '../../../checkpoint/config-file';
import { requireArchitecture } from '../../../checkpoint/open';
import { RAGGED_FIELDS } from '../../../checkpoint/ragged';
import type { Checkpoint } from '../../../checkpoint/types';
import { type ConfigEdit, configEdits, editConfigText } from '../../config';
import { positionsOf } from '../positions';
import type { OnnxModelFacts } from '../write-onnx';
import { transformersJsType } from './types';

/**
 * The text of `config.json`.
 * @param kept blocks of the checkpoint that were written, in their order
 */
export function onnxConfig(checkpoint: Checkpoint, facts: OnnxModelFacts, kept: readonly number[]): string {
  const config = checkpoint.config ?? {};
  const whole = requireArchitecture(checkpoint);
  const removal = kept.length < whole.layers.length ? configEdits(config, whole, kept) : [];
  // Number literals of the checkpoint's own file need no care: only programs of JavaScript read this one.
  return editConfigText(JSON.stringify(config), [...removal, ...shapeEdits(config, facts), ...loading(facts)]);
}

/** The counts of the graph, whatever the config left to defaults or listed for each block. */
function shapeEdits(config: Readonly<Record<string, unknown>>, { architecture }: OnnxModelFacts): ConfigEdit[] {
  const { layers } = architecture;
  const first = attentionOf(layers.find(attentionIn)!);
  const dense = denseIn(layers[0]);
  const fields = {
    ...transformersJsType(architecture),
    num_hidden_layers: layers.length,
    // Its class looks for the caches of each block by this list, which some configs have in other words.
    ...(layers.some(carriedBy) && {
      layer_types: layers.map((layer) => (carriedBy(layer) ? 'conv' : 'full_attention')),
    }),
    hidden_size: architecture.hidden,
    num_attention_heads: first.heads,
    num_key_value_heads: first.kvHeads,
    head_dim: first.headDim,
    ...(dense && { intermediate_size: dense.width }),
    vocab_size: architecture.vocabulary,
    max_position_embeddings: positionsOf(architecture),
  };
  const gone = ['auto_map', 'quantization_config', ...RAGGED_FIELDS].filter((key) => key in config);
  return [
    ...Object.entries(fields).map(([key, value]) => set(key, value)),
    ...gone.map((key): ConfigEdit => ({ path: [key], kind: 'remove' })),
  ];
}

/** Which files transformers.js loads: browsers fetch external data only where the config says how many files it has. */
function loading({ models }: OnnxModelFacts): ConfigEdit[] {
  const files = models.map(({ file, data }) => [file.slice(file.lastIndexOf('/') + 1), data.length] as const);
  const chunks = Object.fromEntries(files.filter(([, count]) => count > 0));
  return [set('transformers.js_config', { dtype: models[0].kind, use_external_data_format: chunks })];
}

const set = (key: string, value: unknown): ConfigEdit => ({ path: [key], kind: 'set', value });

const GENERATION = 'generation_config.json';

/** The checkpoint's own settings for generation, or none. @throws UserError when its file cannot be read */
export async function readGenerationConfig({ format, folder }: Checkpoint): Promise<JsonObject> {
  // The folder of a GGUF file may have another model's.
  if (format.startsWith('gguf') || !(await readdir(folder)).includes(GENERATION)) return {};
  return (await readConfigFile(folder, GENERATION)).value;
}

/** The text of `generation_config.json`, which names the tokens that end a text. */
export function generationConfig(own: JsonObject, checkpoint: Checkpoint): string {
  return `${JSON.stringify({ ...own, ...specialIds(checkpoint) }, null, 2)}\n`;
}

/** Ids of special tokens by their names in configs; those that the model has. */
export function specialIds(checkpoint: Checkpoint): Readonly<Record<string, number | readonly number[]>> {
  const { bosTokenId, eosTokenIds } = requireArchitecture(checkpoint);
  const padding = checkpoint.config?.pad_token_id;
  return {
    ...(bosTokenId !== undefined && { bos_token_id: bosTokenId }),
    ...(eosTokenIds.length > 0 && { eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds }),
    ...(typeof padding === 'number' && padding >= 0 && { pad_token_id: padding }),
  };
}
