/** AdamW and clipping: by hand, and against PyTorch's AdamW and clip_grad_norm_ over three steps. */
import assert from 'node:assert/strict';
import {
  AdamW,
  clipFactor,
  totalNorm,
  type Gradients,
  type Parameters,
} from '../../../../src/engine/retrain/loop/adamw';
import { assertAllClose, assertClose } from '../../../support/close';

const parameters = (): Parameters =>
  new Map([
    ['w', { values: Float32Array.of(0.5, -1.25, 2, 0.75), shape: [2, 2], decays: true }],
    ['b', { values: Float32Array.of(0.1, -0.3), shape: [2], decays: false }],
  ]);
const gradientsOf = (w: number[], b: number[]): Gradients =>
  new Map([
    ['w', Float32Array.from(w)],
    ['b', Float32Array.from(b)],
  ]);
const options = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** Learning rate, gradients; norm, w and b afterwards. Of torch 2.15, matrices decaying, clipped to 1. */
const TORCH = [
  {
    rate: 0,
    w: [0.3, -0.2, 0.05, 1.5],
    b: [-0.7, 0.01],
    norm: 1.6948745250701904,
    after: { w: [0.5, -1.25, 2, 0.75], b: [0.100000001, -0.300000012] },
  },
  {
    rate: 0.01,
    w: [-0.1, 0.4, 0.25, -2],
    b: [0.6, 0.02],
    norm: 2.1431055068969727,
    after: { w: [0.494867772, -1.25144672, 1.98923981, 0.750040591], b: [0.101375103, -0.309817284] },
  },
  {
    rate: 0.005,
    w: [0, 0.1, -0.3, 0.5],
    b: [0.2, -0.04],
    norm: 0.6257795691490173,
    after: { w: [0.492806822, -1.25309801, 1.98990083, 0.748786151], b: [0.100668781, -0.307798564] },
  },
];

describe('retrain/adamw', () => {
  it('moves as PyTorch does', () => {
    const trained = parameters();
    const optimizer = new AdamW(trained, options);
    for (const [i, { rate, w, b, norm, after }] of TORCH.entries()) {
      const gradients = gradientsOf(w, b);
      assertClose(totalNorm(gradients), norm, { relative: 1e-6 }, 'norm');
      optimizer.update(i + 1, rate, gradients, clipFactor(norm, 1));
      for (const name of ['w', 'b'] as const) {
        assertAllClose(trained.get(name)!.values, after[name], { absolute: 2e-7 }, `step ${i + 1}: ${name}`);
      }
    }
  });

  it('first moves every element by the learning rate against the sign of its gradient', () => {
    const trained = parameters();
    new AdamW(trained, { ...options, weightDecay: 0 }).update(1, 0.01, gradientsOf([3, -1e-4, 7, -2], [1, -1]), 1);
    assertAllClose(trained.get('w')!.values, [0.49, -1.24, 1.99, 0.76], { absolute: 2e-6 }, 'w');
    assertAllClose(trained.get('b')!.values, [0.09, -0.29], { absolute: 2e-6 }, 'b');
  });

  it('decays matrices apart from the gradient, and no vectors', () => {
    const trained = parameters();
    new AdamW(trained, options).update(1, 0.5, gradientsOf([0, 0, 0, 0], [0, 0]), 1);
    assertAllClose(trained.get('w')!.values, [0.475, -1.1875, 1.9, 0.7125], { relative: 1e-6 }, 'w'); // 1 − 0.5 · 0.1
    assertAllClose(trained.get('b')!.values, [0.1, -0.3], { relative: 1e-6 }, 'b');
  });

  it('clips to the limit, and leaves what is below it', () => {
    assertClose(clipFactor(4, 1), 0.25, { relative: 1e-6 }, 'above');
    assert.equal(clipFactor(0.5, 1), 1);
    assert.equal(clipFactor(0, 1), 1);
    assert.equal(totalNorm(gradientsOf([1, 2, 2, 0], [0, 4])), 5);
    assert.ok(Number.isNaN(totalNorm(gradientsOf([NaN, 0, 0, 0], [0, 0]))));
  });
});
