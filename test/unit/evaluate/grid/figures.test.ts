/** Statistics, work and floors of a cell, against sums in plain loops; and the paper's tables as CSV. */
import assert from 'node:assert/strict';
import { type Architecture, PLAIN_STYLE } from '../../../../src/engine/checkpoint/architecture';
import { plainLayer } from '../../../../src/engine/checkpoint/kinds/plain';
import { csvOf } from '../../../../src/engine/evaluate/grid/csv';
import { DECODER, PAPER_DEVICE } from '../../../../src/engine/evaluate/grid/memory';
import type { CellFigures } from '../../../../src/engine/evaluate/grid/result';
import { hasDrifted, isNoisy, jensenGap, meanSd, throughputOf } from '../../../../src/engine/evaluate/grid/statistics';
import { bytesRead, floorSeconds, flopsOf } from '../../../../src/engine/evaluate/grid/work';
import { fullView } from '../../../../src/engine/model/view';

const layer = { heads: 4, kvHeads: 2, headDim: 8, ffn: 40, rope: null, biases: [], qkNorm: null, fused: false };
const toy: Architecture = {
  style: PLAIN_STYLE,
  family: 'llama',
  layers: [plainLayer({ ...layer, window: null }), plainLayer({ ...layer, window: 3 })],
  hidden: 32,
  vocabulary: 50,
  context: 64,
  rmsNormEps: 1e-5,
  tied: false,
  eosTokenIds: [],
};
const cell = { batch: 3, promptTokens: 5, newTokens: 4 };
const MATRICES = 2 * (32 * 32 + 2 * 32 * 16 + 32 * 32 + 3 * 32 * 40);
const NORMS = 2 * 2 * 32 + 32;

describe('statistics of a cell', () => {
  it('are means, and deviations over n', () => {
    assert.deepEqual(meanSd([1, 3]), { mean: 2, sd: 1 });
    assert.deepEqual(throughputOf([1, 2], 10), { mean: 7.5, sd: 2.5 });
  });

  it('tell a noisy machine: the mean of ratios exceeds the ratio of means', () => {
    assert.ok(Math.abs(jensenGap([1, 2]) - (0.75 * 1.5 - 1)) < 1e-12);
    assert.ok(!isNoisy([1, 1.1, 0.95]));
    assert.ok(isNoisy([1, 1.6, 0.9]));
    assert.deepEqual([hasDrifted(100, 91), hasDrifted(100, 89), hasDrifted(100, 111)], [false, true, true]);
  });
});

describe('work of a cell', () => {
  it('is the products of all tokens but the last, and what each position sees', () => {
    let attention = 0;
    for (let i = 0; i < 8; i++) for (const window of [Infinity, 3]) attention += 4 * 4 * 8 * Math.min(i + 1, window);
    assert.equal(flopsOf(toy, fullView(2), cell), 3 * (8 * 2 * MATRICES + 4 * 2 * 32 * 50 + attention));
  });

  it('reads all weights and the cache in each step', () => {
    let bytes = 0;
    for (let step = 0; step < 4; step++) {
      bytes += 4 * (MATRICES + NORMS + 32 * 50);
      for (const window of [Infinity, 3]) bytes += 2 * 2 * 8 * 4 * 3 * Math.min(5 + step, window);
    }
    assert.equal(bytesRead(toy, fullView(2), cell, DECODER), bytes);
  });

  it('has a floor: reading where few texts are written, products where many are', () => {
    const rates = { flopsPerSecond: 1e15, bytesPerSecond: 1e9 };
    const read = bytesRead(toy, fullView(2), cell, DECODER) / 1e9;
    assert.ok(Math.abs(floorSeconds(toy, fullView(2), cell, DECODER, rates) / read - 1) < 1e-12);
    const products = flopsOf(toy, fullView(2), cell) / 1e9;
    const slow = floorSeconds(toy, fullView(2), cell, DECODER, { flopsPerSecond: 1e9, bytesPerSecond: 1e15 });
    assert.ok(Math.abs(slow / products - 1) < 1e-12);
  });

  it('of LLaMA-7B in half precision on 3.35 TB/s: 4 ms a token', () => {
    const block = plainLayer({
      heads: 32,
      kvHeads: 32,
      headDim: 128,
      ffn: 11_008,
      window: null,
      rope: null,
      biases: [],
      qkNorm: null,
      fused: false,
    });
    const llama = { ...toy, layers: Array.from({ length: 32 }, () => block), hidden: 4096, vocabulary: 32_000 };
    const one = { batch: 1, promptTokens: 1, newTokens: 1 };
    const rates = { flopsPerSecond: 1e15, bytesPerSecond: 3.35e12 };
    assert.equal((1000 * floorSeconds(llama, fullView(32), one, PAPER_DEVICE, rates)).toFixed(1), '3.9');
  });
});

describe('tables as CSV', () => {
  it("have the paper's columns, and the time of each run on a second line", () => {
    const measured = {
      times: [1, 3],
      latency: { mean: 2, sd: 1 },
      throughput: { mean: 7.5, sd: 2.5 },
      peakBytes: { mean: 3 * 2 ** 20, sd: 0 },
    } as unknown as CellFigures;
    const predicted = { weights: 0, cache: 0, activations: 0, head: 0, fixed: 0, total: 0 };
    const cells = [
      { batch: 8, newTokens: 128, predicted, outcome: 'measured', measured },
      { batch: 16, newTokens: 128, predicted, outcome: 'oom' },
    ] as const;
    const model = { label: 'a/b: c', parameters: 9, promptTokens: 12, cells };
    assert.deepEqual(csvOf(model, { runs: 2, device: 'cpu' }), {
      name: 'a-b-c',
      time:
        'time_mean(sec),time_std,th_mean(tokens/s),th_std,mem,out_len,in_len,nbatches,batchsz,nparam\n' +
        '2,1,7.5,2.5,3,128,12,2,8,9\n1,3\n',
      memory:
        'mem_gpu_mean,mem_gpu_std,mem_cpu_mean,mem_cpu_std,out_len,in_len,nbatches,batchsz,nparam\n' +
        '0,0,3,0,128,12,2,8,9\n',
    });
  });
});
