/**
 * Corrections of several healings of one model on the same rows. Up to the first module that one of them leaves out and another does
 * not, both pass the same stream: X and what is wanted are the same at each of their sites, and so is the correction. It is found
 * once, without other sums or another factor for the healings that follow.
 */
import type { View } from '../model/view';
import type { PatchSink } from '../weights/patches';
import { Alone, type Correction } from './agreement';
import type { Others } from './heal';
import type { Collector, SiteShape, SiteSums } from './site-sums';
import { sitesOf } from './sites';
import type { RowRun } from './streams';

export class RememberedCorrections {
  /** Healings that are still to come and pass a site alike. */
  private readonly uses = new Map<string, number>();
  private readonly found = new Map<string, Correction>();
  private bytes = 0;

  /**
   * @param views what the healings leave out; each is healed once
   * @param budget bytes of memory for corrections; beyond them, a correction is found again
   */
  constructor(
    views: readonly View[],
    private readonly budget: number,
  ) {
    for (const key of views.flatMap((view) => [...keysOf(view).values()])) {
      this.uses.set(key, (this.uses.get(key) ?? 0) + 1);
    }
  }

  /** For the healing of one of the views. */
  of(view: View): Others {
    const keys = keysOf(view);
    return {
      part: { number: 1, of: 1 },
      meet: (runs, sink) => new Remembering(runs, sink, this, keys),
    };
  }

  /** The correction of a site, if it is known. Each healing asks once. */
  take(key: string): Correction | undefined {
    const correction = this.found.get(key);
    const left = (this.uses.get(key) ?? 1) - 1;
    this.uses.set(key, left);
    if (correction && left === 0) {
      this.found.delete(key);
      this.bytes -= bytesOf(correction);
    }
    return correction;
  }

  /** Remembers it if another healing needs it. */
  keep(key: string, correction: Correction): void {
    const bytes = bytesOf(correction);
    if ((this.uses.get(key) ?? 0) === 0 || this.bytes + bytes > this.budget) return;
    this.found.set(key, correction);
    this.bytes += bytes;
  }
}

class Remembering extends Alone {
  constructor(
    runs: readonly RowRun[],
    sink: PatchSink,
    private readonly remembered: RememberedCorrections,
    /** By the names of sites. */
    private readonly keys: ReadonlyMap<string, string>,
  ) {
    super(runs, sink);
  }

  override async correction(
    step: string,
    shape: SiteShape,
    pass: (collector: Collector | undefined) => Promise<void>,
    solve: (sums: SiteSums) => Promise<Correction>,
  ): Promise<Correction> {
    const key = this.keys.get(step) ?? step;
    const known = this.remembered.take(key);
    if (known) {
      await pass(undefined);
      await this.keep(known.changed);
      return known;
    }
    const correction = await super.correction(step, shape, pass, solve);
    this.remembered.keep(key, correction);
    return correction;
  }
}

/**
 * What each site's correction follows from, by the name of the site: which modules are kept, from the first one to that where the
 * target is.
 */
function keysOf(view: View): Map<string, string> {
  const kept = view.attention.flatMap((attention, block) => [attention, view.ffn[block]]);
  return new Map(
    sitesOf(view).map(({ block, tensor, next }) => [
      `${block}.${tensor}`,
      kept
        .slice(0, next)
        .map((isKept) => (isKept ? '1' : '0'))
        .join(''),
    ]),
  );
}

function bytesOf({ changed, negative }: Correction): number {
  return changed.reduce((sum, { values }) => sum + values.byteLength, 0) + (negative?.byteLength ?? 0);
}
