/**
 * What a part of a job is expected to need: the job's work, as everywhere, cut into shares. Reads headers and sizes of files.
 */
import { parametersOf } from '../engine/checkpoint/parameters';
import { HEAL_DEFAULTS, HEAL_METHODS } from '../engine/heal/methods';
import { memoryShare, sharedTotal } from '../engine/memory';
import { splitWork } from '../engine/parts/split';
import { cutModels, type Load, loadOf } from '../estimates/cut';
import { healedRows } from '../estimates/choosing';
import { healPartNeeds, sumFiles } from '../estimates/heal-parts';
import { type AskedJob, estimatedJob, workOf } from '../estimates/job';
import type { MachineSpeeds } from '../estimates/machine';
import { type Models, openModels } from '../estimates/models';
import { type Needs, needsOf, type SizedModel } from '../estimates/sweep-needs';
import type { Work } from '../estimates/work';
import type { JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';
import { type CutKind, isShared } from '../jobs/parts/part-record';

/** The most that one of the parts needs. */
export interface PartEstimate {
  readonly seconds: number;
  /** Of the process, at its peak. The process of the tokenizer comes on top. */
  readonly memoryBytes: number;
  /** Of them for hidden states: what the option for memory must say where it is not given, because a job takes a share of the node. */
  readonly statesBytes: number;
  /** Read from the checkpoint. */
  readonly readBytes: number;
  /** Of parts that go on together: what they leave for each other in the folder of the run, at most at a time. */
  readonly folderBytes?: number;
}

/** What computes a part. */
export interface PartNode {
  /** CPU threads. */
  readonly threads: number;
  /** Of this machine: a thread of a node is taken to be as fast. */
  readonly speeds: MachineSpeeds;
}

/**
 * @param options complete, of the job
 * @param models where it is not known from their files what the options name: models that are yet to be written
 * @returns undefined where the inputs cannot be read from here
 */
export async function estimateParts(
  kind: CutKind,
  options: object,
  parts: number,
  node: PartNode,
  models?: Models,
): Promise<PartEstimate | undefined> {
  const given = options as JsonObject;
  const known = models ?? (await openModels(given));
  const work = workOf({ kind, options: given }, known);
  if (isShared(kind)) return work && healEstimate({ kind, options: given }, known, { parts, work }, node);
  const cut = cutModels(kind, given, known);
  if (work === undefined || cut === undefined) return undefined;
  const budget = statesOf(given);
  const [part, whole] = [NOTHING, NOTHING].map((nothing) => ({ ...nothing }));
  for (const model of cut) {
    const load = loadOf(kind, given, model);
    if (load === undefined) return undefined;
    addTo(part, needsOfLargest(model, load, parts, budget));
    addTo(whole, needsOfLargest(model, load, 1, budget));
  }
  const shareOf = (own: number, all: number): number => (all > 0 ? own / all : 1);
  const share = { flops: shareOf(part.flops, whole.flops), files: shareOf(part.readBytes, whole.readBytes) };
  const seconds = work.reduce((sum, each) => sum + secondsOf(each, share, node), 0);
  return { seconds, memoryBytes: part.memoryBytes, statesBytes: budget, readBytes: part.readBytes };
}

/** The most parts that a job can have, as far as its amounts are known; some are guesses, and only the part itself can refuse. */
export function mostParts(kind: CutKind, options: JsonObject, known: Models): number | undefined {
  if (isShared(kind)) {
    const job = estimatedJob({ kind, options }, known);
    const fitted = job && healedRows(job);
    return job && fitted && sumFiles(job.model.architecture, fitted);
  }
  const loads = cutModels(kind, options, known)?.map((model) => loadOf(kind, options, model));
  const counts = loads?.map((load) => load && partsIn(load));
  return counts?.every((count) => count !== undefined) ? Math.min(...counts) : undefined;
}

const partsIn = ({ cut }: Load): number => Math.ceil(cut.rows / cut.unit) * Math.max(1, cut.candidates);

/** The most that one of the parts takes of this machine's memory, in bytes; undefined where the inputs cannot be read. */
export async function memoryOfParts(kind: CutKind, options: object, parts: number): Promise<number | undefined> {
  const given = options as JsonObject;
  const models = cutModels(kind, given, await openModels(given));
  const needs = models?.map((model) => {
    const load = loadOf(kind, given, model);
    return load && needsOfLargest(model, load, parts, statesOf(given)).memoryBytes;
  });
  return needs?.every((each) => each !== undefined) ? Math.max(...needs) : undefined;
}

const statesOf = (options: JsonObject): number =>
  numberIn(options, 'memory') ?? memoryShare('hiddenStates') * sharedTotal();

/** A process that is alone does all parts, so the time is that of all; any may have to do the first part, which solves. */
function healEstimate(
  asked: AskedJob,
  known: Models,
  { parts, work }: { readonly parts: number; readonly work: readonly Work[] },
  node: PartNode,
): PartEstimate | undefined {
  const job = estimatedJob(asked, known);
  const fitted = job && healedRows(job);
  if (job === undefined || fitted === undefined) return undefined;
  const { architecture, bytes } = job.model;
  const budget = statesOf(job.options);
  const method = HEAL_METHODS.find((name) => name === job.options.method) ?? HEAL_DEFAULTS.method;
  const model = { architecture, bytesPerWeight: bytes / parametersOf(architecture) };
  const needs = healPartNeeds(model, { removed: job.removed, method, ...fitted, parts, budget });
  const seconds = work.reduce((sum, each) => sum + secondsOf(each, { flops: 1, files: 1 }, node), 0);
  const folderBytes = needs.allSumsBytes + needs.weightsBytes;
  return { seconds, memoryBytes: needs.solverBytes, statesBytes: budget, readBytes: needs.readBytes, folderBytes };
}

const NOTHING: Needs = { flops: 0, readBytes: 0, memoryBytes: 0 };

function addTo(sum: { -readonly [K in keyof Needs]: number }, { flops, readBytes, memoryBytes }: Needs): void {
  sum.flops += flops;
  sum.readBytes += readBytes;
  sum.memoryBytes = Math.max(sum.memoryBytes, memoryBytes); // one model after the other
}

/** Of the work, a part has a share; of what it reads of files, another one. */
function secondsOf(
  work: Work,
  share: { readonly flops: number; readonly files: number },
  { threads, speeds }: PartNode,
): number {
  const { seconds } = speeds.timeOf(work, 'cpu');
  if (work.kind === 'seconds') return seconds;
  return work.kind === 'files' ? share.files * seconds : (share.flops * seconds * speeds.threads) / threads;
}

/** What the most expensive part needs, and of memory and reading the most that any part does. */
function needsOfLargest(model: SizedModel, load: Load, parts: number, budget: number): Needs {
  const { cut, length, models, effort } = load;
  const use = { length, budget, models, effort };
  const most = { flops: 0, readBytes: 0, memoryBytes: 0 };
  const seen = new Set<string>();
  // How many rows there are is sometimes a guess, and only the part itself can refuse.
  for (const share of splitWork(cut, Math.min(parts, partsIn(load)))) {
    const key = JSON.stringify([share.rows.to - share.rows.from, share.candidates, share.whole]);
    if (seen.has(key)) continue;
    seen.add(key);
    const needs = needsOf(model, cut, share, use);
    most.flops = Math.max(most.flops, needs.flops);
    most.readBytes = Math.max(most.readBytes, needs.readBytes);
    most.memoryBytes = Math.max(most.memoryBytes, needs.memoryBytes);
  }
  return most;
}
