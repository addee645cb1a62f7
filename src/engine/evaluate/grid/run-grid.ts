/**
 * Measures several models over a grid of batches M and lengths L. In each cell the models take turns run by run, so that
 * other load and a drifting clock meet all of them. A cell whose predicted memory exceeds the limit is not run.
 */
import { longestText } from '../../checkpoint/architecture';
import { messageOf, throwIfCancelled, UserError, DeviceError } from '../../errors';
import { memoryLimit } from '../../memory';
import { Decoder } from '../../model/decoder';
import type { Model } from '../../model/model';
import { stepsOf, type View } from '../../model/view';
import { type JobOptions, Work } from '../../progress';
import type { Sampling } from '../sample';
import { cellFigures, type CellRun } from './figures';
import { type Cell, DECODER, type MemoryPrediction, predictMemory } from './memory';
import { openPeakMeter, type PeakMeter } from './peak';
import { ascending, type Protocol } from './protocol';
import { measureRates } from './rates';
import type { GridCell, ModelGrid, Rates } from './result';
import { hasDrifted } from './statistics';
import { timedRun } from './timed-run';
import type { DeviceRates } from './work';

/** A model to measure. */
export interface Subject {
  readonly label: string;
  readonly model: Model;
  readonly view: View;
  /** Token ids, at least one prompt; the texts of a batch take them in turn. */
  readonly prompts: readonly (readonly number[])[];
}

export interface GridOptions extends Protocol, Sampling {
  /** Greedy when undefined. */
  readonly seed?: number;
  /** Bytes that this process may take with one model; all that the machine has when undefined. */
  readonly limit?: number;
  /** What the device can do, before and after; it is measured when undefined. */
  readonly deviceRates?: () => Promise<DeviceRates>;
}

export interface GridMeasurement {
  /** In the order of the subjects. */
  readonly models: readonly ModelGrid[];
  readonly rates: Rates;
  readonly limit: number;
  /** Whether all models were open at a time and took turns; otherwise one was measured after the other. */
  readonly inTurns: boolean;
  /** False where the models were measured one after another and the machine changed meanwhile: no speed-up is said. */
  readonly comparable: boolean;
}

/** A subject with its decoder. */
interface Open {
  readonly subject: Subject;
  readonly decoder: Decoder;
  /** Bytes of the process before any model was opened, and what this model took. */
  readonly before: number;
  readonly own: number;
}

/** What has become of a cell of a subject. */
interface Slot {
  readonly cell: Cell;
  predicted: MemoryPrediction;
  failure?: string;
  readonly runs: CellRun[];
}

const promptTokensOf = ({ prompts }: Subject): number => Math.max(...prompts.map((prompt) => prompt.length));

/** @throws UserError when a cell does not fit into a context, DeviceError, CancelledError */
export async function runGrid(
  subjects: readonly Subject[],
  options: GridOptions,
  job: JobOptions = {},
): Promise<GridMeasurement> {
  const limit = options.limit ?? memoryLimit();
  const slots = subjects.map((subject) => slotsOf(subject, options));
  const inTurns = fitTogether(subjects, slots, Math.max(limit, memoryLimit()));
  const { model } = subjects[0];
  const where = { provider: model.device.provider, threads: model.threads };
  job.onProgress?.({ label: 'measuring the device', done: 0, total: 0, unit: 'share', unpaced: true });
  const ratesNow = options.deviceRates ?? (() => measureRates(where));
  const before = await ratesNow();
  const meter = openPeakMeter();
  try {
    const everything = slots.flat().filter(({ predicted }) => predicted.total <= limit);
    const work = new Work(job, tokensOf(everything, options), 'tokens', 'measuring');
    const groups = inTurns ? [[...subjects.keys()]] : [...subjects.keys()].map((at) => [at]);
    for (const group of groups) {
      const some = group.map((at) => ({ subject: subjects[at], slots: slots[at] }));
      await measureGroup(some, { ...options, limit }, meter, work, job.signal);
    }
  } finally {
    await meter.close();
  }
  const rates = { before, after: await ratesNow() };
  const comparable = inTurns || !hasDrifted(before.flopsPerSecond, rates.after.flopsPerSecond);
  return { models: gridsOf(subjects, slots, rates, limit, comparable), rates, limit, inTurns, comparable };
}

function slotsOf(subject: Subject, { batches, newTokens }: Protocol): Slot[] {
  const { architecture } = subject.model;
  const promptTokens = promptTokensOf(subject);
  const most = promptTokens + Math.max(...newTokens);
  const longest = longestText(architecture);
  if (most > longest) {
    throw new UserError(
      `The measurement does not fit into ${subject.label}`,
      `prompt and new tokens are ${most} together, its context is ${longest}`,
      'Use a shorter prompt or fewer new tokens.',
    );
  }
  return ascending(newTokens).flatMap((length) =>
    ascending(batches).map((batch) => {
      const cell = { batch, promptTokens, newTokens: length };
      const fixed = process.memoryUsage.rss();
      return { cell, predicted: predictMemory(architecture, subject.view, cell, DECODER, fixed), runs: [] };
    }),
  );
}

/** Whether all models may be open at a time while any one of them fills its largest cell. */
function fitTogether(subjects: readonly Subject[], slots: readonly (readonly Slot[])[], limit: number): boolean {
  if (subjects.length === 1) return true;
  const own = slots.map((some) => some.map(({ predicted }) => predicted).filter(({ total }) => total <= limit));
  const weights = slots.reduce((sum, [{ predicted }]) => sum + predicted.weights, 0);
  const rest = Math.max(0, ...own.flat().map(({ total, weights: these }) => total - these));
  return weights + rest <= limit;
}

const tokensOf = (slots: readonly Slot[], { runs, warmup }: Protocol): number =>
  slots.reduce((sum, { cell }) => sum + cell.batch * cell.newTokens * (runs + warmup), 0);

async function measureGroup(
  group: readonly { readonly subject: Subject; readonly slots: readonly Slot[] }[],
  options: GridOptions & { readonly limit: number },
  meter: PeakMeter,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<void> {
  const open: Open[] = [];
  try {
    for (const { subject, slots } of group) {
      work.step(`loading ${subject.label}`);
      work.advance(0);
      const one = await openSubject(subject, slots, meter, signal);
      open.push({ ...one, before: open[0]?.before ?? one.before });
      correctFixed(open[open.length - 1], slots);
    }
    // Memory that a process once had stays with it in part, so small cells come first.
    const order = [...group[0].slots.keys()].sort((x, y) => needOf(group[0].slots[x]) - needOf(group[0].slots[y]));
    for (const at of order) {
      const turns = open.map((one, i) => ({ one, slot: group[i].slots[at], series: group[i].slots }));
      await measureCell(turns, options, meter, work, signal);
    }
  } finally {
    for (const { decoder } of open) await decoder.close();
  }
}

const NOT_IN_MEMORY = 'its weights do not fit into the free memory, so that each block is read from the disk again';

const needOf = ({ predicted }: Slot): number => predicted.total;

async function openSubject(
  subject: Subject,
  slots: readonly Slot[],
  meter: PeakMeter,
  signal: AbortSignal | undefined,
): Promise<Open> {
  const { model, view, prompts } = subject;
  const before = await meter.start();
  const capacity = Math.max(...slots.map(({ cell }) => cell.promptTokens + cell.newTokens));
  const decoder = await Decoder.open(model, view, capacity);
  try {
    if (!decoder.kept) for (const slot of slots) slot.failure = NOT_IN_MEMORY;
    await timedRun(model, decoder, { prompts: prompts.slice(0, 1), newTokens: 1 }, signal);
    decoder.restart(1, 1);
    return { subject, decoder, before, own: (await meter.start()) - before };
  } catch (error) {
    await decoder.close();
    throw error;
  }
}

/** Puts what was measured at rest into the predictions: code, runtime and what the open model has besides its weights. */
function correctFixed({ before, own }: Open, slots: readonly Slot[]): void {
  for (const slot of slots) {
    const fixed = before + Math.max(0, own - slot.predicted.weights);
    slot.predicted = { ...slot.predicted, fixed, total: slot.predicted.total - slot.predicted.fixed + fixed };
  }
}

interface Turn {
  readonly one: Open;
  readonly slot: Slot;
  /** All cells of the model. */
  readonly series: readonly Slot[];
}

async function measureCell(
  turns: readonly Turn[],
  { runs, warmup, limit, seed, temperature, topK, topP }: GridOptions & { readonly limit: number },
  meter: PeakMeter,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let run = 0; run < warmup + runs; run++) {
    for (const { one, slot, series } of turns) {
      const { cell } = slot;
      const { subject, decoder } = one;
      if (slot.predicted.total > limit || slot.failure !== undefined) continue;
      throwIfCancelled(signal);
      const phase = run < warmup ? 'warming up' : `run ${run - warmup + 1} of ${runs}`;
      work.step(`${subject.label}, ${cell.batch} × ${cell.newTokens} tokens, ${phase}`);
      work.advance(0);
      const prompts = Array.from({ length: cell.batch }, (_, text) => subject.prompts[text % subject.prompts.length]);
      try {
        decoder.restart(1, 1); // the caches of the run before are gone
        await meter.start();
        const asked = { prompts, newTokens: cell.newTokens, seed, temperature, topK, topP };
        const timed = await timedRun(subject.model, decoder, asked, signal);
        const peakBytes = meter.peak() - othersOf(turns, one);
        if (run >= warmup) slot.runs.push({ ...timed, peakBytes });
      } catch (error) {
        endSeries(series, slot, error);
      }
      work.advance(cell.batch * cell.newTokens);
    }
  }
}

/** Bytes that the other open models take. */
const othersOf = (turns: readonly Turn[], one: Open): number =>
  turns.reduce((sum, turn) => sum + (turn.one === one ? 0 : turn.one.own), 0);

/** Larger cells of the same length would fail too. @throws errors that have nothing to do with the cell's size */
function endSeries(series: readonly Slot[], failed: Slot, error: unknown): void {
  const isOwn = (error instanceof UserError && !(error instanceof DeviceError)) || error instanceof RangeError;
  if (!isOwn) throw error;
  const failure = messageOf(error);
  for (const slot of series) {
    const { newTokens, batch } = slot.cell;
    if (newTokens === failed.cell.newTokens && batch >= failed.cell.batch) slot.failure = failure;
  }
}

function gridsOf(
  subjects: readonly Subject[],
  slots: readonly (readonly Slot[])[],
  rates: Rates,
  limit: number,
  comparable: boolean,
): ModelGrid[] {
  const measured: ModelGrid[] = [];
  for (const [i, subject] of subjects.entries()) {
    const [first] = measured;
    const blocks = stepsOf(subject.view).length;
    const cells = slots[i].map((slot, at): GridCell => {
      const { batch, newTokens } = slot.cell;
      const { predicted, failure } = slot;
      if (predicted.total > limit) return { batch, newTokens, predicted, outcome: 'oom' };
      if (failure !== undefined) return { batch, newTokens, predicted, outcome: 'failed', failure };
      const figures = cellFigures(
        subject,
        slot.cell,
        slot.runs,
        rates,
        comparable ? first?.cells[at].measured : undefined,
      );
      return { batch, newTokens, predicted, outcome: 'measured', measured: figures };
    });
    const rest = cells[0].predicted.weights + cells[0].predicted.fixed;
    const ideal = first ? first.blocks / blocks : null;
    measured.push({ cells, blocks, ideal, promptTokens: promptTokensOf(subject), rest });
  }
  return measured;
}
