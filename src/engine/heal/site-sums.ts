/** The sums of a site over all rows: those of each group of runs are rounded to float32, as products are, and added in float64. */
import { emptyEquations, type NormalEquations } from './gram';
import type { RowRun } from './streams';

/** How a run is used; only these are summed. */
export type SummedUse = 'fit' | 'choose';

/** The sums of a site. */
export interface SiteSums {
  /** Of the fitted rows, without those that choose the ridge. */
  readonly fitted: NormalEquations;
  /** Of those; undefined if none chooses. */
  readonly chosen?: { readonly equations: NormalEquations; readonly squares: number };
}

/** Size of a site's equations. */
export interface SiteShape {
  /** Width of X. */
  readonly inputs: number;
  readonly outputs: number;
}

/** Takes the products of run after run. */
export interface Collector {
  /** Where the products of the run's piece are added. */
  begin(run: RowRun): NormalEquations;
  /** They are, with those of the whole piece. @param squares Σ R² of the run */
  end(run: RowRun, squares: number): Promise<void>;
}

/** The sums of all groups together, one group after the other. */
export class TotalSums {
  private readonly equations: Readonly<Record<SummedUse, NormalEquations | undefined>>;
  private squares = 0;

  constructor({ inputs, outputs }: SiteShape, chooses: boolean) {
    this.equations = {
      fit: emptyEquations(inputs, outputs),
      choose: chooses ? emptyEquations(inputs, outputs) : undefined,
    };
  }

  of(use: SummedUse): NormalEquations {
    return this.equations[use] ?? this.equations.fit!;
  }

  /** Σ R² of a run whose products are there. */
  addSquares(use: SummedUse, squares: number): void {
    if (use === 'choose') this.squares += squares;
  }

  all(): SiteSums {
    const { fit, choose } = this.equations;
    return { fitted: fit!, ...(choose && { chosen: { equations: choose, squares: this.squares } }) };
  }
}

/** Whether the runs choose the ridge. */
export const chooseIn = (runs: readonly Pick<RowRun, 'use'>[]): boolean => runs.some(({ use }) => use === 'choose');

/** A run that is summed. */
export const summedUse = ({ use }: Pick<RowRun, 'use'>): SummedUse => (use === 'choose' ? 'choose' : 'fit');

/** Collects in this process. A group of one piece is added where the total is; others are summed apart first. */
export class OwnCollector implements Collector {
  private readonly total: TotalSums;
  private readonly apart: GroupSums;

  constructor(
    private readonly runs: readonly RowRun[],
    shape: SiteShape,
  ) {
    this.total = new TotalSums(shape, chooseIn(runs));
    this.apart = new GroupSums(runs, shape);
  }

  begin(run: RowRun): NormalEquations {
    return this.isAlone(run) ? this.total.of(summedUse(run)) : this.apart.equations;
  }

  end(run: RowRun, squares: number): Promise<void> {
    const use = summedUse(run);
    this.total.addSquares(use, squares);
    if (!this.isAlone(run) && this.apart.isLast(run)) {
      const { gram, cross } = this.total.of(use);
      const own = this.apart.equations;
      gram.panels.forEach((panel, p) => addRounded(panel, own.gram.panels[p]));
      addRounded(cross.data, own.cross.data);
      this.apart.clear();
    }
    return Promise.resolve();
  }

  sums(): SiteSums {
    return this.total.all();
  }

  /** Products are float32 already, so that rounding the sums of one piece changes nothing. */
  private isAlone({ group, piece }: RowRun): boolean {
    return this.runs.every((run) => run.group !== group || run.piece === piece);
  }
}

/** The sums of one group, in memory that the next one uses again. */
export class GroupSums {
  private memory: NormalEquations | undefined;

  constructor(
    private readonly runs: readonly RowRun[],
    private readonly shape: SiteShape,
  ) {}

  get equations(): NormalEquations {
    return (this.memory ??= emptyEquations(this.shape.inputs, this.shape.outputs));
  }

  /** Whether it is the last run of its group. */
  isLast({ first, group }: RowRun): boolean {
    return this.runs.every((run) => run.group !== group || run.first <= first);
  }

  clear(): void {
    for (const array of arraysOf(this.equations)) array.fill(0);
  }
}

/** All numbers of equations. */
const arraysOf = ({ gram, cross }: NormalEquations): Float64Array[] => [...gram.panels, cross.data];

/** sum += values in float32 */
function addRounded(sum: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += Math.fround(values[i]);
}
