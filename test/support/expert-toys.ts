/** Seeded toy checkpoints with experts, which tests write themselves: of any family, by its config. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { allWeights } from '../../src/engine/checkpoint/weight-names';
import { normal } from './random';
import { writeSafetensors, type TestTensor } from './safetensors';
import { temporaryFolder } from './temporary';
import { writeTinyTokenizer } from './tiny-tokenizer';

/** Rows of its matrices are whole blocks of quantized types. */
const CONFIG = {
  model_type: 'mixtral',
  hidden_act: 'silu',
  hidden_size: 64,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_local_experts: 3,
  num_experts_per_tok: 2,
  vocab_size: 288,
  max_position_embeddings: 64,
  torch_dtype: 'float32',
};

/**
 * The folder of a checkpoint with random weights, and a tokenizer.
 * @param config keys to set in that of a Mixtral of two blocks
 * @param layout the tensors that are written in place of the family's own
 */
export function expertToy(
  config: Readonly<Record<string, unknown>> = {},
  layout: (tensors: readonly TestTensor[]) => readonly TestTensor[] = (tensors) => tensors,
): string {
  const folder = temporaryFolder();
  const own = { ...CONFIG, ...config };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(own));
  const architecture = readConfigArchitecture(own);
  if ('why' in architecture) throw new Error(architecture.why);
  const random = normal(7);
  const tensors = [...allWeights(architecture)].map(({ name, shape }): TestTensor => {
    const isNorm = name.includes('norm');
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float32Array.from({ length: size }, () => (isNorm ? 1 : 0) + 0.2 * random());
    return { name, dtype: 'F32', shape, values };
  });
  writeSafetensors(join(folder, 'model.safetensors'), layout(tensors));
  writeTinyTokenizer(folder);
  return folder;
}

/** The tensors with the experts of each block in two, as transformers 5 has them: gate on top of up, and down. */
export function stackedLayout(tensors: readonly TestTensor[]): readonly TestTensor[] {
  const ofExpert = /^(.*\.experts)\.(\d+)\.(gate_proj|w1|up_proj|w3|down_proj|w2)\.weight$/;
  const stacks = new Map<string, Map<string, TestTensor>>();
  const rest = tensors.filter((tensor) => {
    const match = ofExpert.exec(tensor.name);
    if (!match) return true;
    const [, module, expert, matrix] = match;
    const isDown = matrix === 'down_proj' || matrix === 'w2';
    const name = `${module}.${isDown ? 'down_proj' : 'gate_up_proj'}`;
    const place = `${expert.padStart(3, '0')} ${matrix === 'up_proj' || matrix === 'w3' ? 1 : 0}`;
    stacks.set(name, (stacks.get(name) ?? new Map<string, TestTensor>()).set(place, tensor));
    return false;
  });
  const stacked = [...stacks].map(([name, parts]): TestTensor => {
    const ordered = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tensor]) => tensor);
    const experts = new Set([...parts.keys()].map((place) => place.slice(0, 3))).size;
    const [rows, width] = ordered[0].shape;
    const values = Float32Array.from(ordered.flatMap((tensor) => [...tensor.values]));
    return { name, dtype: 'F32', shape: [experts, (rows * ordered.length) / experts, width], values };
  });
  return [...rest, ...stacked];
}
