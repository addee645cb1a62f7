/** LoRA adapters for tests: random ones, and the golden start of golden/README.md. */
import { type Architecture, linearNames } from '../../src/engine/checkpoint/architecture';
import { blockWeights } from '../../src/engine/checkpoint/weight-names';
import { type Adapter } from '../../src/engine/adapter/adapter';
import { normal } from './random';

type AdapterChanges = Partial<Pick<Adapter, 'rank' | 'alpha' | 'dropout' | 'targets' | 'removed'>>;

/** An adapter for a model of this architecture, with the numbers that `fill` gives. */
function adapterOf(
  architecture: Architecture,
  choice: AdapterChanges,
  fill: (matrix: 'A' | 'B', linear: number, size: number, width: number) => Float32Array,
): Adapter {
  const { rank = 4, alpha = 8, dropout = 0, targets = linearNames(architecture), removed = [] } = choice;
  const matrices = new Map<number, Record<string, Float32Array>>();
  for (let block = 0; block < architecture.layers.length - removed.length; block++) {
    const named: Record<string, Float32Array> = {};
    for (const name of targets) {
      const [out, width] = blockWeights(architecture, block)[name]!.shape;
      const linears = linearNames(architecture);
      const linear = block * linears.length + linears.indexOf(name);
      named[`${name}.A`] = fill('A', linear, rank * width, width);
      named[`${name}.B`] = fill('B', linear, out * rank, width);
    }
    matrices.set(block, named);
  }
  return { rank, alpha, dropout, targets, removed, matrices };
}

/** Random matrices, large enough to matter. */
export function randomAdapter(architecture: Architecture, choice: AdapterChanges = {}, seed = 1): Adapter {
  const next = normal(seed);
  return adapterOf(architecture, choice, (matrix, _linear, size, width) =>
    Float32Array.from({ length: size }, () => (matrix === 'A' ? next() / Math.sqrt(width) : 0.1 * next())),
  );
}

/** The matrices that golden training starts from: A = u(·, 2t) / √in, B = 0.02 u(·, 2t + 1), t counting the Linears. */
export function goldenStart(architecture: Architecture, removed: readonly number[]): Adapter {
  return adapterOf(architecture, { rank: 8, alpha: 16, removed }, (matrix, t, size, width) => {
    const values = hashed(size, matrix === 'A' ? 2 * t : 2 * t + 1);
    return Float32Array.from(values, (value) => (matrix === 'A' ? value / Math.sqrt(width) : 0.02 * value));
  });
}

/** u(n, k)[i] = ((i · 2654435761 + k · 40503 + 12345) mod 2³²) / 2³¹ − 1 */
export function hashed(n: number, k: number): number[] {
  return Array.from({ length: n }, (_, i) => ((Math.imul(i, 2654435761) + k * 40503 + 12345) >>> 0) / 2 ** 31 - 1);
}
