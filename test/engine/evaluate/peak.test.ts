/** The peak of a process's memory, as the system counts it and as a second thread sees it. */
import assert from 'node:assert/strict';
import { openPeakMeter } from '../../../src/engine/evaluate/grid/peak';
import { until } from '../../support/until';

const MiB = 2 ** 20;

describe('peak of memory', () => {
  for (const [name, counted] of [
    ['as this system gives it', undefined],
    ['as a second thread sees it', false],
  ] as const) {
    it(`is that since the start, ${name}`, async () => {
      const meter = openPeakMeter(counted);
      try {
        const before = await meter.start();
        let big: Uint8Array | undefined = new Uint8Array(200 * MiB).fill(1);
        await until('the peak', () => meter.peak() >= before + 190 * MiB);
        assert.equal(big[big.length - 1], 1);
        big = undefined;
        const after = await meter.start();
        assert.ok(after < before + 100 * MiB, `${after - before} bytes more`);
        assert.ok(meter.peak() < before + 100 * MiB);
      } finally {
        await meter.close();
      }
    });
  }
});
