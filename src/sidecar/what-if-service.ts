/**
 * Answers what-if requests: perplexity of a plan on calibration rows. The model and its hidden states stay open between
 * requests about the same files and settings, and are closed after a while without requests.
 */
import { memoryFor } from '../engine/memory';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import { parametersOf } from '../engine/checkpoint/parameters';
import { partsOf } from '../engine/checkpoint/gguf/parts';
import { CancelledError } from '../engine/errors';
import { sizeOfView } from '../engine/evaluate/measure';
import { PlanPerplexity } from '../engine/evaluate/plan-perplexity';
import { stampsOf } from '../engine/files/stamps';
import { isGguf } from '../engine/formats/gguf/file';
import { type Calibration, loadCalibration } from '../engine/importance/calibration';
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../engine/importance/drawing';
import { withoutRows } from '../engine/importance/run-criterion';
import { type Model, type ModelHooks, openModel } from '../engine/model/model';
import { type OpenedModel, openForComputing } from '../engine/model/opened';
import { removedFrom, type View, viewWithout } from '../engine/model/view';
import { optionalTokenizer } from '../engine/tokenizer/optional';
import { modelOptions, secondsSince } from '../jobs/run';
import { bytesOfWeights } from '../engine/weights/bytes';
import {
  SLOW_ANSWER_S,
  type ViewPerplexity,
  type ViewPerplexityParams,
  type ViewPrepared,
  type ViewPrepareParams,
} from '../protocol/short';
import { type QuickAnswer, QuickModel } from './quick-model';

/** An open model with the rows that it is measured on. */
interface WarmModel {
  /** Request and stamps of the files that it was opened for. */
  readonly key: string;
  readonly opened: OpenedModel;
  readonly model: Model;
  readonly calibration: Calibration;
  readonly evaluator: PlanPerplexity;
  /** The same in int8, once a quick answer was asked for; null where there is none. */
  quick?: QuickModel | null;
}

/** Time that an unused model stays open. */
const LINGER_MS = 60_000;

/** The same for one that nothing was asked of yet: the user reads the panel before the first click. */
const PREPARED_LINGER_MS = 300_000;

/** Nothing is prepared that computes more: chosen, not measured. */
const MOST_OPERATIONS = 1e12;

export const NOT_PREPARED: ViewPrepared = { prepared: false };

export class WhatIfService {
  private open: WarmModel | undefined;
  /** The newest request about each checkpoint that is not answered yet. */
  private readonly newest = new Map<string, AbortController>();
  /** The evaluation before this one, done or cancelled. */
  private last: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private preparing: AbortController | undefined;
  private readonly hooks: ModelHooks;

  /** @param gate awaited before every run of what is prepared */
  constructor(
    hooks: ModelHooks,
    gate: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
    private readonly lingerMs = LINGER_MS,
  ) {
    const beforeRun = async (): Promise<void> => {
      if (this.preparing) await gate(this.preparing.signal);
    };
    this.hooks = { ...hooks, beforeRun };
  }

  /**
   * Opens the model and computes what every plan is compared with, in int8 too where float32 is slow. Any question ends that, and goes on
   * with what is computed.
   * @returns that nothing is prepared where a question is open, a model of another panel is, or it would take long
   * @throws UserError
   */
  async prepare(params: ViewPrepareParams, signal: AbortSignal): Promise<ViewPrepared> {
    if (this.newest.size > 0 || this.preparing) return NOT_PREPARED;
    const mine = (this.preparing = new AbortController());
    const either = AbortSignal.any([signal, mine.signal]);
    const done = this.last.then(() => this.prepareNow(params, either));
    this.last = done.catch(() => undefined);
    try {
      return await done;
    } catch (error) {
      if (error instanceof CancelledError) return NOT_PREPARED;
      throw error;
    } finally {
      if (this.preparing === mine) this.preparing = undefined;
    }
  }

  /** A job or a question needs the machine. */
  stopPreparing(): void {
    this.preparing?.abort();
    this.preparing = undefined;
  }

  /**
   * The newest request about a checkpoint cancels the one before it. Requests about others, which another panel shows,
   * wait for each other.
   * @throws UserError, CancelledError
   */
  async evaluate(params: ViewPerplexityParams, signal: AbortSignal): Promise<ViewPerplexity> {
    const { checkpoint } = params;
    this.stopPreparing();
    this.newest.get(checkpoint)?.abort();
    const mine = new AbortController();
    this.newest.set(checkpoint, mine);
    const before = this.last;
    const either = AbortSignal.any([signal, mine.signal]);
    const answer = before.then(() => this.answer(params, either));
    this.last = answer.catch(() => undefined);
    try {
      return await answer;
    } finally {
      if (this.newest.get(checkpoint) === mine) this.newest.delete(checkpoint);
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.stopPreparing();
    for (const request of this.newest.values()) request.abort();
    await this.last;
    await this.drop();
  }

  private async answer(params: ViewPerplexityParams, signal: AbortSignal): Promise<ViewPerplexity> {
    if (signal.aborted) throw new CancelledError();
    clearTimeout(this.timer);
    try {
      const start = performance.now();
      const warm = await this.openFor(params, await keyOf(params));
      const { opened, calibration } = warm;
      const quick = params.quick ? await quickOf(warm, params) : null;
      const { checkpoint, architecture, removed } = opened;
      const { remove } = params;
      const named = removedFrom(remove ?? [], architecture.layers.length);
      const view = viewWithout(architecture.layers.length, [...removed, ...named]);
      const answer = quick ? await quick.evaluate(view, { signal }) : await exactAnswer(warm, view, params, signal);
      const { found, whole, readRows } = answer;
      const { ppl, meanNll, tokens, kl, top1, steps, computed } = found;
      return {
        ppl,
        meanNll,
        tokens,
        ...(kl !== undefined && { kl, top1 }),
        precision: (quick ?? warm.model).precision,
        ...(readRows !== undefined && { readRows }),
        steps,
        ...sizeOfView(checkpoint, view),
        calibration: withoutRows(calibration),
        ...(whole && { whole: { ppl: whole.ppl } }),
        stepsComputed: computed,
        seconds: secondsSince(start),
      };
    } finally {
      this.linger(this.lingerMs);
    }
  }

  private async prepareNow(params: ViewPrepareParams, signal: AbortSignal): Promise<ViewPrepared> {
    if (signal.aborted || !(await isShort(params))) return NOT_PREPARED;
    const key = await keyOf(params);
    if (signal.aborted || (this.open && this.open.key !== key)) return NOT_PREPARED;
    clearTimeout(this.timer);
    try {
      const warm = await this.openFor(params, key);
      const start = performance.now();
      const whole = await warm.evaluator.prepare(params.whole ?? false, { signal });
      const seconds = secondsSince(start);
      const quick = seconds >= SLOW_ANSWER_S ? await quickOf(warm, params) : null;
      await quick?.prepare({ signal });
      return { prepared: true, seconds, calibration: withoutRows(warm.calibration), ...(whole && { whole }) };
    } finally {
      this.linger(Math.max(this.lingerMs, PREPARED_LINGER_MS));
    }
  }

  private linger(time: number): void {
    this.timer = setTimeout(() => void this.drop(), time);
    this.timer.unref();
  }

  /** Opens the model, unless the same one is open and none of its files has changed. */
  private async openFor(params: ViewPrepareParams, key: string): Promise<WarmModel> {
    const { checkpoint: path, calibration: source, width, heal, adapter, otherBase, memory } = params;
    if (this.open?.key === key) return this.open;
    await this.drop();
    const opened = await openForComputing(path, { width, heal, adapter, otherBase });
    const { checkpoint, architecture } = opened;
    const { samples, length, seed = DEFAULT_SEED, share, bos } = source;
    const settings = {
      samples,
      length,
      seed,
      share,
      bos,
      vocabulary: architecture.vocabulary,
      bosTokenId: architecture.bosTokenId,
    };
    const calibration = await loadCalibration(source.file, settings, await optionalTokenizer(checkpoint.home));
    const model = await openModel(checkpoint, {
      ...modelOptions(params, { hooks: this.hooks }),
      changes: opened.changes,
    });
    model.holdSessions();
    const evaluator = new PlanPerplexity(model, calibration.rows, opened.view, memory ?? memoryFor('whatIfStates'));
    this.open = { key, opened, model, calibration, evaluator };
    return this.open;
  }

  private async drop(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.quick?.close();
    open?.evaluator.close();
    await open?.model.close();
  }
}

/** Names a model with its rows and settings. The files are stamped before they are opened, so the next request notices one that changes meanwhile. */
async function keyOf(params: ViewPrepareParams): Promise<string> {
  const { checkpoint: path, calibration: source, width, heal, adapter, otherBase, device, threads, memory } = params;
  const changes = [width, heal, adapter].filter((file) => file !== undefined);
  const stamps = await stampsOf([...(await placesOf(path)), source.file, ...changes]);
  return JSON.stringify([path, source, width, heal, adapter, otherBase, device, threads, memory, stamps]);
}

/** Whether a pass over the rows takes seconds and not minutes, and the weights have room beside what else runs. */
async function isShort({ checkpoint, calibration }: ViewPrepareParams): Promise<boolean> {
  const architecture = requireArchitecture(await openCheckpoint(checkpoint));
  const { samples = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length } = calibration;
  const operations = 2 * parametersOf(architecture) * samples * length;
  return operations <= MOST_OPERATIONS && bytesOfWeights(architecture, 'float32') <= memoryFor('text');
}

/** The model in 8-bit integers, which stays open with it; null where products of integers are no help. */
async function quickOf(warm: WarmModel, { memory }: ViewPerplexityParams): Promise<QuickModel | null> {
  if (warm.quick !== undefined) return warm.quick;
  const { model, calibration, opened } = warm;
  return (warm.quick = await QuickModel.open(
    model,
    calibration.rows,
    opened.view,
    memory ?? memoryFor('whatIfStates'),
  ));
}

/** In float32, and the model with none of its blocks removed if the request asks for it. */
async function exactAnswer(
  { evaluator, opened }: WarmModel,
  view: View,
  { whole: isWholeAsked }: ViewPerplexityParams,
  signal: AbortSignal,
): Promise<Omit<QuickAnswer, 'whole'> & Partial<QuickAnswer>> {
  const whole = isWholeAsked ? await evaluator.evaluate(opened.view, { signal }) : undefined;
  return { found: await evaluator.evaluate(view, { signal }), whole };
}

/** The folder with a checkpoint's files, or its GGUF files. @param path the folder or a file in it */
async function placesOf(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return [path];
  if (!(await isGguf(path))) return [dirname(path)];
  return partsOf(path).catch(() => [path]); // opening it says what is missing
}
