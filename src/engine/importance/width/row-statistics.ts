/** Statistics of the channels of a Linear's input, row after row: float32 numbers of the forward pass, summed in float64. */

/** Takes one row of text after another. */
export interface RowStatistics {
  /** @param x (tokens, channels) of one row */
  add(x: Float32Array): void;
}

/** The mean b and the fluctuation f of each channel, as FLAP updates them (An et al. 2024). */
export class Fluctuation implements RowStatistics {
  /** b ← b·n/(n+1) + (mean over the tokens)/(n+1), after n rows. */
  readonly mean: Float64Array;
  /** f ← f·(n−1)/n + Σ over tokens of (x − new b)²/(n+1); 0 after the first row. */
  readonly fluctuation: Float64Array;
  private rows = 0;

  constructor(private readonly channels: number) {
    this.mean = new Float64Array(channels);
    this.fluctuation = new Float64Array(channels);
  }

  add(x: Float32Array): void {
    const { mean, fluctuation, channels, rows: n } = this;
    const sums = new Float64Array(channels);
    for (let at = 0; at < x.length; at += channels) for (let c = 0; c < channels; c++) sums[c] += x[at + c];
    const tokens = x.length / channels;
    for (let c = 0; c < channels; c++) mean[c] = mean[c] * (n / (n + 1)) + sums[c] / tokens / (n + 1);
    this.rows++;
    if (n === 0) return;
    const squares = sums.fill(0);
    for (let at = 0; at < x.length; at += channels) {
      for (let c = 0; c < channels; c++) {
        const away = x[at + c] - mean[c];
        squares[c] += away * away;
      }
    }
    for (let c = 0; c < channels; c++) fluctuation[c] = fluctuation[c] * ((n - 1) / n) + squares[c] / (n + 1);
  }
}

/** The energy e of each channel: the mean over rows of Σ over tokens of x². */
export class Energy implements RowStatistics {
  readonly energy: Float64Array;
  private rows = 0;

  constructor(private readonly channels: number) {
    this.energy = new Float64Array(channels);
  }

  add(x: Float32Array): void {
    const { energy, channels, rows: n } = this;
    const sums = new Float64Array(channels);
    for (let at = 0; at < x.length; at += channels) {
      for (let c = 0; c < channels; c++) sums[c] += x[at + c] * x[at + c];
    }
    for (let c = 0; c < channels; c++) energy[c] = energy[c] * (n / (n + 1)) + sums[c] / (n + 1);
    this.rows++;
  }
}

/** Several statistics of the same channels. */
export const together = (...all: readonly RowStatistics[]): RowStatistics => ({
  add: (x) => all.forEach((statistics) => statistics.add(x)),
});
