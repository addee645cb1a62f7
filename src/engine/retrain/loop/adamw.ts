/** AdamW (Loshchilov & Hutter 2019): Adam with weight decay decoupled from the gradient. */

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Weight decay of the parameters that decay; the others have 0. */
  readonly weightDecay: number;
}

/** A trained tensor. `values` is updated in place. */
export interface Parameter {
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** Weight decay applies: by convention to matrices, not to vectors. */
  readonly decays: boolean;
}

export type Parameters = ReadonlyMap<string, Parameter>;
export type Gradients = ReadonlyMap<string, Float32Array>;

interface Moments {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export class AdamW {
  /** First and second moments, by parameter. */
  readonly moments: ReadonlyMap<string, Moments>;

  constructor(
    private readonly parameters: Parameters,
    private readonly options: AdamWOptions,
  ) {
    const zeros = ({ values }: Parameter): Moments => {
      return { mean: new Float32Array(values.length), variance: new Float32Array(values.length) };
    };
    this.moments = new Map([...parameters].map(([name, parameter]) => [name, zeros(parameter)]));
  }

  /**
   * Updates every parameter in place.
   * @param step 1, 2, …: corrects the bias of the moments
   * @param factor multiplies the gradients (clipping)
   */
  update(step: number, learningRate: number, gradients: Gradients, factor: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    const correction1 = 1 - beta1 ** step;
    const correction2 = Math.sqrt(1 - beta2 ** step);
    for (const [name, { values, decays }] of this.parameters) {
      const gradient = gradients.get(name)!;
      const { mean, variance } = this.moments.get(name)!;
      const shrink = decays ? 1 - learningRate * weightDecay : 1;
      const rate = learningRate / correction1;
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i] * factor;
        const m = beta1 * mean[i] + (1 - beta1) * g;
        const v = beta2 * variance[i] + (1 - beta2) * g * g;
        mean[i] = m;
        variance[i] = v;
        values[i] = values[i] * shrink - (rate * m) / (Math.sqrt(v) / correction2 + epsilon);
      }
    }
  }
}

/** √Σ g² over all gradients, in float64. */
export function totalNorm(gradients: Gradients): number {
  let sum = 0;
  for (const gradient of gradients.values()) {
    // By index: an iterator takes several times as long.
    const { length } = gradient;
    for (let i = 0; i < length; i++) sum += gradient[i] * gradient[i];
  }
  return Math.sqrt(sum);
}

/** The factor for gradients of total norm `norm` that limits it to `limit`, as in PyTorch's clip_grad_norm_. */
export function clipFactor(norm: number, limit: number): number {
  return Math.min(1, limit / (norm + 1e-6));
}
