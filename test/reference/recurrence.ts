/** The operators of recurrent mixers in float64, token by token, as their equations are written: the reference for onnx/ops. */

type Numbers = Float64Array;

export interface RecurrenceShape {
  readonly rows: number;
  readonly length: number;
  /** Each serves heads / keyHeads neighbouring heads. */
  readonly keyHeads: number;
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
}

/** As `Recurrence` of ops/recurrence.ts has them. */
export interface RecurrenceNumbers {
  readonly query: Numbers;
  readonly key: Numbers;
  readonly value: Numbers;
  readonly decay: Numbers;
  readonly beta?: Numbers;
  readonly state?: Numbers;
}

/** S ← e^g S; u = v, or β (v − Sᵀ k); S ← S + k uᵀ; o = Sᵀ q. */
export function recur(shape: RecurrenceShape, given: RecurrenceNumbers): { output: Numbers; state: Numbers } {
  const { rows, length, keyHeads, heads, keyWidth, valueWidth } = shape;
  const { query, key, value, decay, beta } = given;
  const state = Float64Array.from(given.state ?? new Float64Array(rows * heads * keyWidth * valueWidth));
  const output = new Float64Array(rows * length * heads * valueWidth);
  for (let row = 0; row < rows; row++) {
    for (let t = 0; t < length; t++) {
      const token = row * length + t;
      for (let head = 0; head < heads; head++) {
        const keyAt = (token * keyHeads + Math.floor((head * keyHeads) / heads)) * keyWidth;
        const valueAt = (token * heads + head) * valueWidth;
        const start = (row * heads + head) * keyWidth * valueWidth;
        const at = (i: number, j: number): number => start + i * valueWidth + j;
        const fade = Math.exp(decay[token * heads + head]);
        for (let j = 0; j < valueWidth; j++) {
          let seen = 0;
          for (let i = 0; i < keyWidth; i++) {
            state[at(i, j)] *= fade;
            seen += state[at(i, j)] * key[keyAt + i];
          }
          const wanted = value[valueAt + j];
          const written = beta ? beta[token * heads + head] * (wanted - seen) : wanted;
          for (let i = 0; i < keyWidth; i++) {
            state[at(i, j)] += key[keyAt + i] * written;
            output[valueAt + j] += state[at(i, j)] * query[keyAt + i];
          }
        }
      }
    }
  }
  return { output, state };
}

/** y_t = bias + Σ_j w_j x_{t−K+1+j}. x: (rows, length, channels), weight: (channels, K), past: (rows, K − 1, channels) */
export function convolve(
  { length, channels }: { readonly length: number; readonly channels: number },
  x: Numbers,
  weight: Numbers,
  bias?: Numbers,
  past?: Numbers,
): Numbers {
  const width = weight.length / channels;
  const at = (row: number, t: number, c: number): number => {
    if (t >= 0) return x[(row * length + t) * channels + c];
    return past ? past[(row * (width - 1) + t + width - 1) * channels + c] : 0;
  };
  return Float64Array.from({ length: x.length }, (_, i) => {
    const c = i % channels;
    const t = Math.floor(i / channels) % length;
    const row = Math.floor(i / channels / length);
    let sum = bias ? bias[c] : 0;
    for (let j = 0; j < width; j++) sum += weight[c * width + j] * at(row, t - width + 1 + j, c);
    return sum;
  });
}
