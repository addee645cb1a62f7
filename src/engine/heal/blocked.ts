/**
 * Symmetric matrices in panels. A panel is a block of columns from the diagonal down, row by row, so that each
 * suffix of its rows is one stretch of memory that a product can read without a copy.
 */

/** Columns of a panel: enough for fast products, few enough that work on its diagonal block costs little. */
export const PANEL = 128;

/** The lower triangle of a symmetric matrix of n rows; panel p has the rows from p · PANEL on. */
export class Panels {
  readonly panels: readonly Float64Array[];

  constructor(
    readonly size: number,
    panels?: readonly Float64Array[],
  ) {
    this.panels =
      panels ?? panelStarts(size).map((start) => new Float64Array((size - start) * panelWidth(size, start)));
  }

  copy(): Panels {
    return new Panels(
      this.size,
      this.panels.map((panel) => panel.slice()),
    );
  }

  /** The sum of two matrices of one size. */
  plus(other: Panels): Panels {
    const sum = this.copy();
    sum.panels.forEach((panel, p) => addTo(panel, other.panels[p]));
    return sum;
  }

  diagonal(): Float64Array {
    const { size } = this;
    const values = new Float64Array(size);
    for (const [p, start] of panelStarts(size).entries()) {
      const width = panelWidth(size, start);
      for (let i = 0; i < width; i++) values[start + i] = this.panels[p][i * width + i];
    }
    return values;
  }

  /** Adds `value` to every entry of the diagonal. */
  addToDiagonal(value: number): void {
    const { size } = this;
    for (const [p, start] of panelStarts(size).entries()) {
      const width = panelWidth(size, start);
      for (let i = 0; i < width; i++) this.panels[p][i * width + i] += value;
    }
  }
}

/** The first column of every panel of a matrix with `size` columns. */
export function panelStarts(size: number): number[] {
  return Array.from({ length: Math.ceil(size / PANEL) }, (_, p) => p * PANEL);
}

/** Columns of the panel that starts at column `start`. */
export const panelWidth = (size: number, start: number): number => Math.min(PANEL, size - start);

/** sum += values, elementwise. */
export function addTo(sum: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
