/**
 * Answers what-if requests: perplexity of a plan on calibration rows. The model and its states stay open between
 * requests of the same checkpoint and rows; one that nobody asks about for a while is closed.
 */
import { stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { CancelledError } from '../engine/errors';
import { sizeOfView } from '../engine/evaluate/measure';
import { WhatIf } from '../engine/evaluate/what-if';
import { type Calibration, loadCalibration } from '../engine/importance/calibration';
import { withoutRows } from '../engine/importance/run-criterion';
import { optionalTokenizer } from '../engine/tokenizer/optional';
import { type Model, type ModelHooks, openModel } from '../engine/model/model';
import { type Opened, openForComputing } from '../engine/model/opened';
import type { ViewPerplexity, ViewPerplexityParams } from '../protocol/short';
import { modelOptions, secondsSince, wanted } from './jobs/job';
import { calibrationSettings } from './jobs/settings';

interface Subject {
  readonly key: string;
  readonly model: Model;
  readonly calibration: Calibration;
  readonly whatIf: WhatIf;
}

/** Share of the machine's memory that kept states may take. */
const MEMORY_SHARE = 1 / 16;
/** How long a model stays open that nobody asks about. */
const LINGER_MS = 60_000;

export class WhatIfDesk {
  private subject: Subject | undefined;
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
      const { calibration, whatIf } = await this.subjectOf(params, opened);
      const { ppl, meanNll, tokens, steps, computed } = await whatIf.evaluate(opened.view, { signal });
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

  private async subjectOf(
    params: ViewPerplexityParams,
    { checkpoint, architecture, adapter, inputs }: Opened,
  ): Promise<Subject> {
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
    if (this.subject?.key === key) return this.subject;
    await this.drop();
    const calibration = await loadCalibration(source.file, settings, await optionalTokenizer(checkpoint.folder));
    const model = await openModel(checkpoint, { ...modelOptions(params, this.hooks), adapter });
    const budget = memory ?? totalmem() * MEMORY_SHARE;
    this.subject = { key, model, calibration, whatIf: new WhatIf(model, calibration.rows, budget) };
    return this.subject;
  }

  private async drop(): Promise<void> {
    const { subject } = this;
    this.subject = undefined;
    subject?.whatIf.close();
    await subject?.model.close();
  }
}

/** What changes when a file is written to. */
async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return stamps.map((found, i) => `${files[i]} ${found?.size} ${found?.mtimeMs}`).join('\n');
}
