/**
 * Answers what-if requests: perplexity of a plan on calibration rows. The model and its states stay open between
 * requests of the same checkpoint and rows; one that nobody asks about for a while is closed.
 */
import { stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { CancelledError } from '../engine/errors';
import { sizeOfView } from '../engine/evaluate/measure';
import { PlanPerplexity } from '../engine/evaluate/plan-perplexity';
import { type Calibration, loadCalibration } from '../engine/importance/calibration';
import { withoutRows } from '../engine/importance/run-criterion';
import { optionalTokenizer } from '../engine/tokenizer/optional';
import { type Model, type ModelHooks, openModel } from '../engine/model/model';
import { type OpenedModel, openForComputing } from '../engine/model/opened';
import type { ViewPerplexity, ViewPerplexityParams } from '../protocol/short';
import { modelOptions, secondsSince, wanted } from './jobs/job';
import { calibrationSettings } from './jobs/settings';

interface WarmModel {
  readonly key: string;
  readonly model: Model;
  readonly calibration: Calibration;
  readonly evaluator: PlanPerplexity;
}

/** Share of the machine's memory that kept states may take. */
const MEMORY_SHARE = 1 / 16;
/** How long a model stays open that nobody asks about. */
const LINGER_MS = 60_000;

export class WhatIfService {
  private warm: WarmModel | undefined;
  private newest: AbortController | undefined;
  /** The evaluation before this one, done or given up. */
  private last: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly hooks: ModelHooks,
    private readonly lingerMs = LINGER_MS,
  ) {}

  /**
   * The newest wins: a request that is still being answered is cancelled by the next one.
   * @throws UserError, CancelledError
   */
  async evaluate(params: ViewPerplexityParams, signal: AbortSignal): Promise<ViewPerplexity> {
    this.newest?.abort();
    const mine = (this.newest = new AbortController());
    const before = this.last;
    const either = AbortSignal.any([signal, mine.signal]);
    const answer = before.then(() => this.answer(params, either));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.newest?.abort();
    await this.last;
    await this.drop();
  }

  private async answer(params: ViewPerplexityParams, signal: AbortSignal): Promise<ViewPerplexity> {
    if (signal.aborted) throw new CancelledError();
    clearTimeout(this.timer);
    try {
      const start = performance.now();
      const opened = await openForComputing(params.checkpoint, wanted(params));
      const { calibration, evaluator } = await this.warmModel(params, opened);
      const { ppl, meanNll, tokens, steps, computed } = await evaluator.evaluate(opened.view, { signal });
      return {
        ...{ ppl, meanNll, tokens, steps },
        ...sizeOfView(opened.checkpoint, opened.view),
        calibration: withoutRows(calibration),
        stepsComputed: computed,
        seconds: secondsSince(start),
      };
    } finally {
      this.timer = setTimeout(() => void this.drop(), this.lingerMs);
      this.timer.unref();
    }
  }

  private async warmModel(
    params: ViewPerplexityParams,
    { checkpoint, architecture, adapter, inputs }: OpenedModel,
  ): Promise<WarmModel> {
    const { calibration: source, device, threads, memory } = params;
    const settings = { ...calibrationSettings(source), vocabulary: architecture.vocabulary };
    const key = JSON.stringify([
      ...[
        checkpoint.path,
        checkpoint.identity,
        await stampsOf([...checkpoint.shards.map(({ file }) => file), source.file]),
      ],
      ...[settings, device, threads, memory, inputs],
    ]);
    if (this.warm?.key === key) return this.warm;
    await this.drop();
    const calibration = await loadCalibration(source.file, settings, await optionalTokenizer(checkpoint.folder));
    const model = await openModel(checkpoint, { ...modelOptions(params, this.hooks), adapter });
    const budget = memory ?? totalmem() * MEMORY_SHARE;
    this.warm = { key, model, calibration, evaluator: new PlanPerplexity(model, calibration.rows, budget) };
    return this.warm;
  }

  private async drop(): Promise<void> {
    const { warm } = this;
    this.warm = undefined;
    warm?.evaluator.close();
    await warm?.model.close();
  }
}

/** What changes when a file is written to. */
async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return stamps.map((found, i) => `${files[i]} ${found?.size} ${found?.mtimeMs}`).join('\n');
}
