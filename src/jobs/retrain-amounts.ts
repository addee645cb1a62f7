/** How long a retraining trains: presets by time and by data, with batches and rows that let enough steps fit. Pure. */
import { stepsOfPasses, usualBatch } from '../engine/retrain/amounts';
import { stepsPerEpoch } from '../engine/retrain/data/order';
import { DEFAULTS } from '../engine/retrain/defaults';

/** Passes over the data beyond which a repeated text teaches little (Muennighoff et al. 2023). */
export const MOST_PASSES = 4;

/** Fewer steps change little. */
export const LEAST_STEPS = 60;

/**
 * Whether so many steps are too few to help: because more were not asked for, or because the data have no more.
 * @param passes over the data
 */
export function fewSteps({ steps, passes }: { readonly steps: number; readonly passes: number }) {
  if (steps >= LEAST_STEPS) return undefined;
  return passes < MOST_PASSES ? ('asked' as const) : ('data' as const);
}

/**
 * The peak learning rate of a LoRA that reads so many rows: twice the usual one for a short training, and the usual one for a long one.
 * Measured at both ends, with the original as the teacher (docs/design/training.md); between them it falls with the root of the rows.
 * @param rows each as often as it is read
 */
export function rateFor(rows: number): number {
  const rate = SHORT_RATE * Math.sqrt(SHORT_ROWS_READ / Math.max(1, rows));
  return Number(Math.min(SHORT_RATE, Math.max(DEFAULTS.lora.learningRate, rate)).toPrecision(2));
}

const SHORT_RATE = 2e-3;
const SHORT_ROWS_READ = 520;

/** What rows of a preset are cut to where time is short; an instruction takes half of the first. */
const SHORT_ROWS = [128, 64];

/** Passes over the data that the steps make, each without the rows that fill no step. @param examples rows that are trained on */
export const passesOfSteps = (steps: number, examples: number, batch: number): number =>
  steps / stepsPerEpoch(examples, batch);

/**
 * The most steps that take no longer than `seconds`: at least one, at most `most`.
 * @param timeOf seconds of so many steps; more steps never take less
 */
export function stepsWithin(seconds: number, most: number, timeOf: (steps: number) => number): number {
  if (timeOf(most) <= seconds) return most;
  let [fits, tooMany] = [1, most];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (timeOf(middle) <= seconds) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** Steps, the rows of each, and the most tokens of a row. */
export interface Schedule {
  readonly steps: number;
  readonly batch: number;
  readonly length: number;
}

/** A ready choice of how long to train. */
export interface Preset extends Schedule {
  readonly name: 'minutes' | 'halfHour' | 'overnight' | 'passes';
  /** The data end it, not the time. */
  readonly limited: boolean;
  /** It has too few steps to help: this machine is too slow for more in this time, or the data have no more. */
  readonly few?: 'time' | 'data';
}

/** What presets are made for. */
export interface PresetQuestion {
  /** Rows that are trained on, where a row has at most `length` tokens. */
  readonly rowsOf: (length: number) => number;
  /** Rows of a step, if they are given. */
  readonly batch?: number;
  /** Most tokens of a row. */
  readonly length: number;
  /** The length is given: rows must not be shorter. */
  readonly fixedLength?: boolean;
  /** More steps, rows or tokens never take less. */
  readonly secondsOf: (schedule: Schedule) => number;
}

/** Presets by time, in seconds. */
const PRESET_SECONDS = { minutes: 5 * 60, halfHour: 30 * 60, overnight: 8 * 3600 } as const;

/**
 * The presets for this data: those by time, each at most `MOST_PASSES` passes, and two passes. A longer one that would be the same as
 * a shorter is left out.
 */
export function presetsOf(question: PresetQuestion): Preset[] {
  const { rowsOf, length, secondsOf } = question;
  const byTime = Object.entries(PRESET_SECONDS) as [keyof typeof PRESET_SECONDS, number][];
  const presets = byTime.map(([name, seconds]): Preset => {
    const { limited, ...schedule } = scheduleWithin(seconds, question);
    return { name, ...schedule, limited, ...(schedule.steps < LEAST_STEPS && { few: limited ? 'data' : 'time' }) };
  });
  const enough = presets.findIndex(({ limited }) => limited);
  const rows = rowsOf(length);
  const batch = Math.min(question.batch ?? usualBatch(rows), rows);
  const steps = stepsOfPasses(DEFAULTS.epochs, rows, batch);
  const passes: Preset = {
    name: 'passes',
    ...{ steps, batch, length, limited: false },
    ...(steps < LEAST_STEPS && {
      few: secondsOf({ steps, batch, length }) > PRESET_SECONDS.overnight ? 'time' : 'data',
    }),
  };
  return [...(enough === -1 ? presets : presets.slice(0, enough + 1)), passes];
}

type Fitted = Schedule & { readonly limited: boolean };

/** What fits into the time: with a smaller batch, and then with shorter rows, where the usual ones leave too few steps. */
function scheduleWithin(seconds: number, question: PresetQuestion): Fitted {
  const { length, fixedLength } = question;
  const lengths = [length, ...(fixedLength ? [] : SHORT_ROWS.filter((short) => short < length))];
  const tried = lengths.map((each) => fittedAt(each, seconds, question));
  return tried.find(({ limited, steps }) => limited || steps >= LEAST_STEPS) ?? mostSteps(tried);
}

const mostSteps = (tried: readonly Fitted[]): Fitted =>
  tried.reduce((best, each) => (each.steps > best.steps ? each : best));

function fittedAt(length: number, seconds: number, { rowsOf, batch: asked, secondsOf }: PresetQuestion): Fitted {
  const rows = rowsOf(length);
  const usual = Math.min(asked ?? usualBatch(rows), rows);
  const fitted = (batch: number): Fitted => {
    const most = stepsOfPasses(MOST_PASSES, rows, batch);
    const steps = stepsWithin(seconds, most, (count) => secondsOf({ steps: count, batch, length }));
    return { steps, batch, length, limited: steps === most && secondsOf({ steps, batch, length }) <= seconds };
  };
  const plain = fitted(usual);
  if (plain.limited || plain.steps >= LEAST_STEPS || asked !== undefined) return plain;
  const smaller = stepsWithin(seconds, usual, (batch) => secondsOf({ steps: LEAST_STEPS, batch, length }));
  return fitted(smaller);
}

/**
 * The preset that Enter takes: the last one, or two passes if they are done within half an hour, otherwise half an hour, or more if
 * half an hour is too little. None that this machine is too slow for.
 * @param last name of the preset that was taken last
 * @returns undefined where no time of the presets is enough
 */
export function usualPreset(
  presets: readonly Preset[],
  secondsOf: (schedule: Schedule) => number,
  last?: string,
): Preset | undefined {
  const helps = ({ few }: Preset): boolean => few !== 'time';
  const again = presets.find(({ name }) => name === last);
  if (again && helps(again)) return again;
  const passes = presets.find(({ name }) => name === 'passes')!;
  if (secondsOf(passes) <= PRESET_SECONDS.halfHour) return passes;
  const byTime = presets.filter(({ name }) => name !== 'passes');
  const long = byTime.filter(({ name }) => name !== 'minutes');
  return (long.length > 0 ? long : byTime).find(helps);
}
