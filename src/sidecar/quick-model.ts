/**
 * A model in 8-bit integers, for answers that are soon there and only roughly right. Where all rows would take too long, it reads the
 * first ones: both the plan and the original, so that what the plan changes is compared on the same rows.
 */
import { PlanPerplexity, type WhatIfResult } from '../engine/evaluate/plan-perplexity';
import type { TokenRows } from '../engine/model/forward';
import type { Model } from '../engine/model/model';
import type { View } from '../engine/model/view';
import type { JobOptions } from '../engine/progress';
import { inSpreadRowInt8 } from '../engine/weights/row-int8';

/** A quick answer takes about so many seconds at most. */
const QUICK_S = 0.7;

/** So many rows show how long a row takes, and fewer are never read. */
const LEAST_ROWS = 2;

export interface QuickAnswer {
  readonly found: WhatIfResult;
  /** The model with none of its blocks removed, on the same rows. */
  readonly whole: WhatIfResult;
  /** How many rows were read, if not all. */
  readonly readRows?: number;
}

export class QuickModel {
  private readonly all: PlanPerplexity;
  private few: { readonly evaluator: PlanPerplexity; readonly rows: number } | undefined;
  /** Seconds of a row through a block; undefined until it is prepared. */
  private perRow: number | undefined;

  private constructor(
    private readonly model: Model,
    private readonly rows: TokenRows,
    private readonly view: View,
    private readonly budget: number,
    private readonly seconds: number,
  ) {
    this.all = this.reading(rows);
  }

  /**
   * @param rows tokens, all of one length
   * @param view the model with none of its blocks removed
   * @param budget bytes for kept states
   * @param seconds that an answer may take
   * @returns null where products of integers are no help
   */
  static async open(
    model: Model,
    rows: TokenRows,
    view: View,
    budget: number,
    seconds = QUICK_S,
  ): Promise<QuickModel | null> {
    const weights = model.device.provider === 'cpu' ? await inSpreadRowInt8(model.weights, model.threads) : undefined;
    if (!weights) return null;
    const rounded = model.beside(weights);
    rounded.holdSessions();
    return new QuickModel(rounded, rows, view, budget, seconds);
  }

  /** What its numbers are computed in. */
  get precision(): string {
    return this.model.precision;
  }

  /** Computes what every answer needs of the original, on all rows and on as many as a quick answer has time for. @throws CancelledError */
  async prepare(job: JobOptions): Promise<void> {
    await this.all.prepare(true, job);
    if (this.few || this.rows.length <= LEAST_ROWS) return;
    // The sessions are open now, as they will be when a question comes.
    const trial = this.reading(this.rows.slice(0, LEAST_ROWS));
    try {
      const amount = trial.amount(this.view);
      const start = performance.now();
      await trial.prepare(true, job);
      this.perRow = (performance.now() - start) / 1000 / LEAST_ROWS / amount;
      const fitting = Math.floor(this.seconds / (this.perRow * amount));
      if (fitting >= this.rows.length) return;
      const rows = Math.max(LEAST_ROWS, fitting);
      const evaluator = this.reading(this.rows.slice(0, rows));
      this.few = { evaluator, rows };
      await evaluator.prepare(true, job);
    } finally {
      trial.close();
    }
  }

  /** @throws CancelledError */
  async evaluate(view: View, job: JobOptions): Promise<QuickAnswer> {
    const { few } = this;
    const isLong = this.rows.length * this.all.amount(view) * (this.perRow ?? 0) > this.seconds;
    const evaluator = isLong && few ? few.evaluator : this.all;
    const whole = await evaluator.evaluate(this.view, job);
    const found = await evaluator.evaluate(view, job);
    return { found, whole, ...(isLong && few && { readRows: few.rows }) };
  }

  async close(): Promise<void> {
    this.all.close();
    this.few?.evaluator.close();
    await this.model.close();
  }

  private reading(rows: TokenRows): PlanPerplexity {
    return new PlanPerplexity(this.model, rows, this.view, this.budget, false);
  }
}
