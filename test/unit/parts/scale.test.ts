/** Parts of large models on paper: the formula beside the simulation, and cuts of the largest shapes. */
import assert from 'node:assert/strict';
import { bigModels } from '../../../bench/support/big-models';
import { type Cluster, predictedSeconds, predictedWithLoss, simulate } from '../../../bench/support/cluster';
import { balancedRows, bestParts, Sweep } from '../../../bench/support/scale';

const USE = { length: 128, budget: 16e9 };
const cluster = (nodes: number, flops = 1e12): Cluster => ({
  nodes,
  flops,
  nodeRead: 2e9,
  serverRead: 20e9,
  start: 20,
});
const sevenB = bigModels().get('LLaMA-7B')!;
const largest = bigModels().get('Llama 3.1 405B')!;

describe('parts on paper', function () {
  this.timeout(60_000);

  it('one process takes what the formula says', () => {
    const sweep = new Sweep(sevenB, 10, USE);
    const [one] = [sweep.cut(1).needs];
    assert.equal(one.length, 1);
    assert.ok(Math.abs(one[0].flops / sweep.flops - 1) < 1e-9);
    const { seconds, begun } = simulate(sweep.stretches(1), cluster(1));
    assert.ok(Math.abs(seconds / predictedSeconds(one, cluster(1)) - 1) < 0.01);
    assert.equal(begun, 1);
  });

  for (const [nodes, flops, parts] of [
    [8, 1e12, 8],
    [8, 1e12, 40],
    [64, 100e12, 64],
    [8, 100e12, 3],
  ] as const) {
    it(`${parts} parts on ${nodes} nodes of ${flops / 1e12} TFLOP/s: the simulation is within the formula`, () => {
      const sweep = new Sweep(sevenB, 100, USE);
      const on = cluster(nodes, flops);
      const { needs } = sweep.cut(parts);
      const { seconds, begun } = simulate(sweep.stretches(parts), on);
      const ratio = seconds / predictedSeconds(needs, on);
      assert.ok(ratio > 0.7 && ratio < 1.02, `${ratio}`);
      assert.equal(begun, parts);
      // All that is computed and read fits into the time.
      const work = needs.reduce((sum, each) => sum + each.flops, 0);
      const bytes = needs.reduce((sum, each) => sum + each.readBytes, 0);
      assert.ok(seconds >= (0.99 * work) / (on.flops * nodes));
      assert.ok(seconds >= (0.99 * bytes) / on.serverRead);
    });
  }

  it('a node that is lost costs a part and its repair at most, and its part begins again', () => {
    const sweep = new Sweep(sevenB, 100, USE);
    const on = cluster(8);
    const { needs } = sweep.cut(16);
    const whole = simulate(sweep.stretches(16), on);
    const lost = simulate(sweep.stretches(16), on, { node: 3, at: whole.seconds / 3, repair: 60 });
    assert.equal(lost.begun, 17);
    assert.ok(lost.seconds > whole.seconds);
    assert.ok(lost.seconds < 1.02 * predictedWithLoss(needs, on, 60));
    const alone = simulate(sweep.stretches(1), cluster(1), { node: 0, at: 100, repair: 60 });
    assert.ok(Math.abs(alone.seconds - simulate(sweep.stretches(1), cluster(1)).seconds - 160) < 1e-6);
  });

  it('405B over 10 000 rows is cut into 10 000 parts in a moment', () => {
    const sweep = new Sweep(largest, 10_000, USE);
    const { shares, needs } = sweep.cut(10_000);
    assert.equal(shares.length, 10_000);
    const mean = needs.reduce((sum, { flops }) => sum + flops, 0) / needs.length;
    const most = needs.reduce((max, { flops }) => Math.max(max, flops), 0);
    assert.ok(most < 1.5 * mean, `${most / mean}`);
    // Cutting by candidates repeats the model's own passes, and not more than that.
    assert.ok(mean * needs.length > sweep.flops);
    assert.ok(mean * needs.length < 1.3 * sweep.flops, `${(mean * needs.length) / sweep.flops}`);
  });

  it('fewer parts than nodes are best where the file server is the limit, and more where it is not', () => {
    assert.ok(bestParts(new Sweep(sevenB, 10, USE), cluster(512, 100e12)).parts < 64);
    assert.ok(bestParts(new Sweep(sevenB, 1000, USE), cluster(8)).parts > 8);
    // At the balance, reading takes as long as computing.
    const rows = balancedRows(sevenB, 128, cluster(512, 100e12));
    const { flops } = new Sweep(sevenB, 1, { ...USE, budget: Infinity });
    assert.ok(Math.abs((rows * flops) / 100e12 - 13.2e9 / (20e9 / 512)) / 340 < 0.02);
  });
});
