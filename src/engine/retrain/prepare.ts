/**
 * Prepares a run: its parameters, and how a batch passes through the model. After this step LoRA and full training are
 * handled alike.
 */
import { createHash } from 'node:crypto';
import type { Checkpoint } from '../checkpoint/types';
import { adaptableNames, type LinearName, withoutLayers } from '../checkpoint/architecture';
import type { Model } from '../model/model';
import { fullView, viewWithout } from '../model/view';
import type { Adapter } from '../adapter/adapter';
import type { Parameter } from './loop/adamw';
import type { TrainingData } from './data/load';
import { longestRow } from './data/example';
import { DropoutMasks } from './loop/dropout';
import { requireFullMemory } from './full/memory';
import { fullModel, loadedParameters, randomParameters } from './full/full-model';
import { adapterName, targetOf } from '../adapter/names';
import { initialAdapters, loraParameterName, loraModel } from './lora/lora-model';
import { DEFAULTS } from './defaults';
import type { FullMethod, LoraMethod } from './settings';
import { FORMULA, readStart, startFrom, startFromFormula } from './lora/start-adapter';
import type { TrainableModel } from './loop/trainable-model';
import type { TrainedSelection } from './selection';
import type { WeightSource } from '../weights/source';

export interface PreparedTraining {
  readonly trainable: TrainableModel;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly masks?: DropoutMasks;
  /** The method with all its values, for the record. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The trained blocks, numbered without those that are left out; absent when all are. */
  readonly blocks?: readonly number[];
  /** The trained adapter; absent when weights are trained. */
  readonly adapter?: () => Adapter;
}

/** What is trained. */
export interface TrainingSubject {
  readonly method: LoraMethod | FullMethod;
  readonly seed: number;
  /** The blocks that are trained. When undefined: those of the adapter to start from, or all. */
  readonly selection?: TrainedSelection;
  /** Digest of the healed weights that are trained on. */
  readonly healed?: string;
  /** The model's weights in the arithmetic of frozen products; the model's own when undefined. */
  readonly frozen?: WeightSource;
}

/**
 * @param removed blocks that are left out, ascending
 * @param data the training data
 * @throws UserError when memory does not suffice, or the initial adapter does not fit
 */
export function prepareTraining(
  model: Model,
  removed: readonly number[],
  { method, seed, selection, healed, frozen }: TrainingSubject,
  data: Pick<TrainingData, 'train' | 'heldOut'>,
): Promise<PreparedTraining> {
  return method.kind === 'lora'
    ? loraSubject(model, removed, method, { seed, selection, healed, frozen })
    : fullSubject(model, removed, method, seed, selection, data);
}

/** The trained blocks for the record and the output; undefined if they are all `count` blocks. */
const partOf = (blocks: readonly number[] | undefined, count: number): readonly number[] | undefined =>
  blocks && blocks.length < count ? blocks : undefined;

async function loraSubject(
  model: Model,
  removed: readonly number[],
  method: LoraMethod,
  { seed, selection, healed, frozen }: Omit<TrainingSubject, 'method'>,
): Promise<PreparedTraining> {
  const view = viewOf(model, removed);
  const start = await startOf(method, model.checkpoint, removed);
  const rank = method.rank ?? start?.rank ?? DEFAULTS.rank;
  const alpha = method.alpha ?? start?.alpha ?? DEFAULTS.alpha;
  const dropout = method.dropout ?? DEFAULTS.dropout;
  const linears = adaptableNames(model.architecture);
  const wanted = method.targets ?? start?.targets ?? linears;
  const targets = linears.filter((name) => wanted.includes(name));
  const count = model.architecture.layers.length - removed.length;
  const blocks = selection?.blocks ?? [...(start?.matrices.keys() ?? Array(count).keys())].sort((a, b) => a - b);
  const part = partOf(blocks, count);
  const shape = { rank, alpha, targets, dropout: dropout > 0 };
  const parameters = initialAdapters(model, view, shape, seed, blocks);
  if (start) startFrom(start, parameters);
  else if (method.start === FORMULA) startFromFormula(parameters, targets, blocks, linears);
  return {
    trainable: loraModel(model, view, shape, parameters, frozen),
    parameters,
    masks: dropout > 0 ? new DropoutMasks(dropout, seed) : undefined,
    settings: {
      method: 'lora',
      rank,
      alpha,
      dropout,
      targets: targets.map(targetOf),
      ...(part && { where: selection?.where, trainedBlocks: part }),
      start: digestOf(parameters),
      ...(frozen && { precision: frozen.precision }),
    },
    blocks: part,
    adapter: () => {
      const matrices = matricesOf(parameters, targets, blocks);
      return { rank, alpha, dropout, targets, removed, ...(healed !== undefined && { healed }), matrices };
    },
  };
}

async function fullSubject(
  model: Model,
  removed: readonly number[],
  { start, memory }: FullMethod,
  seed: number,
  selection: TrainedSelection | undefined,
  data: Pick<TrainingData, 'train' | 'heldOut'>,
): Promise<PreparedTraining> {
  const view = viewOf(model, removed);
  const part = partOf(selection?.blocks, model.architecture.layers.length - removed.length);
  const needs = { keepsBest: data.heldOut.length > 0, longest: longestRow(data), trained: part };
  requireFullMemory(withoutLayers(model.architecture, removed), needs, memory);
  const parameters =
    start === 'random' ? randomParameters(model, view, seed) : await loadedParameters(model, view, part);
  return {
    trainable: fullModel(model, view, parameters),
    parameters,
    settings: { method: 'full', start, ...(part && { where: selection?.where, trainedBlocks: part }) },
    blocks: part,
  };
}

const viewOf = ({ architecture: { layers } }: Model, removed: readonly number[]) =>
  removed.length === 0
    ? fullView(layers.length)
    : viewWithout(
        layers.length,
        removed.map((block) => ({ block })),
      );

async function startOf(
  { start }: LoraMethod,
  checkpoint: Checkpoint,
  removed: readonly number[],
): Promise<Adapter | undefined> {
  return start === undefined || start === FORMULA ? undefined : readStart(start, checkpoint, removed);
}

function matricesOf(
  parameters: ReadonlyMap<string, Parameter>,
  targets: readonly LinearName[],
  blocks: readonly number[],
): Map<number, Record<string, Float32Array>> {
  const keys = targets.flatMap((name) => [adapterName(name, 'A'), adapterName(name, 'B')]);
  return new Map(
    blocks.map((k) => [
      k,
      Object.fromEntries(
        keys.flatMap((key) => {
          const parameter = parameters.get(loraParameterName(k, key));
          return parameter ? [[key, parameter.values]] : []; // blocks of other kinds lack it
        }),
      ),
    ]),
  );
}

/** SHA-256 (hex) of the initial parameters. */
function digestOf(parameters: ReadonlyMap<string, Parameter>): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of parameters) {
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
