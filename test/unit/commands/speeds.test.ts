/** The speed of this machine, as the jobs that have ended tell it. */
import assert from 'node:assert/strict';
import { Speeds } from '../../../src/jobs/machine-speeds';

function newStore() {
  const kept = new Map<string, string>();
  return {
    get: (key: string): unknown => (kept.has(key) ? JSON.parse(kept.get(key)!) : undefined),
    update: (key: string, value: unknown): Promise<void> => Promise.resolve(void kept.set(key, JSON.stringify(value))),
  };
}

const PPL = { provider: 'cpu', work: 'ppl', size: 1e9 } as const;

describe('speeds', () => {
  it('are a guess that says so, until something has run', () => {
    const speeds = new Speeds(newStore(), 2);
    const { seconds, measured } = speeds.estimate(100e9, PPL);
    assert.deepEqual([seconds, measured], [1, false]);
    assert.ok(speeds.estimate(100e9, { ...PPL, work: 'taylor' }).seconds > seconds);
  });

  it('are those of the last run of the same kind, also in the next window', () => {
    const store = newStore();
    const speeds = new Speeds(store, 2);
    speeds.note({ ...PPL, flops: 10e9 });
    speeds.note({ ...PPL, flops: 50e9 });
    for (const each of [speeds, new Speeds(store, 2)])
      assert.deepEqual(each.estimate(100e9, PPL), { seconds: 2, measured: true });
  });

  it('are those of the model nearest in size, and of the same kind of work before others', () => {
    const speeds = new Speeds(newStore(), 2);
    speeds.note({ ...PPL, size: 1e6, flops: 1e9 });
    speeds.note({ ...PPL, size: 1e9, flops: 100e9 });
    speeds.note({ ...PPL, work: 'taylor', flops: 69e9 });
    assert.equal(speeds.estimate(1e9, { ...PPL, size: 1e6 }).seconds, 1);
    assert.ok(speeds.estimate(1e9, { ...PPL, size: 2e6 }).seconds < 1);
    const { seconds } = speeds.estimate(100e9, { ...PPL, size: 2e9 });
    assert.ok(seconds < 1 && seconds > 0.9, String(seconds));
    assert.equal(Math.round(speeds.estimate(69e9, { ...PPL, work: 'taylor' }).seconds), 1);
    assert.ok(Math.abs(speeds.estimate(100e9, { ...PPL, work: 'evaluate' }).seconds - 1) < 1e-9);
  });

  it('of a toy are no measurement of a model that is a hundred times as large', () => {
    const speeds = new Speeds(newStore(), 2);
    speeds.note({ ...PPL, size: 1e7, flops: 1e9 });
    assert.deepEqual(speeds.estimate(100e9, PPL), { seconds: 1, measured: false });
    // The sample's speed and SmolLM2's on one machine: 79 and 193 GFLOP/s.
    const sample = new Speeds(newStore(), 2);
    sample.note({ ...PPL, size: 5.87e7, flops: 78.8e9 });
    const { seconds, measured } = sample.estimate(193e9, { ...PPL, size: 9.44e8 });
    assert.ok(measured && Math.abs(seconds - 1) < 0.1, String(seconds));
  });

  it('of one sweep count for another before those of evaluations, which mostly open the model', () => {
    const speeds = new Speeds(newStore(), 2);
    speeds.note({ ...PPL, flops: 100e9 });
    speeds.note({ ...PPL, work: 'evaluate', flops: 15e9 });
    assert.equal(speeds.estimate(100e9, { ...PPL, work: 'kl' }).seconds, 1);
  });

  it('of another device say nothing, nor does reading weights of computing', () => {
    const speeds = new Speeds(newStore(), 2);
    speeds.note({ ...PPL, provider: 'cuda', flops: 1e12 });
    speeds.note({ ...PPL, work: 'magnitude', flops: 1e6 });
    assert.equal(speeds.estimate(100e9, PPL).measured, false);
    assert.equal(speeds.estimate(1e6, { ...PPL, work: 'magnitude' }).seconds, 1);
    assert.equal(speeds.estimate(1e12, { ...PPL, provider: 'cuda' }).seconds, 1);
  });

  it('forget old runs and what makes no sense', async () => {
    const store = newStore();
    const speeds = new Speeds(store, 2);
    speeds.note({ ...PPL, flops: Infinity });
    assert.equal(speeds.estimate(1, PPL).measured, false);
    for (let i = 1; i <= 100; i++) speeds.note({ ...PPL, flops: i });
    assert.equal((store.get('speeds') as unknown[]).length, 40);
    await store.update('speeds', [{ provider: 7 }, null, { ...PPL, flops: -1 }]);
    assert.equal(new Speeds(store, 2).estimate(1, PPL).measured, false);
  });
});
