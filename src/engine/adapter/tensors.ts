/** The matrices of an adapter's file: PEFT's names, the Linear of each, and the errors for those that do not fit. */
import { adaptableNames, type Architecture } from '../checkpoint/architecture';
import { printable } from '../formats/bounded-json';
import { isWeightDtype } from '../formats/dtype';
import { ADAPTER_WEIGHTS } from '../formats/peft';
import type { TensorInfo } from '../formats/tensor';
import { blockWeights } from '../checkpoint/weight-names';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import type { LinearName } from '../checkpoint/architecture';
import type { AdapterBase } from './base';
import { ADAPTER_CONFIG } from '../formats/peft';
import type { AdapterConfig } from './config';

/** The position of a matrix in the model, and its shape. */
export interface Slot {
  readonly block: number;
  readonly linear: LinearName;
  readonly matrix: 'A' | 'B';
  readonly shape: readonly [number, number];
}

/** Every matrix that an adapter of this rank can have, by PEFT's name for it. */
export function slotsOf(architecture: Architecture, rank: number): Map<string, Slot> {
  const slots = new Map<string, Slot>();
  for (let block = 0; block < architecture.layers.length; block++) {
    const weights = blockWeights(architecture, block);
    for (const linear of adaptableNames(architecture)) {
      if (!weights[linear]) continue; // of other blocks
      const { name, shape } = weights[linear];
      slots.set(peftName(name, 'A'), { block, linear, matrix: 'A', shape: [rank, shape[1]] });
      slots.set(peftName(name, 'B'), { block, linear, matrix: 'B', shape: [shape[0], rank] });
    }
  }
  return slots;
}

/** "model.layers.0.self_attn.q_proj.weight" → "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight" */
function peftName(weight: string, matrix: 'A' | 'B'): string {
  return `base_model.model.${weight.slice(0, -'.weight'.length)}.lora_${matrix}.weight`;
}

/** @throws UserError for a matrix with a different type or shape than its slot */
export function requireShape({ name, shape, dtype }: TensorInfo, slot: Slot, rank: number, base?: AdapterBase): void {
  if (!isWeightDtype(dtype)) {
    throw new UserError(
      `${ADAPTER_WEIGHTS}: "${name}" cannot be used`,
      `it is stored as ${dtype}`,
      'Save the adapter as F32, F16 or BF16.',
    );
  }
  if (shape.length === 2 && shape.every((extent, i) => extent === slot.shape[i])) return;
  const rankAxis = slot.matrix === 'A' ? 0 : 1;
  const wrongRank = shape.length === 2 && shape[1 - rankAxis] === slot.shape[1 - rankAxis];
  throw new UserError(
    `${ADAPTER_WEIGHTS}: "${name}" does not fit`,
    `its shape is [${shape.join(', ')}], it has to be [${slot.shape.join(', ')}]` +
      (wrongRank ? `: ${ADAPTER_CONFIG} says r = ${rank}` : ' for this checkpoint'),
    wrongRank
      ? 'Get both files from the same adapter.'
      : `Use the adapter with the model that it was trained on${base ? `, ${printable(base.name, 80)}` : ''}.`,
  );
}

/** A and B come in pairs, and every module that the config names has its pair. @throws UserError */
export function requireComplete(
  found: ReadonlyMap<string, unknown>,
  slots: ReadonlyMap<string, Slot>,
  { targetModules, layers }: AdapterConfig,
): void {
  for (const [name, { block, matrix }] of slots) {
    if (found.has(name)) continue;
    const partner = name.replace(/lora_[AB]\.weight$/, `lora_${matrix === 'A' ? 'B' : 'A'}.weight`);
    const module = name.slice('base_model.model.'.length, name.indexOf('.lora_'));
    const named =
      targetModules === 'all-linear' ||
      (targetModules?.some((end) => module === end || module.endsWith(`.${end}`)) ?? false);
    const wanted = named && (layers?.includes(block) ?? true);
    if (!found.has(partner) && !wanted) continue;
    throw new UserError(
      `${ADAPTER_WEIGHTS}: "${name}" is missing`,
      found.has(partner)
        ? 'its other matrix is there'
        : `${ADAPTER_CONFIG} says that ${module.split('.').at(-1)} of block ${block} is adapted`,
      'Copy the adapter again; if it was trained on a pruned model, use it with that.',
    );
  }
  if (found.size > 0) return;
  throw new UserError(`${ADAPTER_WEIGHTS} holds no adapter`, 'it has no tensor', 'Copy the adapter again.');
}

/** The error for a tensor that does not belong to the model. */
export function unknownTensor(name: string, { layers }: Architecture): UserError {
  const blocks = layers.length;
  const what = `${ADAPTER_WEIGHTS}: "${printable(name, 120)}" cannot be used`;
  const block = /^base_model\.model\.model\.layers\.(\d{1,6})\.[\w.]*\.lora_[AB]\.weight$/.exec(name)?.[1];
  if (block !== undefined && Number(block) >= blocks) {
    return new UserError(
      what,
      `the model has ${counted(blocks, 'block')}, the last one is block ${blocks - 1}`,
      'Use the adapter with the model that it was trained on.',
    );
  }
  const why = name.includes('lora_magnitude_vector')
    ? 'it belongs to DoRA'
    : 'it is not a LoRA matrix of a Linear of this model';
  return new UserError(what, why, 'Adapters of the Linears of attention and FFN can be used.');
}

/** The error for a matrix that cannot be computed with. */
export const notFinite = (name: string): UserError =>
  new UserError(
    `${ADAPTER_WEIGHTS}: "${name}" cannot be used`,
    'it holds infinities or NaN',
    'Its training diverged: train again with a lower learning rate, or use an earlier state.',
  );
