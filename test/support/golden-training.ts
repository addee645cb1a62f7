/** An open model trained as the golden numbers were, and compared with them (golden/README.md). */
import assert from 'node:assert/strict';
import { CancelledError } from '../../src/engine/errors';
import type { Parameters } from '../../src/engine/retrain/loop/adamw';
import { adaptableNames, type Architecture, type LinearName } from '../../src/engine/checkpoint/architecture';
import { blockWeights } from '../../src/engine/checkpoint/weight-names';
import { Backprop } from '../../src/engine/retrain/loop/backprop';
import { NO_LABEL, type Example, type ExampleSet } from '../../src/engine/retrain/data/example';
import { fullModel, loadedParameters } from '../../src/engine/retrain/full/full-model';
import { initialAdapters, loraModel } from '../../src/engine/retrain/lora/lora-model';
import { toBatch } from '../../src/engine/retrain/loop/batch';
import type { TrainOptions } from '../../src/engine/retrain/loop/options';
import { train } from '../../src/engine/retrain/loop/train';
import type { TraceEntry } from '../../src/engine/retrain/loop/training-state';
import type { TrainableModel } from '../../src/engine/retrain/loop/trainable-model';
import type { Model } from '../../src/engine/model/model';
import { fullView, viewWithout } from '../../src/engine/model/view';
import { assertClose, TOLERANCE, type Tolerance } from './close';
import { dot } from './differences';
import {
  calibrationRows,
  type GoldenBatch,
  goldenFullTraining,
  goldenImportance,
  type GoldenLora,
  goldenLora,
  type GoldenName,
  type GoldenTraining,
  hasStacks,
  inStack,
} from './golden';
import { checkMerged } from './golden-merge';
import type { TrainingSetup } from './training';

/** u(n, k): the numbers that every implementation can make, in [−1, 1). */
export function formula(n: number, k: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    return ((Math.imul(i, 2654435761) + Math.imul(k, 40503) + 12345) >>> 0) / 2 ** 31 - 1;
  });
}

/** The golden run's adapters before its first step, as a trainable and its parameters. */
export function formulaAdapters(
  model: Model,
  { removed, rank, alpha }: GoldenLora,
): { trainable: TrainableModel; parameters: Parameters } {
  const view = viewWithout(
    model.architecture.layers.length,
    removed.map((block) => ({ block })),
  );
  const linears = adaptableNames(model.architecture);
  const shape = { rank, alpha, targets: linears, dropout: false };
  const parameters = initialAdapters(model, view, shape, 1);
  for (const [name, { values, shape: extents }] of parameters) {
    const [block, linear, matrix] = name.split('.');
    const t = Number(block) * linears.length + linears.findIndex((each) => each === linear);
    const u = formula(values.length, 2 * t + (matrix === 'A' ? 0 : 1));
    const factor = matrix === 'A' ? 1 / Math.sqrt(extents[1]) : 0.02;
    for (let i = 0; i < values.length; i++) values[i] = factor * u[i];
  }
  return { trainable: loraModel(model, view, shape, parameters), parameters };
}

function examplesOf({ ids, labels }: GoldenBatch): Example[] {
  return ids.map((row, r) => ({
    ids: Int32Array.from(row),
    labels: Int32Array.from(labels[r], (label) => (label === -100 ? NO_LABEL : label)),
  }));
}

/** LoRA from the formula: first loss and gradients, the trace of all steps or the first ones, after all of them the loss. */
export async function checkLora(model: Model, name: GoldenName, steps?: number): Promise<void> {
  const golden = goldenLora(name);
  const { trainable, parameters } = formulaAdapters(model, golden);
  const parameterOf = (each: string): string => {
    const [, block, module, matrix] = /^layers\.(\d+)\.(.+)\.lora_(A|B)$/.exec(each)!;
    return `${block}.${linearOfModule(model.architecture, module)}.${matrix}`;
  };
  await checkTraining(model, golden, { trainable, parameters }, { steps, parameterOf, tolerance: TIGHT_TRACE });
  if (steps === undefined)
    await checkMerged(model.checkpoint, golden, parameters, toBatch(examplesOf(golden.batches[0])));
}

/** The Linear that files have under this name within a block. */
function linearOfModule(architecture: Architecture, module: string): LinearName {
  const blocks = architecture.layers.map((_, block) => blockWeights(architecture, block));
  return adaptableNames(architecture).find((name) =>
    blocks.some((weights) => weights[name]?.name.endsWith(`.${module}.weight`)),
  )!;
}

/** Its whole runs are compared in `npm test`. What follows the first gradients is the same for every family. */
export const RUN_WHOLE: GoldenName = 'stories260K';

/** Full training of these leaves the golden run sooner (close.ts). */
const LOOSE: readonly GoldenName[] = ['families2/phi3-longrope', 'families2/olmo2-postnorm'];

const TIGHT_TRACE: TraceTolerance = { loss: TOLERANCE.trace, gradientNorm: TOLERANCE.firstGradient };
const LOOSE_TRACE: TraceTolerance = { loss: TOLERANCE.looseTrace, gradientNorm: TOLERANCE.looseGradientNorm };

interface TraceTolerance {
  readonly loss: Tolerance;
  readonly gradientNorm: Tolerance;
}

/** The same with every weight. */
export async function checkFullTraining(model: Model, name: GoldenName, steps?: number): Promise<void> {
  const view = fullView(model.architecture.layers.length);
  const parameters = await loadedParameters(model, view);
  const trainable = fullModel(model, view, parameters);
  const tolerance = LOOSE.includes(name) ? LOOSE_TRACE : TIGHT_TRACE;
  const golden = goldenFullTraining(name);
  await checkTraining(model, golden, { trainable, parameters }, { steps, parameterOf: (each) => each, tolerance });
}

interface Check {
  /** All when undefined. */
  readonly steps: number | undefined;
  readonly parameterOf: (goldenName: string) => string;
  readonly tolerance: TraceTolerance;
}

async function checkTraining(
  model: Model,
  golden: GoldenTraining,
  { trainable, parameters }: TrainingSetup,
  { steps, parameterOf, tolerance }: Check,
): Promise<void> {
  const backprop = await Backprop.create(model, trainable);
  try {
    const first = await backprop.gradients(toBatch(examplesOf(golden.batches[0])));
    assertClose(first.loss, golden.firstLoss, TOLERANCE.firstLoss, 'first loss');
    checkFirstGradients(first.gradients, golden, parameterOf);
    if (steps === 0) return;

    const abort = new AbortController();
    const trace: TraceEntry[] = [];
    const onStep = (entry: TraceEntry): void => {
      trace.push(entry);
      if (entry.step === steps) abort.abort();
    };
    const run = train(
      { backprop, parameters, data: dataOf(golden), options: optionsOf(golden), hooks: { onStep } },
      { signal: abort.signal },
    );
    if (steps === undefined) await run;
    else await assert.rejects(run, CancelledError);
    checkTrace(trace, golden.trace.slice(0, steps), tolerance);
    if (steps !== undefined) return;
    const { loss } = await backprop.loss(toBatch(examplesOf(golden.batches[0])));
    assertClose(loss, golden.lossAfterOnFirstBatch, tolerance.loss, 'loss afterwards');
  } finally {
    await backprop.close();
  }
}

/** One batch a step, in the order of the golden run. */
function dataOf({ batches }: GoldenTraining): ExampleSet {
  const train = batches.flatMap(examplesOf);
  let at = 0;
  return { train, heldOut: [], batches: batches.map(({ ids }) => ids.map(() => at++)) };
}

function optionsOf({ lr, warmup, steps, clip, weightDecay, betas, eps }: GoldenTraining): TrainOptions {
  const [beta1, beta2] = betas;
  const never = { evalEvery: Infinity, saveEvery: Infinity };
  const given = { learningRate: lr, warmup, steps, clip, weightDecay, beta1, beta2, epsilon: eps };
  return { ...given, ...never, batch: 4, seed: 1 };
}

function checkTrace(
  actual: readonly TraceEntry[],
  golden: GoldenTraining['trace'],
  { loss: ofLoss, gradientNorm: ofNorm }: TraceTolerance,
): void {
  assert.equal(actual.length, golden.length);
  for (const [i, { step, loss, lr, gradNorm }] of golden.entries()) {
    assert.equal(actual[i].step, step);
    assertClose(actual[i].loss, loss, ofLoss, `loss of step ${step}`);
    assertClose(actual[i].gradientNorm, gradNorm, ofNorm, `gradient norm of step ${step}`);
    assertClose(actual[i].learningRate, lr, { absolute: 1e-12 }, `learning rate of step ${step}`);
  }
}

function checkFirstGradients(
  gradients: ReadonlyMap<string, Float32Array>,
  { firstGradients }: GoldenTraining,
  parameterOf: (goldenName: string) => string,
): void {
  assert.equal(gradients.size, firstGradients.length);
  for (const { name, norm, dot: expectedDot } of firstGradients) {
    const gradient = gradients.get(parameterOf(name));
    assert.ok(gradient, `no gradient of ${name}`);
    assertClose(Math.sqrt(dot(gradient, gradient)), norm, TOLERANCE.firstGradient, `gradient norm of ${name}`);
    const absolute = TOLERANCE.firstGradient.relative * norm;
    assertClose(dot(gradient, formula(gradient.length, 7)), expectedDot, { absolute }, `gradient of ${name}, dot`);
  }
}

/** L2 norm of ∂L/∂w of every parameter over the calibration rows as one batch: biases, embedding, norm and head too. */
export async function checkGradientNorms(model: Model, name: GoldenName): Promise<void> {
  const rows = calibrationRows(name);
  const view = fullView(model.architecture.layers.length);
  const backprop = await Backprop.create(model, fullModel(model, view, await loadedParameters(model, view)));
  try {
    const { gradients } = await backprop.gradients(toBatch(examplesOf({ ids: rows, labels: rows })));
    const golden = goldenImportance(name).gradients;
    const squares = new Map<string, number>();
    for (const [own, gradient] of gradients) {
      const parameter = hasStacks(name) ? inStack(own) : own;
      squares.set(parameter, (squares.get(parameter) ?? 0) + dot(gradient, gradient));
    }
    assert.deepEqual([...squares.keys()].sort(), golden.map((g) => g.name).sort());
    for (const { name: parameter, norm } of golden) {
      assertClose(Math.sqrt(squares.get(parameter)!), norm, TOLERANCE.gradientNorm, `gradient norm of ${parameter}`);
    }
  } finally {
    await backprop.close();
  }
}
