/** What a new machine does in a second: the compute process measures it once, after somebody has asked how long something takes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MachineSpeeds } from '../../src/estimates/machine';
import { openSpeeds } from '../../src/estimates/measure-rates';
import { RemoteSpeeds } from '../../src/sidecar/speeds';
import { temporaryFolder } from '../support/temporary';
import { until } from '../support/until';
import { newClient } from './started';

const work = { kind: 'products', work: 'ppl', size: 1e9, flops: 1e12 } as const;
const CPU = { device: 'cpu' } as const;

describe('first speeds of a machine', function () {
  this.timeout(120_000);
  const { COPPICE_CACHE } = process.env;
  let folder: string;
  beforeEach(() => {
    process.env.COPPICE_CACHE = folder = temporaryFolder();
  });
  after(() => {
    if (COPPICE_CACHE === undefined) delete process.env.COPPICE_CACHE;
    else process.env.COPPICE_CACHE = COPPICE_CACHE;
  });

  it('are measured once, kept in the file, and guesses follow from them', async () => {
    const speeds = await openSpeeds(CPU);
    const rates = speeds.rates()!;
    for (const rate of Object.values(rates)) assert.ok(rate > 1e6, JSON.stringify(rates));
    assert.notEqual(speeds.timeOf(work).seconds, MachineSpeeds.none().timeOf(work).seconds);
    const kept = readFileSync(join(folder, 'speeds.json'), 'utf8');
    assert.deepEqual((await openSpeeds(CPU)).rates(), rates);
    assert.equal(readFileSync(join(folder, 'speeds.json'), 'utf8'), kept);
  });

  it('are measured by the compute process for one that computes nothing, which tells a guess meanwhile', async () => {
    const client = newClient({ logLevel: () => 'debug' });
    try {
      let isAllowed = false;
      const speeds = new RemoteSpeeds(client, () => (isAllowed ? CPU : undefined), 0);
      await speeds.ready;
      const told: number[] = [];
      speeds.onChange(() => told.push(speeds.timeOf(work).seconds));
      const guess = speeds.timeOf(work).seconds; // in Restricted Mode nothing is measured
      isAllowed = true;
      assert.equal(speeds.timeOf(work).seconds, guess);
      await until('it is measured', () => told.length > 0);
      assert.deepEqual(speeds.rates(), (await MachineSpeeds.open()).rates());
      assert.ok(speeds.rates());
      const logged = client.lines.filter((line) => line.includes('the first measurement of this machine'));
      assert.equal(logged.length, 1);
    } finally {
      await client.dispose();
    }
  });
});
