/** Trains LoRA adapters on a frozen checkpoint (Hu et al. 2021; Shortened LLaMA §3.3). */
import { blockWeights } from '../../checkpoint/weight-names';
import { float32 } from '../../onnx/session';
import { Random } from '../../random';
import {
  adaptableNames,
  type Architecture,
  linearGroups,
  type LinearName,
  moduleOf,
} from '../../checkpoint/architecture';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Model } from '../../model/model';
import { type Step, stepsOf, type View } from '../../model/view';
import type { WeightSource } from '../../weights/source';
import { TOKENS_PER_RUN } from '../amounts';
import type { Parameter } from '../loop/adamw';
import { adapterName, targetOf } from '../../adapter/names';
import { dropoutName, loraBlockParameters, type LoraShape } from './graph';
import type { DropoutSite, TrainableModel, TrainedStep } from '../loop/trainable-model';

/** Name of an adapter's matrix among the parameters; `k` is the block's index in the pruned model. */
export function loraParameterName(k: number, key: string): string {
  return `${k}.${key}`;
}

/** @throws UserError for Linears that the model does not have, such as q where q, k and v are one matrix */
export function requireTargets(
  architecture: Architecture,
  { targets }: { readonly targets?: readonly LinearName[] },
): void {
  const own = adaptableNames(architecture);
  const missing = targets?.filter((name) => !own.includes(name)) ?? [];
  if (missing.length === 0) return;
  const shown = (linears: readonly LinearName[]): string => linears.map(targetOf).join(', ');
  throw new UserError(
    `No adapter can be trained on ${shown(missing)}`,
    `the Linears of this model are ${shown(own)}`,
    `Choose among them with ${option('targets')}, or leave it out: all are adapted then.`,
  );
}

/** The largest useful rank: the smallest dimension of the adapted Linears. */
export function largestRank({ architecture }: Pick<Model, 'architecture'>, targets: readonly LinearName[]): number {
  const blocks = Array.from(architecture.layers.keys(), (block) => blockWeights(architecture, block));
  return Math.min(...blocks.flatMap((weights) => targets.flatMap((name) => weights[name]?.shape ?? [])));
}

/**
 * Initial adapters. A is initialised as in PyTorch (Kaiming uniform with a = √5: U(±1/√in)) and B is zero, so that
 * training starts from the model itself.
 * @param trained the steps of the view that get an adapter, ascending; all when undefined
 */
export function initialAdapters(
  model: Pick<Model, 'architecture'>,
  view: View,
  { rank, targets }: LoraShape,
  seed: number,
  trained?: readonly number[],
): Map<string, Parameter> {
  const random = new Random(seed);
  const parameters = new Map<string, Parameter>();
  for (const [k, step] of stepsOf(view).entries()) {
    if (trained?.includes(k) === false) continue;
    const shapes = blockWeights(model.architecture, step.block);
    for (const name of targets.filter((t) => step[moduleOf(t)] && shapes[t])) {
      const [out, input] = shapes[name]!.shape;
      const bound = 1 / Math.sqrt(input);
      const a = Float32Array.from({ length: rank * input }, () => (2 * random.uniform() - 1) * bound);
      parameters.set(loraParameterName(k, adapterName(name, 'A')), { values: a, shape: [rank, input], decays: true });
      const b = new Float32Array(out * rank);
      parameters.set(loraParameterName(k, adapterName(name, 'B')), { values: b, shape: [out, rank], decays: true });
    }
  }
  return parameters;
}

/**
 * The model with adapters to train.
 * @param parameters as `initialAdapters` names them; a step without any is frozen
 * @param frozen the model's weights in the arithmetic of their products; only Linears of blocks use it
 */
export function loraModel(
  model: Model,
  view: View,
  shape: LoraShape,
  parameters: ReadonlyMap<string, Parameter>,
  frozen: WeightSource = model.weights,
): TrainableModel {
  return {
    embedding: {
      lookUp: async (ids, into) => {
        await model.embedding.lookUp(ids, into);
      },
    },
    steps: stepsOf(view).map((step, k) => trainedStep(model, step, k, { shape, parameters, frozen })),
    head: { options: {}, feeds: {}, names: new Map() },
    parameters,
    tokensPerRun: TOKENS_PER_RUN.lora,
    bytesPerWeight: frozen.precision === 'int8' ? 1 : 4,
  };
}

interface LoraParts {
  readonly shape: LoraShape;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly frozen: WeightSource;
}

/** @param k index of the step in the view */
function trainedStep(
  { architecture }: Model,
  step: Step,
  k: number,
  { shape, parameters, frozen }: LoraParts,
): TrainedStep {
  const prefix = loraParameterName(k, '');
  const own = [...parameters].filter(([name]) => name.startsWith(prefix));
  const inGraph = (name: string): string => name.slice(prefix.length);
  const targets = shape.targets.filter((name) => parameters.has(prefix + adapterName(name, 'A')));
  return {
    step,
    sessionKey: `block ${k}`,
    declare: (g) => loraBlockParameters(g, architecture, step.block, frozen, { ...shape, targets }),
    feeds: Object.fromEntries(own.map(([name, p]) => [inGraph(name), float32(p.values, p.shape)])),
    names: new Map(own.map(([name]) => [inGraph(name), name])),
    dropoutSites: shape.dropout ? dropoutSites(architecture, step, targets) : [],
  };
}

/** The inputs of a step that adapted Linears read. */
function dropoutSites(architecture: Architecture, step: Step, targets: readonly LinearName[]): DropoutSite[] {
  const shapes = blockWeights(architecture, step.block);
  const taking = linearGroups(architecture.layers[step.block]).filter(([first]) => step[moduleOf(first)]);
  const adapted = taking.filter((group) => group.some((name) => targets.includes(name)));
  return adapted.map((group) => ({ name: dropoutName(group), width: shapes[group[0]]!.shape[1] }));
}
