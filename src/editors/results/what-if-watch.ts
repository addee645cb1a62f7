/**
 * Perplexity of the plan as it is, a moment after it changed; what was asked before and is not answered yet is dropped.
 * The whole model's comes first, once.
 */
import { CancelledError, throwIfCancelled } from '../../engine/errors';
import { calibrationKey } from '../../engine/records/rows-key';
import type { RemovedEntry } from '../../protocol/json';
import type { WhatIfState } from '../../protocol/panel';
import type { ViewPerplexity } from '../../protocol/short';

/** Clicks come in bursts. */
const SETTLE_MS = 150;

/** The view to evaluate. */
export interface WhatIfQuestion {
  readonly remove?: readonly RemovedEntry[];
}

export interface WhatIfOptions {
  readonly ask: (question: WhatIfQuestion, signal: AbortSignal) => Promise<ViewPerplexity>;
  readonly changed: (state: WhatIfState) => void;
  /** In words. */
  readonly failed: (error: unknown) => string;
  readonly settleMs?: number;
}

/** Perplexity of the whole model, and what it was measured on. */
export type Known = Required<Pick<WhatIfState, 'full' | 'text' | 'rowsKey'>>;

export const NOTHING_YET: WhatIfState = {
  ...{ status: 'idle', full: null, removed: [], ppl: null, seconds: null, text: null, failure: null },
};

export class WhatIfWatch {
  private current: WhatIfState = NOTHING_YET;
  private wanted: readonly number[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running: AbortController | undefined;

  constructor(private readonly options: WhatIfOptions) {}

  get state(): WhatIfState {
    return this.current;
  }

  /** The plan is this now. */
  planned(removed: readonly number[]): void {
    this.wanted = removed;
    clearTimeout(this.timer);
    this.running?.abort();
    this.show({ status: 'waiting', failure: null });
    this.timer = setTimeout(() => void this.evaluate(), this.options.settleMs ?? SETTLE_MS);
  }

  /** Starts over with other rows or settings. @param known of the whole model on these rows, where a run told it */
  restart(known: Known | undefined): void {
    this.dispose();
    this.show({ ...NOTHING_YET, rowsKey: undefined, ...known });
  }

  /** What a run has told meanwhile. */
  know(known: Known): void {
    if (this.current.full === null) this.show(known);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.running?.abort();
  }

  private async evaluate(): Promise<void> {
    const removed = this.wanted;
    const { signal } = (this.running = new AbortController());
    this.show({ status: 'computing' });
    try {
      if (this.current.full === null) await this.askWhole(signal);
      if (removed.length === 0) {
        this.show({ status: 'done', removed, ppl: this.current.full, seconds: null });
        return;
      }
      const { ppl, seconds, calibration } = await this.ask({ remove: removed }, signal);
      // The text is another than it was: the whole model's perplexity was that of other rows.
      if (calibrationKey(calibration) !== this.current.rowsKey) await this.askWhole(signal);
      this.show({ status: 'done', removed, ppl, seconds });
    } catch (error) {
      if (error instanceof CancelledError || signal.aborted) return; // a newer plan is on its way
      this.show({ status: 'failed', failure: this.options.failed(error) });
    }
  }

  private async askWhole(signal: AbortSignal): Promise<void> {
    const { ppl, calibration } = await this.ask({}, signal);
    this.show({ full: ppl, text: calibration.source, rowsKey: calibrationKey(calibration) });
  }

  /** @throws CancelledError also where the answer came late: the plan, or the rows, are others now */
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
