/** Writes the files of a comparison of sizes, one at a time, and measures each. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointReduction } from '../../engine/checkpoint/reduction';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { parametersOf } from '../../engine/checkpoint/parameters';
import { measuredRows, perplexityFrom } from '../../engine/evaluate/perplexity';
import { wholeBlocks } from '../../engine/importance/select';
import type { TokenRows } from '../../engine/model/forward';
import type { ModelOptions } from '../../engine/model/model';
import { HEAL_DEFAULTS } from '../../engine/heal/methods';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { inPhases, type JobOptions, labelled } from '../../engine/progress';
import type { RunInput } from '../../engine/records/record';
import type { ReadText } from '../../format/text-share';
import { counted } from '../../format/words';
import { completeOptions } from '../complete';
import { exportJob } from '../definitions/export';
import type { OptionsFor } from '../kinds';
import type { FrontierPoint } from '../results/frontier';
import type { JobContext } from '../run';
import { usesImportance } from '../../engine/write/gguf/kinds';
import { type ExportImatrix, measuredImatrix } from './export-imatrix';
import { writeExport } from './export-writers';
import type { PlannedFile } from './frontier-plan';
import { healingOf } from './rounds';

/** A number of a file with the losses of its rows. */
export interface MeasuredFile {
  readonly bytes: number;
  readonly ppl: number;
  readonly meanNll: number;
  readonly parameters: number;
  /** Mean token loss of each row, in nats. */
  readonly nll: readonly number[];
}

export interface MeasuredPoint extends MeasuredFile, Pick<FrontierPoint, 'type' | 'count' | 'removed' | 'healed'> {}

export interface Measuring {
  readonly options: OptionsFor<'frontier'>;
  readonly checkpoint: Checkpoint;
  readonly rows: TokenRows;
  /** For files that are there for a while. */
  readonly folder: string;
  readonly compute: ModelOptions;
  /** Texts that weights were healed on, by their hashes. */
  readonly texts: Map<string, ReadText & { readonly name: string }>;
  /** The text that weighed the columns, by its hash. */
  readonly weighing: Map<string, RunInput>;
}

/** Healing passes its own rows several times. */
export const HEALING_PASSES = 3;

/** How many measurements of a file a healing is worth. */
function healingShare({ options: { tokens = HEAL_DEFAULTS.tokens }, rows }: Measuring): number {
  return (HEALING_PASSES * tokens) / (rows.length * rows[0].length);
}

/** The original as it is stored. */
export async function measureOriginal({ checkpoint, ...measuring }: Measuring, job: JobOptions): Promise<MeasuredFile> {
  const { bytesAfter } = checkpointReduction(checkpoint, []);
  return { ...(await measure(checkpoint, measuring, labelled(job, 'the original'))), bytes: bytesAfter };
}

/** @throws UserError when a file cannot be written; CancelledError. It leaves nothing in the folder */
export async function measureFiles(
  files: readonly PlannedFile[],
  removedAt: (count: number) => readonly number[],
  measuring: Measuring,
  context: JobContext,
  job: JobOptions,
): Promise<MeasuredPoint[]> {
  const { heal: heals, plain } = measuring.options;
  const counts = [...new Set(files.map(({ count }) => count))];
  const isHealed = (count: number): boolean => heals && count > 0;
  const healingOfCount = (count: number): number => (isHealed(count) ? healingShare(measuring) : 0);
  const times = (count: number): number => (isHealed(count) && plain ? 2 : 1);
  const phases = inPhases(
    job,
    counts.map((count) => ({
      share: healingOfCount(count) + times(count) * files.filter((file) => file.count === count).length,
    })),
  );
  const points: MeasuredPoint[] = [];
  const told = new Set<string>();
  for (const [at, count] of counts.entries()) {
    const own = files.filter((file) => file.count === count);
    const removed = removedAt(count);
    const [healing, rest] = inPhases(phases[at], [
      { share: healingOfCount(count) },
      { share: times(count) * own.length },
    ]);
    const patch = isHealed(count) ? await healed(removed, measuring, context, healing) : undefined;
    const ways = [patch, ...(plain && patch !== undefined ? [undefined] : [])];
    const jobs = inPhases(
      rest,
      own.flatMap(() => ways).map(() => ({ share: 1 })),
    );
    const matrices = new Map<string | undefined, ExportImatrix>();
    for (const [i, { type }] of own.entries()) {
      for (const [j, way] of ways.entries()) {
        const file: Written = { type, count, removed, patch: way, told, matrices };
        points.push(await measureFile(file, measuring, context, jobs[i * ways.length + j]));
      }
    }
    if (patch !== undefined) await rm(patch, { force: true });
  }
  return points;
}

/** Healed weights in a file of the folder; undefined where healing does not help. */
async function healed(
  removed: readonly number[],
  { options, folder }: Measuring,
  { run }: JobContext,
  job: JobOptions,
): Promise<string | undefined> {
  const patch = join(folder, `without-${removed.length}.patch.safetensors`);
  const given = { ...healingOf(options), remove: removed, patch };
  const { result } = await run('heal', given, { job: labelled(job, `without ${counted(removed.length, 'block')}`) });
  return result.patch ?? undefined;
}

interface Written extends Pick<FrontierPoint, 'type' | 'count' | 'removed'> {
  readonly patch: string | undefined;
  /** Types whose notes were told. */
  readonly told: Set<string>;
  /** Of the models of this number of blocks, by their healed weights. */
  readonly matrices: Map<string | undefined, ExportImatrix>;
}

/** Writes the file as `export` does, measures it, and removes it. */
async function measureFile(
  { type, count, removed, patch, told, matrices }: Written,
  { options, folder, texts, weighing, ...measuring }: Measuring,
  { started, note, warn }: JobContext,
  job: JobOptions,
): Promise<MeasuredPoint> {
  const out = join(folder, `${type}-without-${count}.gguf`);
  const name = count === 0 ? type : `${type} without ${counted(count, 'block')}`;
  const [writing, reading] = inPhases(labelled(job, name), [{ share: 1 }, { share: 4 }]);
  const view = { remove: removed, heal: patch };
  const opened = await openForComputing(options.checkpoint, view, job);
  for (const text of opened.healed?.note.texts ?? []) texts.set(text.sha256, text);
  const given = completeOptions(exportJob, { checkpoint: options.checkpoint, ...view, type: [type], out });
  const reduction = checkpointReduction(opened.checkpoint, wholeBlocks(opened.removed));
  const imatrix = await matrixOf({ type, patch, matrices }, opened, options, measuring.compute, { job: writing, warn });
  if (imatrix) weighing.set(imatrix.input.sha256!, imatrix.input);
  try {
    const exporting = { options: given, format: 'gguf', opened, reduction, imatrix, started } as const;
    const { notes } = await writeExport(exporting, out, writing);
    // Those of a shorter model differ in numbers of matrices alone.
    if (!told.has(type)) notes.forEach((text) => note(`${type}: ${text}`));
    told.add(type);
    const written = await openCheckpoint(out);
    const measured = await measure(written, measuring, reading);
    return { ...measured, type, count, removed, healed: patch !== undefined };
  } finally {
    await rm(out, { force: true });
  }
}

/** Whether the type is rounded by an importance matrix, which the calibration rows give. */
export const isWeighed = (
  type: string,
  { imatrix, calibration }: Pick<OptionsFor<'frontier'>, 'imatrix' | 'calibration'>,
): boolean => imatrix && calibration !== undefined && usesImportance(type);

/** Measured once for all types of a model. */
async function matrixOf(
  { type, patch, matrices }: Pick<Written, 'type' | 'patch' | 'matrices'>,
  opened: OpenedModel,
  options: OptionsFor<'frontier'>,
  compute: ModelOptions,
  context: Pick<JobContext, 'job' | 'warn'>,
): Promise<ExportImatrix | undefined> {
  if (!isWeighed(type, options)) return undefined;
  const known = matrices.get(patch);
  if (known) return known;
  const { kept } = checkpointReduction(opened.checkpoint, wholeBlocks(opened.removed));
  const reading = { ...options, calibration: options.calibration! };
  const found = await measuredImatrix(reading, opened, kept, compute, context);
  matrices.set(patch, found);
  return found;
}

async function measure(
  checkpoint: Checkpoint,
  { rows, compute }: Pick<Measuring, 'rows' | 'compute'>,
  job: JobOptions,
): Promise<MeasuredFile> {
  const architecture = requireArchitecture(checkpoint);
  const whole = fullView(architecture.layers.length);
  const { numbers } = await withModel(checkpoint, compute, (model) => measuredRows(model, rows, whole, job));
  const { ppl, meanNll } = perplexityFrom(numbers, rows[0].length);
  return { bytes: checkpoint.size.all, ppl, meanNll, parameters: parametersOf(architecture), nll: numbers.nll };
}
