/**
 * Removal in turn of parts of different sizes, up to a size: that part goes whose absence costs least for what it saves, the rest is
 * measured again, repeat. What is left of the size for no more large parts is filled with small ones.
 */
import { inPhases, type JobOptions, labelled } from '../progress';
import type { Step } from '../model/view';
import { FULL_ROUND, remeasured } from './cost';
import { openSteps, type RemovedInTurn, type Sweep } from './in-turn';
import type { ModelLoss } from './losses';
import type { Saves } from './module-costs';
import type { Removal } from './result';
import { rankBlocks } from './select';

export interface WithinSize {
  /** Blocks whose parts may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** What a step saves, above 0, and how much all removals save at most, in the same unit. */
  readonly saves: Saves;
  readonly size: number;
  readonly sweep: Sweep;
}

/** Sums of what is saved are rounded. */
const SLACK = 1e-9;

/**
 * @param start steps of the model, attention and FFN apart
 * @returns removals with what they save, in their order; ties go to the earlier part
 * @throws CancelledError
 */
export async function removeWithin(
  start: readonly Step[],
  { candidates, saves, size, sweep }: WithinSize,
  job: JobOptions,
): Promise<RemovedInTurn> {
  const earlier = new Earlier();
  const removals: Removal[] = [];
  let steps = start;
  let full: ModelLoss | undefined;
  let [left, rest] = [size, job];
  for (let round = 0; steps.length > 1; round++) {
    const current = steps;
    const room = left + SLACK * size;
    const open = openSteps(current, candidates).filter((k) => saves(current[k]) <= room);
    if (open.length === 0) break;
    const mean = open.reduce((sum, k) => sum + saves(current[k]), 0) / open.length;
    const [now, later] = inPhases(rest, [{ share: mean }, { share: Math.max(left - mean, SLACK * size) }]);
    const some = round % FULL_ROUND === 0 ? open : earlier.shortlist(current, open);
    const found = await sweep(current, some, labelled(now, `round ${round + 1}`));
    const { measured = some } = found;
    full ??= found.full;
    const prices = found.without.map(
      (loss, i) => (decisive(loss) - decisive(found.full)) / saves(current[measured[i]]),
    );
    measured.forEach((k, i) => earlier.learn(current[k], prices[i]));
    const [best] = rankBlocks(prices);
    const gone = current[measured[best]];
    const { meanNll, ppl, kl } = found.without[best];
    const part = gone.attention && gone.ffn ? {} : { part: gone.attention ? ('attention' as const) : ('ffn' as const) };
    removals.push({ block: gone.block, ...part, meanNll, ppl, ...(kl !== undefined && { kl }), saves: saves(gone) });
    earlier.forget(current, gone);
    left -= saves(gone);
    steps = current.filter((_, k) => k !== measured[best]);
    rest = later;
  }
  full ??= (await sweep(steps, [], { signal: job.signal })).full;
  return { full, removals };
}

const decisive = ({ kl, meanNll }: ModelLoss): number => kl ?? meanNll;

/** What parts cost when they were measured last. */
class Earlier {
  private readonly prices = new Map<Step, number>();

  learn(step: Step, price: number): void {
    this.prices.set(step, price);
  }

  /** What the other half of a block costs changes most. */
  forget(steps: readonly Step[], gone: Step): void {
    for (const step of steps) if (step.block === gone.block) this.prices.delete(step);
  }

  /**
   * The parts that cost least before, and those whose cost is not known any more.
   * @param open what fits now: all of it fitted before, so the first round measured it
   * @returns indices into `steps`, ascending
   */
  shortlist(steps: readonly Step[], open: readonly number[]): number[] {
    const isNew = (k: number): boolean => !this.prices.has(steps[k]);
    const known = open.filter((k) => !isNew(k));
    const least = rankBlocks(known.map((k) => this.prices.get(steps[k])!)).slice(0, remeasured(open.length));
    const some = new Set(least.map((i) => known[i]));
    return open.filter((k) => some.has(k) || isNew(k));
  }
}
