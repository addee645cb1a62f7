/** Training for some seconds: as `coppice retrain` trains an adapter, with looks at it in between that take no time. */
import { adapterPatches } from '../../src/engine/adapter/adapter';
import { CancelledError } from '../../src/engine/errors';
import type { Model } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import { exampleOfText, type ExampleSet } from '../../src/engine/retrain/data/example';
import { DEFAULTS } from '../../src/engine/retrain/defaults';
import { Backprop } from '../../src/engine/retrain/loop/backprop';
import { toBatch } from '../../src/engine/retrain/loop/batch';
import { examplesOfStep } from '../../src/engine/retrain/loop/step-examples';
import { train } from '../../src/engine/retrain/loop/train';
import { type PreparedTraining, prepareTraining } from '../../src/engine/retrain/prepare';
import { selectionAt } from '../../src/engine/retrain/selection';
import type { Where } from '../../src/engine/retrain/where';
import { Teacher } from '../../src/engine/retrain/teacher/teacher';
import type { TokenRows } from '../../src/engine/model/forward';

export interface TrainingPlan {
  /** The model that is trained, and the blocks that it leaves out. */
  readonly student: Model;
  readonly removed: readonly number[];
  readonly rows: TokenRows;
  /** Rows of a step. */
  readonly batch: number;
  readonly seconds: number;
  /** Seconds of training between two looks. */
  readonly every: number;
  readonly learningRate: number;
  readonly where?: Where;
  /** Distils from this model, whole. */
  readonly teacher?: { readonly model: Model; readonly weight: number };
}

/** @param seconds of training so far */
export type Look = (seconds: number, steps: number, adapter: readonly KeyedPatch[]) => Promise<void>;

/** Steps that are taken to learn their pace, whose results are thrown away. */
const PACE_STEPS = 2;
const SEED = 1;

/** Trains until the seconds are over. The learning rate falls to 0 with them. */
export async function trainFor(plan: TrainingPlan, look: Look): Promise<void> {
  const { student, removed, rows, teacher: source } = plan;
  const data = { train: rows.map((row) => exampleOfText(Int32Array.from(row))), heldOut: [] };
  const selection = plan.where && (await selectionAt(plan.where, student, removed));
  const prepared = await prepareTraining(student, removed, { method: { kind: 'lora' }, seed: SEED, selection }, data);
  const teacher =
    source &&
    (await Teacher.open(source.model, fullView(source.model.architecture.layers.length), {
      weight: source.weight,
      student,
      headFrozen: true,
    }));
  const backprop = await Backprop.create(student, prepared.trainable, { teacher, longest: rows[0].length });
  try {
    await trainWith(backprop, prepared, data, plan, look);
  } finally {
    await backprop.close();
    await teacher?.close();
  }
}

async function trainWith(
  backprop: Backprop,
  { parameters, masks, adapter }: PreparedTraining,
  data: ExampleSet,
  { batch, seconds, every, learningRate }: TrainingPlan,
  look: Look,
): Promise<void> {
  const order = { seed: SEED, batch };
  let perStep = 0;
  for (let step = 1; step <= PACE_STEPS; step++) {
    const start = performance.now();
    await backprop.gradients(toBatch(examplesOfStep(data, order, step)), undefined, masks && { masks, step });
    perStep = (performance.now() - start) / 1000; // the first one opens sessions
  }
  const steps = Math.max(1, Math.floor(seconds / perStep));
  const { weightDecay, betas } = DEFAULTS.lora;
  const options = {
    ...order,
    learningRate,
    warmup: Math.floor(steps / 10),
    steps,
    clip: DEFAULTS.clip,
    weightDecay,
    beta1: betas[0],
    beta2: betas[1],
    epsilon: 1e-8,
    evalEvery: Infinity,
    saveEvery: Infinity,
  };
  const abort = new AbortController();
  let trained = 0;
  let looked = 0;
  const onStep = async ({ step, seconds: taken }: { step: number; seconds: number }): Promise<void> => {
    trained += taken;
    const isLast = step === steps || trained >= seconds;
    if (isLast || trained >= looked + every) {
      looked = trained;
      await look(trained, step, adapterPatches(adapter!()));
    }
    if (isLast) abort.abort();
  };
  try {
    await train({ backprop, parameters, data, options, masks, hooks: { onStep } }, { signal: abort.signal });
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
  }
}
