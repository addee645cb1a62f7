/**
 * Removal in turn with a screen: a round measures all candidates in the precision of the screen, and its leaders in
 * float32 until the best of them is certain. What a round shows of the screen's error holds for the next ones too.
 */
import type { Model } from '../model/model';
import type { Step } from '../model/view';
import type { JobOptions } from '../progress';
import { isScreenedRound, type ScreenedRows, screenedRoundWork, sweepWork } from './cost';
import type { Sweep } from './in-turn';
import type { ModelLoss } from './losses';
import { NO_SPREAD, type Spread } from './margin';
import { type Racer, racing, USUAL_MARGIN } from './raced-sweep';
import type { ScreenSummary } from './result';
import { remembered, screenedSweep, type ScreenedSweep, type Swept } from './screened-sweep';
import type { SweepMemory } from './sweep-memory';

/** A round: the numbers of the model with `steps`, and without each candidate, an index into them. */
export type RoundOf<T> = (
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions,
  memory?: SweepMemory<T>,
) => Promise<Swept<T>>;

interface Rounds<T extends object> {
  readonly exact: RoundOf<T>;
  readonly screen: RoundOf<T>;
  readonly summary: (value: T) => ModelLoss;
  /** Races in the precision of the screen, in place of measuring all candidates on all rows. */
  readonly racer?: Racer<T>;
}

export class ScreenedRounds<T extends object> {
  private spread: Spread = NO_SPREAD;
  private margin: number | undefined;
  private confirmed = 0;
  private last: { readonly steps: readonly Step[]; readonly found: ScreenedSweep<T> } | undefined;

  constructor(
    private readonly rows: ScreenedRows,
    private readonly rounds: Rounds<T>,
  ) {}

  readonly sweep: Sweep = async (steps, candidates, job) => {
    const { exact, screen, racer } = this.rounds;
    const scope = { wanted: 1, slack: this.margin ?? USUAL_MARGIN, isLater: this.last !== undefined };
    const summary = remembered(this.rounds.summary);
    if (!isScreenedRound(candidates.length)) {
      const { full, without } = await exact(steps, candidates, job);
      this.confirmed += candidates.length;
      return { full: summary(full), without: without.map(summary) };
    }
    const number = (value: T): number => summary(value).kl ?? summary(value).meanNll;
    const found = await screenedSweep<T>(
      {
        screen: racer ? racing(racer, steps, scope) : (...rest) => screen(steps, ...rest),
        exact: (...rest) => exact(steps, ...rest),
        number,
      },
      {
        candidates,
        exact: 1,
        work: screenedRoundWork(this.rows, candidates, (some) => sweepWork(this.rows.architecture, steps.length, some)),
        earlier: this.spread,
        known: this.known(steps),
      },
      job,
    );
    this.last = { steps, found };
    this.spread = found.spread;
    this.confirmed += found.confirmed.length;
    if (Number.isFinite(found.margin)) this.margin = Math.max(this.margin ?? 0, found.margin);
    const measured = found.confirmed;
    return { full: summary(found.full), without: measured.map((k) => summary(found.exact.get(k)!)), measured };
  };

  summary({ precision }: Model): ScreenSummary {
    const { margin, confirmed } = this;
    return { precision, exact: 1, confirmed, ...(margin !== undefined && { margin }) };
  }

  /** The model of this round is what the round before had without the block that went. */
  private known(steps: readonly Step[]): { screen: T; exact: T } | undefined {
    if (!this.last) return undefined;
    const { steps: before, found } = this.last;
    const gone = before.findIndex((step, k) => step !== steps[k]);
    const [exact, screen] = [found.exact.get(gone), found.screened.without.get(gone)];
    return exact === undefined || screen === undefined || found.out.has(gone) ? undefined : { exact, screen };
  }
}
