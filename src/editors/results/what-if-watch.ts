/**
 * Asks for the perplexity of the plan once clicks have settled. A plan takes one request, which also measures the whole
 * model while its perplexity is unknown. A newer plan cancels the request before it.
 */
import { Debounce } from '../../sidecar/timers';
import { CancelledError, throwIfCancelled } from '../../engine/errors';
import { calibrationKey } from '../../engine/records/rows-key';
import type { WhatIfState } from '../../protocol/panel';
import { SLOW_ANSWER_S, type ViewPerplexity } from '../../protocol/short';

/** Waits this long after a click, because clicks come in bursts. */
const SETTLE_MS = 150;

/** The view to evaluate. */
export interface WhatIfQuestion {
  readonly remove?: readonly (number | string)[];
  /** Measure the whole model too. */
  readonly whole?: true;
  /** Answer in int8, if that is possible. */
  readonly quick?: true;
}

export interface WhatIfOptions {
  readonly ask: (question: WhatIfQuestion, signal: AbortSignal) => Promise<ViewPerplexity>;
  readonly changed: (state: WhatIfState) => void;
  /** Returns the message for an error. */
  readonly failed: (error: unknown) => string;
  readonly settleMs?: number;
}

/** Perplexity of the whole model, and the rows it was measured on. */
export type Known = Required<Pick<WhatIfState, 'full' | 'text' | 'rowsKey'>>;

export const NOTHING_YET: WhatIfState = {
  status: 'idle',
  full: null,
  removed: [],
  ppl: null,
  kl: null,
  top1: null,
  seconds: null,
  text: null,
  failure: null,
};

export class WhatIfWatch {
  private current: WhatIfState = NOTHING_YET;
  private wanted: readonly number[] = [];
  private readonly settled: Debounce;
  private running: AbortController | undefined;
  /** Seconds of the slowest answer in float32 on these rows, or what was prepared for the first one. */
  private slowest = 0;

  constructor(private readonly options: WhatIfOptions) {
    this.settled = new Debounce(options.settleMs ?? SETTLE_MS, () => void this.evaluate());
  }

  get state(): WhatIfState {
    return this.current;
  }

  /** Takes a new plan. It is evaluated after a moment without another one. */
  planned(removed: readonly number[]): void {
    this.wanted = removed;
    this.running?.abort();
    this.show({ status: 'waiting', failure: null });
    this.settled.ask();
  }

  /**
   * Starts over with other rows or settings.
   * @param known the whole model's perplexity on these rows, if a run has it
   */
  restart(known: Known | undefined): void {
    this.dispose();
    this.slowest = 0;
    this.show({ ...NOTHING_YET, rowsKey: undefined, ...known });
  }

  /** Takes the whole model's perplexity from a run that has finished meanwhile. */
  know(known: Known): void {
    if (this.current.full === null) this.show(known);
  }

  /** @param seconds for an answer in float32, at most @param known the whole model's perplexity, if that was measured */
  prepared(seconds: number, known?: Known): void {
    this.slowest = Math.max(this.slowest, seconds);
    if (known) this.know(known);
  }

  dispose(): void {
    this.settled.dispose();
    this.running?.abort();
  }

  private async evaluate(): Promise<void> {
    const removed = this.wanted;
    const { signal } = (this.running = new AbortController());
    this.show({ status: 'computing' });
    try {
      if (removed.length > 0) await this.measure(removed, signal);
      else await this.measureWhole(signal);
    } catch (error) {
      if (error instanceof CancelledError || signal.aborted) return; // a newer plan follows
      this.show({ status: 'failed', failure: this.options.failed(error) });
    }
  }

  private async measureWhole(signal: AbortSignal): Promise<void> {
    if (this.current.full === null) {
      const { ppl, calibration } = await this.ask({}, signal);
      this.show({ full: ppl, text: calibration.source, rowsKey: calibrationKey(calibration) });
    }
    this.show({ status: 'done', removed: [], ppl: this.current.full, kl: null, top1: null, seconds: null });
  }

  private async measure(removed: readonly number[], signal: AbortSignal): Promise<void> {
    const askWhole = this.current.full === null;
    if (!askWhole && this.slowest >= SLOW_ANSWER_S) await this.measureQuickly(removed, signal);
    let answer = await this.ask({ remove: removed, ...(askWhole && { whole: true }) }, signal);
    // The text has changed: the known perplexity of the whole model belongs to other rows.
    if (!askWhole && calibrationKey(answer.calibration) !== this.current.rowsKey)
      answer = await this.ask({ remove: removed, whole: true }, signal);
    const { ppl, kl = null, top1 = null, seconds, whole, calibration } = answer;
    const full = whole && { full: whole.ppl, text: calibration.source, rowsKey: calibrationKey(calibration) };
    this.slowest = Math.max(this.slowest, seconds);
    this.show({ ...full, status: 'done', removed, ppl, kl, top1, precision: undefined, readRows: undefined, seconds });
  }

  /**
   * Shows the plan's perplexity in int8 until float32 replaces it, which also brings the KL divergence. Both whole models are known, so the quick number is the
   * whole model's in float32, times what the plan changes in int8.
   */
  private async measureQuickly(removed: readonly number[], signal: AbortSignal): Promise<void> {
    const answer = await this.ask({ remove: removed, quick: true }, signal);
    const { ppl, whole, precision, readRows, calibration } = answer;
    if (precision !== 'int8' || !whole || calibrationKey(calibration) !== this.current.rowsKey) return;
    const moved = (Number(this.current.full) * Number(ppl)) / Number(whole.ppl);
    if (Number.isFinite(moved)) this.show({ removed, ppl: moved, kl: null, top1: null, precision, readRows });
  }

  /** @throws CancelledError also when the answer comes late: the plan or the rows have changed */
  private async ask(question: WhatIfQuestion, signal: AbortSignal): Promise<ViewPerplexity> {
    const answer = await this.options.ask(question, signal);
    throwIfCancelled(signal);
    return answer;
  }

  private show(changes: Partial<WhatIfState>): void {
    this.current = { ...this.current, ...changes };
    this.options.changed(this.current);
  }
}
