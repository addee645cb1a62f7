/** The speeds of this machine: what finished jobs tell, and what is guessed before. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MachineSpeeds } from '../../../src/estimates/machine';
import type { Work } from '../../../src/estimates/work';
import { temporaryFolder } from '../../support/temporary';

type Products = Extract<Work, { readonly kind: 'products' }>;

/** A sweep over SmolLM2 of so many operations. */
const ppl = (flops: number, more: Partial<Products> = {}): Products => ({
  ...{ kind: 'products', work: 'ppl', size: 1e9, flops },
  ...more,
});
const RATES = { flops: 400e9, bytes: 20e9, numbers: 1e9, files: 1e9 };

/** Seconds are the whole part of a time that is told. */
const seconds = (speeds: MachineSpeeds, work: Work, provider?: string): number => speeds.timeOf(work, provider).seconds;

describe('speeds of a machine', () => {
  it('are a guess that says so, until something has run', () => {
    const speeds = MachineSpeeds.none(2);
    const before = speeds.timeOf(ppl(100e9));
    assert.equal(before.measured, false);
    assert.ok(seconds(speeds, ppl(100e9, { work: 'taylor' })) > before.seconds);
    speeds.learn(ppl(1e12), 20, 'cpu');
    assert.deepEqual(speeds.timeOf(ppl(100e9)), { seconds: 2, measured: true });
  });

  it('follow from a first measurement of the device, which is kept in the file', async () => {
    const folder = temporaryFolder();
    const speeds = await MachineSpeeds.open(folder, 2);
    speeds.setRates('cpu', RATES);
    const slow = MachineSpeeds.none(2);
    slow.setRates('cpu', { ...RATES, flops: 40e9, files: 1e8, numbers: 1e8, bytes: 2e9 });
    const works: Work[] = [
      ppl(1e12),
      ppl(1e9, { work: 'magnitude' }),
      { kind: 'decode', bytes: 1e9, perToken: 1e8 },
      { kind: 'files', bytes: 1e9 },
      { kind: 'opened', bytes: 1e9 },
      { kind: 'compared', bytes: 1e9 },
      { kind: 'moved', bytes: 1e9 },
    ];
    for (const work of works) {
      assert.ok(Math.abs(seconds(slow, work) / seconds(speeds, work) - 10) < 1e-9, work.kind);
      assert.equal(speeds.timeOf(work).measured, false);
    }
    await speeds.save();
    const again = await MachineSpeeds.open(folder, 2);
    assert.deepEqual(again.rates('cpu'), RATES);
    assert.equal(again.rates('webgpu'), undefined);
    assert.equal(seconds(again, works[0]), seconds(speeds, works[0]));
  });

  it('are those of the last run of the same kind, also in the next process', async () => {
    const folder = temporaryFolder();
    const speeds = await MachineSpeeds.open(folder, 2);
    speeds.learn(ppl(1e12), 100, 'cpu');
    speeds.learn(ppl(1e12), 20, 'cpu');
    await speeds.save();
    for (const each of [speeds, await MachineSpeeds.open(folder, 2)]) assert.equal(seconds(each, ppl(100e9)), 2);
  });

  it('of two processes are both in the file', async () => {
    const folder = temporaryFolder();
    const [one, other] = [await MachineSpeeds.open(folder, 2), await MachineSpeeds.open(folder, 2)];
    one.learn(ppl(1e12), 10, 'cpu');
    other.learn({ kind: 'files', bytes: 1e9 }, 10, 'cpu');
    await one.save();
    await other.save();
    const both = await MachineSpeeds.open(folder, 2);
    assert.deepEqual([seconds(both, ppl(1e12)), seconds(both, { kind: 'files', bytes: 1e9 })], [10, 10]);
    await one.read();
    assert.equal(seconds(one, { kind: 'files', bytes: 1e9 }), 10);
  });

  it('are those of the model nearest in size, and of the same kind of work before others', () => {
    const speeds = MachineSpeeds.none(2);
    speeds.learn(ppl(1e12, { size: 2e8 }), 100, 'cpu');
    speeds.learn(ppl(1e12), 10, 'cpu');
    speeds.learn(ppl(69e10, { work: 'taylor' }), 10, 'cpu');
    assert.equal(seconds(speeds, ppl(1e10, { size: 2e8 })), 1);
    assert.ok(seconds(speeds, ppl(1e10, { size: 4e8 })) < 1);
    const larger = seconds(speeds, ppl(100e9, { size: 2e9 }));
    assert.ok(larger < 1 && larger > 0.9, String(larger));
    assert.ok(Math.abs(seconds(speeds, ppl(69e9, { work: 'taylor' })) - 1) < 1e-9);
    assert.ok(Math.abs(seconds(speeds, ppl(100e9, { work: 'evaluate' })) - 1) < 1e-9);
  });

  it('of one sweep count for another before those of evaluations, which mostly open the model', () => {
    const speeds = MachineSpeeds.none(2);
    speeds.learn(ppl(1e12), 10, 'cpu');
    speeds.learn(ppl(1e12, { work: 'evaluate' }), 66, 'cpu');
    assert.equal(seconds(speeds, ppl(100e9, { work: 'kl' })), 1);
  });

  it('of another device say nothing, nor does reading weights of computing', () => {
    const speeds = MachineSpeeds.none(2);
    speeds.learn(ppl(1e13), 10, 'cuda');
    speeds.learn(ppl(1e9, { work: 'magnitude' }), 10, 'cpu');
    assert.equal(speeds.timeOf(ppl(100e9), 'cpu').measured, false);
    assert.equal(seconds(speeds, ppl(1e8, { work: 'magnitude' })), 1);
    assert.equal(seconds(speeds, ppl(1e12), 'cuda'), 1);
    const decode = { kind: 'decode', bytes: 1e9, perToken: 1e8 } as const;
    speeds.learn(decode, 0.5, 'webgpu');
    assert.deepEqual([speeds.timeOf(decode, 'cpu').measured, seconds(speeds, decode, 'webgpu')], [false, 0.5]);
  });

  it('of a smaller model tell nothing of one whose blocks are eight times as large', () => {
    const speeds = MachineSpeeds.none(2);
    const guess = seconds(speeds, ppl(100e9));
    speeds.learn(ppl(1e11, { size: 1.2e8 }), 100, 'cpu');
    assert.deepEqual(speeds.timeOf(ppl(100e9)), { seconds: guess, measured: false });
    assert.equal(seconds(speeds, ppl(1e9, { size: 1.2e8 })), 1);
  });

  it('are not learned from too little work, nor in a moment', () => {
    const speeds = MachineSpeeds.none(2);
    const works: Work[] = [
      ppl(1e9), // a hundredth of a second for any machine: the rest was something else
      { kind: 'decode', bytes: 1e9, perToken: 1e6 },
      { kind: 'files', bytes: 1e6 },
    ];
    for (const work of works) speeds.learn(work, 5, 'cpu');
    speeds.learn(ppl(1e12), 0.1, 'cpu');
    for (const work of works) assert.equal(speeds.timeOf(work).measured, false, work.kind);
  });

  it('write no file where nothing was learned, and forget old runs', async () => {
    const folder = temporaryFolder();
    const speeds = await MachineSpeeds.open(folder, 2);
    await speeds.save();
    assert.ok(!existsSync(join(folder, 'speeds.json')));
    for (let i = 1; i <= 100; i++) speeds.learn(ppl(1e12), i, 'cpu');
    await speeds.save();
    const { speeds: kept } = JSON.parse(readFileSync(join(folder, 'speeds.json'), 'utf8')) as { speeds: unknown[] };
    assert.equal(kept.length, 40);
    assert.equal(seconds(await MachineSpeeds.open(folder, 2), ppl(1e12)), 100);
  });

  it('of a file that is damaged, too large or hostile count as none', async () => {
    const files = { kind: 'files', bytes: 200e6 } as const;
    const guess = seconds(MachineSpeeds.none(2), files);
    const broken = [
      '{',
      '[1]',
      ' '.repeat(70_000),
      '{"speeds":[{"flops":-1}],"files":-5,"decode":"fast","first":{"cpu":7}}',
    ];
    for (const kept of broken) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'speeds.json'), kept);
      const speeds = await MachineSpeeds.open(folder, 2);
      assert.deepEqual(speeds.timeOf(files), { seconds: guess, measured: false }, kept.slice(0, 60));
      speeds.learn(files, 4, 'cpu');
      await speeds.save();
      assert.equal(seconds(await MachineSpeeds.open(folder, 2), files), 4);
    }
  });

  it('of earlier versions are read: a file of the terminal, and what the editor kept', async () => {
    const folder = temporaryFolder();
    const speed = { provider: 'cpu', work: 'ppl', size: 1e9, flops: 50e9 };
    writeFileSync(join(folder, 'speeds.json'), JSON.stringify({ speeds: [speed], decode: 10e9 }));
    const speeds = await MachineSpeeds.open(folder, 2);
    const decode = { kind: 'decode', bytes: 10e9, perToken: 1e8 } as const;
    const files = { kind: 'files', bytes: 1e9 } as const;
    assert.deepEqual([seconds(speeds, ppl(50e9)), seconds(speeds, decode)], [1, 1]);
    speeds.adopt({ speeds: [{ ...speed, work: 'heal', flops: 7e9 }, { provider: 7 }, null], decode: 1, files: 1e9 });
    await speeds.save();
    const again = await MachineSpeeds.open(folder, 2);
    assert.deepEqual([seconds(again, ppl(7e9, { work: 'heal' })), seconds(again, files)], [1, 1]);
    assert.equal(seconds(again, decode), 1, 'what the file has is newer');
  });
});
