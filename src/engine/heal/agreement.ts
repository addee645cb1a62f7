/**
 * What the processes of a healing agree on, site by site: sums over all rows are solved once, and small numbers of all rows are
 * known to all. One process agrees with itself.
 */
import type { JsonObject } from '../../format/json';
import type { KeyedPatch, PatchSink } from '../weights/patches';
import type { NewWeight } from './corrections';
import type { SiteFacts } from './draft';
import { type Collector, OwnCollector, type SiteShape, type SiteSums } from './site-sums';
import type { RowRun } from './streams';

/** What is found for a site from the sums over all rows. */
export interface Correction {
  readonly facts: SiteFacts;
  /** The new weights; none if no correction helps. */
  readonly changed: readonly NewWeight[];
  /** −share · D, where the stream is corrected by that; undefined where the new weight is applied. */
  readonly negative?: Float32Array;
}

/** Numbers of some rows, as JSON. */
export type RowNumbers = JsonObject;

export interface Agreement {
  /**
   * Finds a site's correction.
   * @param step names the site
   * @param pass takes the streams to the site's input, and collects the sums of the rows; without a collector where the correction
   *   is known already
   * @param solve solves from the sums of all rows
   */
  correction(
    step: string,
    shape: SiteShape,
    pass: (collector: Collector | undefined) => Promise<void>,
    solve: (sums: SiteSums) => Promise<Correction>,
  ): Promise<Correction>;
  /** Keeps new weights that follow from numbers which all have. */
  keep(changed: readonly NewWeight[]): Promise<void>;
  /** Numbers of all rows: of every process, in the order of their rows. */
  everyone<T extends RowNumbers>(step: string, own: T): Promise<readonly T[]>;
  /** What everyone said, if all have: of a healing that is over but for its result. */
  said<T extends RowNumbers>(step: string): Promise<readonly T[] | undefined>;
  /** All new weights. */
  patches(): Promise<readonly KeyedPatch[]>;
}

/** One process with all rows. */
export class Alone implements Agreement {
  constructor(
    private readonly runs: readonly RowRun[],
    private readonly sink: PatchSink,
  ) {}

  async correction(
    _step: string,
    shape: SiteShape,
    pass: (collector: Collector | undefined) => Promise<void>,
    solve: (sums: SiteSums) => Promise<Correction>,
  ): Promise<Correction> {
    const collector = new OwnCollector(this.runs, shape);
    await pass(collector);
    const found = await solve(collector.sums());
    await this.keep(found.changed);
    return found;
  }

  async keep(changed: readonly NewWeight[]): Promise<void> {
    for (const { key, values } of changed) await this.sink.add(key, values);
  }

  everyone<T extends RowNumbers>(_step: string, own: T): Promise<readonly T[]> {
    return Promise.resolve([own]);
  }

  said(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  patches(): Promise<readonly KeyedPatch[]> {
    return this.sink.patches();
  }
}
