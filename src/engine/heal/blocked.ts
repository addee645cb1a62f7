/**
 * Symmetric matrices in panels. A panel is a block of columns from the diagonal down, row by row, so that each
 * suffix of its rows is one stretch of memory that a product can read without a copy.
 */

/** Columns of a panel: enough for fast products, few enough that work on its diagonal block costs little. */
export const PANEL = 128;
/**
 * Columns of a panel of a large matrix. A product with a panel reads and writes all that it is subtracted from, and memory gives
 * that more slowly than the processor takes it. So wide matrices have wide panels, whose diagonal blocks are factored in panels
 * themselves.
 */
const WIDE_PANEL = 512;
const WIDE = 4096;

/** Columns of a panel of a matrix of that size, unless others are named. */
export const panelOf = (size: number): number => (size < WIDE ? PANEL : WIDE_PANEL);

/** The lower triangle of a symmetric matrix of n rows; panel p has the rows from p · `panel` on. */
export class Panels {
  readonly panels: readonly Float64Array[];

  constructor(
    readonly size: number,
    panels?: readonly Float64Array[],
    /** Columns of a panel. */
    readonly panel = panelOf(size),
  ) {
    this.panels = panels ?? this.starts.map((start) => new Float64Array((size - start) * this.width(start)));
  }

  /** The first column of every panel. */
  get starts(): number[] {
    return panelStarts(this.size, this.panel);
  }

  /** Columns of the panel that starts at column `start`. */
  width(start: number): number {
    return panelWidth(this.size, start, this.panel);
  }

  copy(): Panels {
    return new Panels(
      this.size,
      this.panels.map((panel) => panel.slice()),
      this.panel,
    );
  }

  /** The sum of two matrices of one size. */
  plus(other: Panels): Panels {
    const sum = this.copy();
    sum.panels.forEach((panel, p) => addTo(panel, other.panels[p]));
    return sum;
  }

  diagonal(): Float64Array {
    const values = new Float64Array(this.size);
    for (const [p, start] of this.starts.entries()) {
      const width = this.width(start);
      for (let i = 0; i < width; i++) values[start + i] = this.panels[p][i * width + i];
    }
    return values;
  }

  /** Adds `value` to every entry of the diagonal. */
  addToDiagonal(value: number): void {
    for (const [p, start] of this.starts.entries()) {
      const width = this.width(start);
      for (let i = 0; i < width; i++) this.panels[p][i * width + i] += value;
    }
  }
}

/** The first column of every panel of a matrix with `size` columns. */
export function panelStarts(size: number, panel = panelOf(size)): number[] {
  return Array.from({ length: Math.ceil(size / panel) }, (_, p) => p * panel);
}

/** Columns of the panel that starts at column `start`. */
export const panelWidth = (size: number, start: number, panel = panelOf(size)): number => Math.min(panel, size - start);

/** sum += values, elementwise. */
export function addTo(sum: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
