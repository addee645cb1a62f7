/**
 * Toys of LLaMA's block as models of other families that compute the same: as a Granite, whose multipliers are powers of two and
 * whose weights make up for them, and as a Phi-3, whose matrices hold several Linears.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckpointTensors, type TestTensor, writeSafetensors } from './safetensors';
import { temporaryFolder } from './temporary';
import { tinyCheckpoint } from './tiny-models';

/** What a Granite multiplies by. */
export const MULTIPLIERS = {
  embedding_multiplier: 4,
  attention_multiplier: 1 / 8, // in place of 1/√16
  residual_multiplier: 1 / 2,
  logits_scaling: 2,
};

/** By what a weight of the Granite is larger than LLaMA's. */
export function weightFactor(name: string): number {
  if (name.includes('embed_tokens')) return 1 / MULTIPLIERS.embedding_multiplier;
  if (name.includes('q_proj')) return 1 / 4 / MULTIPLIERS.attention_multiplier;
  if (name.includes('o_proj') || name.includes('down_proj')) return 1 / MULTIPLIERS.residual_multiplier;
  return name.includes('lm_head') ? MULTIPLIERS.logits_scaling : 1;
}

/** The folders of the toy `llama-bias` and of the Granite that is the same model. */
export function llamaAndGranite(): { readonly llama: string; readonly granite: string } {
  const llama = tinyCheckpoint('llama-bias');
  const tensors = [...readCheckpointTensors(llama).values()].map((tensor) => ({
    ...tensor,
    values: tensor.values.map((value) => value * weightFactor(tensor.name)),
  }));
  const names = { model_type: 'granite', architectures: ['GraniteForCausalLM'] };
  return { llama, granite: written(llama, { ...names, ...MULTIPLIERS }, tensors) };
}

/** The folders of the toy `llama-plain` with 8 heads in 4 groups, and of the Phi-3 that is the same model. */
export function llamaAndPhi3(): { readonly llama: string; readonly phi3: string } {
  const llama = tinyCheckpoint('llama-plain', { config: { num_attention_heads: 8, num_key_value_heads: 4 } });
  const before = readCheckpointTensors(llama);
  const tensors = [...before.values()].flatMap((tensor) => {
    const [, at, part] = /^(.*)\.(q|k|v|gate|up)_proj\.weight$/.exec(tensor.name) ?? [];
    if (part === undefined) return [tensor];
    if (part !== 'q' && part !== 'gate') return [];
    const parts = part === 'q' ? ['q', 'k', 'v'] : ['gate', 'up'];
    return [
      stacked(
        `${at}.${parts.length === 3 ? 'qkv' : 'gate_up'}_proj.weight`,
        parts.map((each) => before.get(`${at}.${each}_proj.weight`)!),
      ),
    ];
  });
  return { llama, phi3: written(llama, { model_type: 'phi3', architectures: ['Phi3ForCausalLM'] }, tensors) };
}

/** Rows of all parts, on top of each other. */
function stacked(name: string, parts: readonly TestTensor[]): TestTensor {
  const [{ dtype, shape }] = parts;
  const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
  return {
    name,
    dtype,
    shape: [rows, shape[1]],
    values: Float32Array.from(parts.flatMap(({ values }) => [...values])),
  };
}

/** A folder with the config of another one, but for `changes`. */
function written(from: string, changes: object, tensors: readonly TestTensor[]): string {
  const folder = temporaryFolder();
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}
