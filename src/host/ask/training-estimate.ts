/** What a retraining will take: its steps, its time on this machine and its memory, from the answers so far. */
import { type Architecture } from '../../engine/checkpoint/architecture';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { SELF } from '../../jobs/healing-amounts';
import { stepsOfPasses, trainedRows, usualBatch } from '../../engine/retrain/amounts';
import { passesOfSteps, type Preset, presetsOf, type Schedule } from '../../jobs/retrain-amounts';
import { type DataAmount, dataAmount, ownTextAmount } from '../../jobs/training-data';
import type { Time } from '../../estimates/machine';
import type { Chosen } from './choose-checkpoint';
import { jobMemory, jobTime, type Machine, type PlannedJob } from './job-time';

/** What is trained, on what. Undefined means the default. */
export interface TrainingQuestion {
  /** Absolute paths, or "self". */
  readonly data: readonly string[];
  readonly removed: readonly number[];
  readonly full?: boolean;
  readonly rank?: number;
  readonly batch?: number;
  readonly length?: number;
  readonly steps?: number;
  readonly epochs?: number;
  /** The model that teaches. */
  readonly teacher?: { readonly path: string; readonly architecture: Architecture };
  readonly heldOut?: number;
  /** What the training begins with; healing where undefined and blocks are left out. */
  readonly heal?: string;
}

export interface TrainingForecast {
  readonly amount: DataAmount;
  /** The data were looked at, so that steps mean something. */
  readonly known: boolean;
  readonly batch: number;
  /** Most tokens of a row. */
  readonly length: number;
  readonly steps: number;
  /** Passes over the data. */
  readonly passes: number;
  readonly time: Time;
  /** Memory at the peak, with a margin. */
  readonly bytes: number;
}

/** Where data cannot be read, the run will say so; until then it counts as this many examples. */
const UNKNOWN = 1000;

type Trained = Pick<Chosen, 'path' | 'checkpoint' | 'architecture'>;

export function forecastTraining(machine: Machine, model: Trained, asked: TrainingQuestion): TrainingForecast {
  const { amount, known, trained, batch, length } = amountOf(model, asked);
  const steps = asked.steps ?? stepsOfPasses(asked.epochs ?? DEFAULTS.epochs, trained, batch);
  const passes = passesOfSteps(steps, trained, batch);
  return {
    amount,
    known,
    batch,
    length,
    steps,
    passes,
    time: timeOfSteps(machine, model, asked, steps),
    bytes: jobMemory(machine, model, jobOf(model, asked, steps))!,
  };
}

/** The presets for this data, and how long each takes. */
export function trainingPresets(
  machine: Machine,
  model: Trained,
  asked: TrainingQuestion,
): { readonly presets: readonly Preset[]; readonly secondsOf: (schedule: Schedule) => number } {
  const secondsOf = ({ steps, batch, length }: Schedule): number =>
    timeOfSteps(machine, model, { ...asked, batch, length }, steps).seconds;
  const presets = presetsOf({
    rowsOf: (length) => amountOf(model, { ...asked, length }).trained,
    batch: asked.batch,
    length: amountOf(model, asked).length,
    fixedLength: asked.length !== undefined,
    secondsOf,
  });
  return { presets, secondsOf };
}

interface Amount {
  readonly amount: DataAmount;
  readonly known: boolean;
  /** Rows that are not held out. */
  readonly trained: number;
  readonly batch: number;
  readonly length: number;
}

function amountOf(
  { architecture }: Trained,
  { data, length: wanted = DEFAULTS.length, batch, heldOut }: TrainingQuestion,
): Amount {
  const length = Math.min(wanted, architecture.context);
  const found = data.includes(SELF) ? ownTextAmount(length) : dataAmount(data, length);
  const amount = found ?? { examples: UNKNOWN, length, exact: false };
  const trained = trainedRows(amount.examples, heldOut);
  const known = found !== undefined && !found.given;
  return { amount, known, trained, batch: Math.min(batch ?? usualBatch(trained), trained), length };
}

function timeOfSteps(machine: Machine, model: Trained, asked: TrainingQuestion, steps: number): Time {
  return jobTime(machine, model, jobOf(model, asked, steps))!; // with steps, it is known
}

function jobOf(model: Trained, asked: TrainingQuestion, steps: number): PlannedJob<'retrain'> {
  const { batch, length } = amountOf(model, asked);
  const { removed: remove, teacher, full, data, heldOut, rank, heal } = asked;
  return {
    ...{ kind: 'retrain', checkpoint: model.path, data, remove, steps, batch, length, heldOut, rank },
    ...{ teacher: teacher?.path, full, heal },
  };
}
