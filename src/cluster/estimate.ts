/**
 * What a part of a job is expected to need, from the model's headers and the sizes of the inputs. Computes no model, and reads
 * no text.
 */
import { totalmem } from 'node:os';
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { openCheckpoint } from '../engine/checkpoint/open';
import { parametersOf } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import { CRITERIA, type Criterion, criterionInfo, criterionWork } from '../engine/importance/criteria';
import { CUT_WORK, type CutFrame, type CutWork, rowWork } from '../engine/importance/cut-work';
import { type EstimatedWork, rowBlockFlops } from '../engine/importance/estimate';
import { endBlocks } from '../engine/importance/select';
import { fullView, stepsOf } from '../engine/model/view';
import type { CuttableWork } from '../engine/parts/split';
import { splitWork } from '../engine/parts/split';
import { isObject, type JsonObject } from '../format/json';
import { calibrationRows, measuredRows, numberIn, questionTokens } from '../jobs/amounts';
import { Speeds } from '../jobs/machine-speeds';
import type { CutKind } from '../jobs/parts/part-record';
import { type Needs, needsOf, type SizedModel, type Use } from './part-needs';

/** The most that one of the parts needs. */
export interface PartEstimate {
  readonly seconds: number;
  /** Of the process, at its peak. The process of the tokenizer comes on top. */
  readonly memoryBytes: number;
  /** Of them for hidden states: what the option for memory must say where it is not given, because a job takes a share of the node. */
  readonly statesBytes: number;
  /** Read from the checkpoint. */
  readonly readBytes: number;
}

/** What a node can do. */
export interface PartNode {
  /** CPU threads. */
  readonly threads: number;
  /** Operations a second; a guess by the threads when undefined. */
  readonly flops?: number;
  /** Bytes a second that it reads from the files of models. */
  readonly readSpeed?: number;
}

/** Guesses: bytes a second from shared files, and seconds until a process computes. */
const READ_SPEED = 200e6;
const START = 5;

/** Tokens of a row of questions with their answers. */
const QUESTION_ROW = 64;

/**
 * @param options complete, of the job
 * @returns undefined where the inputs cannot be read from here
 */
export async function estimateParts(
  kind: CutKind,
  options: object,
  parts: number,
  node: PartNode,
): Promise<PartEstimate | undefined> {
  const given = options as JsonObject;
  const models = await modelsOf(kind, given);
  if (models === undefined) return undefined;
  const budget = numberIn(given, 'memory') ?? STATES_SHARE * totalmem();
  let [seconds, memoryBytes, readBytes] = [0, 0, 0];
  for (const model of models) {
    const load = await loadOf(kind, given, model);
    if (load === undefined) return undefined;
    const most = needsOfLargest(model, load, parts, budget);
    seconds += secondsOf(most, load, model, node);
    readBytes += most.readBytes;
    memoryBytes = Math.max(memoryBytes, most.memoryBytes);
  }
  return { seconds: START + seconds, memoryBytes, statesBytes: budget, readBytes };
}

/** As in a process that is told nothing: an eighth of the machine's memory. */
const STATES_SHARE = 1 / 8;

/** A job's work on a model. */
interface Load {
  readonly work: EstimatedWork;
  readonly cut: CuttableWork;
  readonly length: number;
  /** Models in one process whose distributions are compared. */
  readonly models: number;
  readonly effort: Use['effort'];
}

async function loadOf(kind: CutKind, options: JsonObject, { architecture }: SizedModel): Promise<Load | undefined> {
  const blocks = architecture.layers.length;
  const plain = { work: 'evaluate', models: 1, effort: 'products' } as const;
  if (kind === 'score') {
    const criterion = CRITERIA.find((name) => name === options.criterion) ?? 'ppl';
    const { rows, length } = await calibrationRows(options, architecture.context);
    const steps = stepsOf(fullView(blocks), options.granularity === 'module');
    const cut = cutOf(criterion, architecture, { steps, rows, length });
    const { effort } = criterionInfo(criterion);
    return {
      work: criterion,
      cut,
      length,
      models: criterion === 'kl' ? 2 : 1,
      effort: effort === 'none' ? 'reading' : effort,
    };
  }
  if (kind === 'tasks' || options.measure === 'tasks') {
    const tokens = await questionTokens(options);
    if (tokens === undefined) return undefined;
    const rows = Math.max(1, Math.round(tokens / QUESTION_ROW));
    const passes = kind === 'tasks' ? 1 : countIn(options, blocks) + 1;
    return {
      ...plain,
      cut: rowWork(architecture, { rows, length: QUESTION_ROW }, passes * blocks, passes),
      length: QUESTION_ROW,
    };
  }
  const rows = await measuredRows(options, architecture.context);
  if (rows === undefined) return undefined;
  const models = options.measure === 'kl' || options.maxKl !== undefined || options.against !== undefined ? 2 : 1;
  const passes = kind === 'eval' ? 1 : countIn(options, blocks) + 1;
  const cut = rowWork(architecture, rows, models * passes * blocks, models * passes);
  return { ...plain, cut, length: rows.length, models };
}

/** Points of a curve besides the whole model. */
function countIn(options: JsonObject, blocks: number): number {
  const ends = options.keepEnds === false ? 0 : endBlocks(blocks).length;
  return Math.min(numberIn(options, 'most') ?? blocks - ends, blocks - 1);
}

/** Of a criterion whose cut is not known here, as if it were cut by rows. */
function cutOf(criterion: Criterion, architecture: Architecture, frame: CutFrame): CuttableWork {
  const known: Partial<Record<Criterion, CutWork>> = CUT_WORK;
  return (
    known[criterion]?.(architecture, frame) ?? rowWork(architecture, frame, criterionWork(architecture, criterion), 0)
  );
}

/** What the most expensive part needs, and of memory and reading the most that any part does. */
function needsOfLargest(
  model: SizedModel,
  { cut, length, models, effort }: Load,
  parts: number,
  budget: number,
): Needs {
  const use = { length, budget, models, effort };
  const most = { flops: 0, readBytes: 0, memoryBytes: 0 };
  const seen = new Set<string>();
  // How many rows there are is sometimes a guess, and only the part itself can refuse.
  const there = Math.ceil(cut.rows / cut.unit) * Math.max(1, cut.candidates);
  for (const share of splitWork(cut, Math.min(parts, there))) {
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

function secondsOf(
  { flops, readBytes }: Needs,
  { work, length }: Load,
  { architecture }: SizedModel,
  node: PartNode,
): number {
  const reading = readBytes / (node.readSpeed ?? READ_SPEED);
  if (node.flops !== undefined) return reading + flops / node.flops;
  const speeds = new Speeds({ get: () => undefined, update: () => Promise.resolve() }, node.threads);
  return reading + speeds.estimate(flops, { work, size: rowBlockFlops(architecture, length) }).seconds;
}

/** The models of a job, without what it leaves out; undefined if one cannot be read from here. */
async function modelsOf(kind: CutKind, options: JsonObject): Promise<SizedModel[] | undefined> {
  const paths = kind === 'tasks' ? severalPaths(options) : [options.checkpoint];
  const models: SizedModel[] = [];
  for (const path of paths) {
    if (typeof path !== 'string') return undefined;
    try {
      const { architecture, shards } = await openCheckpoint(path);
      if (architecture === undefined) return undefined;
      const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
      models.push({ architecture, bytesPerWeight: bytes / parametersOf(architecture) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return undefined;
    }
  }
  const last = models.pop();
  if (last === undefined) return undefined;
  const { remove } = options;
  const removed = Array.isArray(remove) ? remove.filter((each): each is number => typeof each === 'number') : [];
  return [...models, { ...last, architecture: withoutLayers(last.architecture, removed) }];
}

function severalPaths({ checkpoints, columns }: JsonObject): unknown[] {
  if (Array.isArray(columns))
    return columns.map((column: unknown) => (isObject(column) ? column.checkpoint : undefined));
  return Array.isArray(checkpoints) ? checkpoints : [];
}
