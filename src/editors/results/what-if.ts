/**
 * Perplexity of the plan as it is, a moment after it changed; what was asked before and is not answered yet is dropped.
 * The whole model's comes first, once.
 */
import { CancelledError } from '../../engine/errors';
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

  /** Forgets everything: rows or settings are others now. */
  reset(): void {
    this.dispose();
    this.current = NOTHING_YET;
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
      if (this.current.full === null) {
        const whole = await this.options.ask({}, signal);
        this.show({ full: whole.ppl, text: whole.calibration.source });
      }
      if (removed.length === 0) {
        this.show({ status: 'done', removed, ppl: this.current.full, seconds: null });
        return;
      }
      const { ppl, seconds } = await this.options.ask({ remove: removed }, signal);
      if (!signal.aborted) this.show({ status: 'done', removed, ppl, seconds });
    } catch (error) {
      if (error instanceof CancelledError || signal.aborted) return; // a newer plan is on its way
      this.show({ status: 'failed', failure: this.options.failed(error) });
    }
  }

  private show(changes: Partial<WhatIfState>): void {
    this.current = { ...this.current, ...changes };
    this.options.changed(this.current);
  }
}
