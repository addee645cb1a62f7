/**
 * Removal in turn of parts of different sizes, up to a size: the block, attention or FFN goes whose absence costs least for what it
 * saves, the rest is measured again, repeat. Whole blocks are among the parts, because one half alone may cost more than both. What
 * is left of the size for no more large parts is filled with small ones. With a limit of the divergence, parts go as long as one is
 * left that keeps to it.
 */
import { inPhases, type JobOptions, labelled } from '../progress';
import { removedParts, type Step, stepsOf, type View, viewWithout } from '../model/view';
import { FULL_ROUND, remeasured } from './cost';
import type { RemovedInTurn, Sweep } from './in-turn';
import type { ModelLoss } from './losses';
import type { Room, Saves } from './module-costs';
import { fits, isBlock, nameOf, openParts, partOf, SLACK } from './open-parts';
import type { Removal } from './result';
import { rankBlocks } from './select';

export interface WithinSize extends Pick<Room, 'size'>, Partial<Pick<Room, 'takes'>> {
  /** Blocks whose parts may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** What a step saves, above 0: what it costs is divided by that. It also takes so much of the size, unless `takes` is given. */
  readonly saves: Saves;
  /** Nats: a part stays without which the divergence is above this. The sweep must measure it. */
  readonly maxKl?: number;
  readonly sweep: Sweep;
}

/**
 * @param start the model
 * @returns removals with what they save, in their order; ties go to the earlier part, and to a module before its block
 * @throws CancelledError
 */
export async function removeWithin(
  start: View,
  { candidates, saves, takes = saves, size, maxKl = Infinity, sweep }: WithinSize,
  job: JobOptions,
): Promise<RemovedInTurn> {
  const earlier = new Earlier();
  const removals: Removal[] = [];
  const tooMuch = new Set<string>();
  let full: ModelLoss | undefined;
  let [view, left, rest] = [start, size, job];
  for (let round = 0; stepsOf(view, true).length > 1; round++) {
    const open = openParts(view, candidates).filter(
      (step) => fits(takes(step), left, size) && !tooMuch.has(nameOf(step)),
    );
    if (open.length === 0) break;
    const mean = open.reduce((sum, step) => sum + takes(step), 0) / open.length;
    const [now, later] = inPhases(rest, [{ share: mean }, { share: Math.max(left - mean, SLACK * size) }]);
    const some = round % FULL_ROUND === 0 ? open : earlier.shortlist(open);
    const found = await measure(view, some, sweep, saves, labelled(now, `round ${round + 1}`));
    full ??= found.full;
    const before = decisive(found.full);
    const prices = found.without.map((loss, i) => (decisive(loss) - before) / saves(some[i]));
    some.forEach((step, i) => earlier.learn(step, prices[i]));
    // The more is gone, the more the next part costs: what is too much now stays.
    const isWithin = (i: number): boolean => maxKl === Infinity || found.without[i].kl! <= maxKl;
    for (const [i, step] of some.entries()) if (!isWithin(i)) tooMuch.add(nameOf(step));
    const best = rankBlocks(prices).find((i) => isWithin(i) && !found.out.has(nameOf(some[i])));
    if (best === undefined) continue;
    const { meanNll, ppl, kl } = found.without[best];
    const saved = saves(some[best]);
    removals.push({ ...partOf(some[best]), meanNll, ppl, ...(kl !== undefined && { kl }), saves: saved });
    earlier.forget(some[best].block);
    view = viewWithout(view.attention.length, [...removedParts(view), partOf(some[best])]);
    left -= takes(some[best]);
    rest = later;
  }
  full ??= (await sweep(stepsOf(view, true), [], { signal: job.signal })).full;
  return { full, removals };
}

const decisive = ({ kl, meanNll }: ModelLoss): number => kl ?? meanNll;

/** The model, and the model without each part, in their order: a sweep over modules, and one over blocks. */
async function measure(
  view: View,
  parts: readonly Step[],
  sweep: Sweep,
  saves: Saves,
  job: JobOptions,
): Promise<{
  readonly full: ModelLoss;
  readonly without: readonly ModelLoss[];
  /** Names of parts that are certainly not the best of their kind. */
  readonly out: ReadonlySet<string>;
}> {
  const kinds = [false, true].filter((whole) => parts.some((part) => isBlock(part) === whole));
  const phases = inPhases(
    job,
    kinds.map((whole) => ({ share: parts.filter((part) => isBlock(part) === whole).length })),
  );
  const found = new Map<string, ModelLoss>();
  const out = new Set<string>();
  let full: ModelLoss | undefined;
  for (const [i, whole] of kinds.entries()) {
    const steps = stepsOf(view, !whole);
    const wanted = new Set(parts.filter((part) => isBlock(part) === whole).map(nameOf));
    const some = [...steps.keys()].filter((k) => wanted.has(nameOf(steps[k])));
    const swept = await sweep(steps, some, phases[i], (k) => saves(steps[k]));
    full ??= swept.full;
    some.forEach((k, at) => found.set(nameOf(steps[k]), swept.without[at]));
    for (const k of swept.out ?? []) out.add(nameOf(steps[k]));
  }
  return { full: full!, without: parts.map((part) => found.get(nameOf(part))!), out };
}

/** What parts cost when they were measured last. */
class Earlier {
  private readonly prices = new Map<string, number>();

  learn(step: Step, price: number): void {
    this.prices.set(nameOf(step), price);
  }

  /** What the other half of a block costs changes most. */
  forget(block: number): void {
    for (const name of [`${block}`, `${block}.attention`, `${block}.ffn`]) this.prices.delete(name);
  }

  /**
   * The parts that cost least before, and those whose cost is not known any more.
   * @param open what fits now: all of it fitted before, so the first round measured it
   */
  shortlist(open: readonly Step[]): Step[] {
    const known = open.filter((step) => this.prices.has(nameOf(step)));
    const least = rankBlocks(known.map((step) => this.prices.get(nameOf(step))!)).slice(0, remeasured(open.length));
    const some = new Set(least.map((i) => known[i]));
    return open.filter((step) => some.has(step) || !known.includes(step));
  }
}
