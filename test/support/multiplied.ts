/**
 * A toy of LLaMA's block as a Granite: its multipliers are powers of two, and its weights make up for them, so that the two are
 * the same model.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckpointTensors, writeSafetensors } from './safetensors';
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
  const granite = temporaryFolder();
  const config = JSON.parse(readFileSync(join(llama, 'config.json'), 'utf8')) as object;
  const names = { model_type: 'granite', architectures: ['GraniteForCausalLM'] };
  writeFileSync(join(granite, 'config.json'), JSON.stringify({ ...config, ...names, ...MULTIPLIERS }));
  const tensors = [...readCheckpointTensors(llama).values()].map((tensor) => ({
    ...tensor,
    values: tensor.values.map((value) => value * weightFactor(tensor.name)),
  }));
  writeSafetensors(join(granite, 'model.safetensors'), tensors);
  return { llama, granite };
}
