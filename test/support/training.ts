/** Training set up for tests in a line. */
import type { Parameters as Trained } from '../../src/engine/retrain/loop/adamw';
import { Backprop } from '../../src/engine/retrain/loop/backprop';
import type { Batch } from '../../src/engine/retrain/loop/batch';
import { fullModel, loadedParameters } from '../../src/engine/retrain/full/full-model';
import { initialAdapters, loraModel } from '../../src/engine/retrain/lora/lora-model';
import type { TrainableModel } from '../../src/engine/retrain/loop/trainable-model';
import { linearNames, type LinearName } from '../../src/engine/checkpoint/architecture';
import type { Model } from '../../src/engine/model/model';
import { fullView, type View } from '../../src/engine/model/view';
import type { WeightSource } from '../../src/engine/weights/source';
import { normal } from './random';

/** Rows whose every token but the first is a target. */
export function textBatch(rows: readonly (readonly number[])[]): Batch {
  return { rows, targets: rows.map((row) => [...row.slice(1), -1]) };
}

/** A trainable and what it trains. */
export interface TrainingSetup {
  readonly trainable: TrainableModel;
  readonly parameters: Trained;
}

/** LoRA, on every Linear unless said, its matrices random, B too, so that everything has a gradient. */
export function loraSetup(
  model: Model,
  {
    view = fullView(model.architecture.layers.length),
    dropout = false,
    targets = linearNames(model.architecture),
    seed = 1,
    frozen,
  }: { view?: View; dropout?: boolean; targets?: readonly LinearName[]; seed?: number; frozen?: WeightSource } = {},
): TrainingSetup {
  const shape = { rank: 4, alpha: 8, targets, dropout };
  const parameters = initialAdapters(model, view, shape, seed);
  const next = normal(seed);
  for (const {
    values,
    shape: [, columns],
  } of parameters.values()) {
    for (let i = 0; i < values.length; i++) values[i] = (0.3 * next()) / Math.sqrt(columns);
  }
  return { trainable: loraModel(model, view, shape, parameters, frozen), parameters };
}

/** Every weight of the checkpoint. */
export async function fullSetup(
  model: Model,
  view: View = fullView(model.architecture.layers.length),
): Promise<TrainingSetup> {
  const parameters = await loadedParameters(model, view);
  return { trainable: fullModel(model, view, parameters), parameters };
}

type BackpropOptions = NonNullable<Parameters<typeof Backprop.create>[2]>;

/** Backpropagation for the length of a call. */
export async function withBackprop<T>(
  model: Model,
  trainable: TrainableModel,
  options: BackpropOptions,
  use: (backprop: Backprop) => Promise<T>,
): Promise<T> {
  const backprop = await Backprop.create(model, trainable, options);
  try {
    return await use(backprop);
  } finally {
    await backprop.close();
  }
}

/** ∂L/∂w of every weight, L being the mean over all targets of all rows. */
export async function weightGradients(
  model: Model,
  rows: readonly (readonly number[])[],
): Promise<Map<string, Float32Array>> {
  const { trainable } = await fullSetup(model);
  return withBackprop(model, trainable, {}, async (backprop) => (await backprop.gradients(textBatch(rows))).gradients);
}
