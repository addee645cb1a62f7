/** What a part is expected to need, beside what parts of the sample model take. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { MachineSpeeds } from '../../src/estimates/machine';
import { estimateParts, type PartEstimate } from '../../src/cluster/estimate';
import type { GivenFor } from '../../src/jobs/kinds';
import { completeOptions } from '../../src/jobs/complete';
import { JOBS } from '../../src/jobs/definitions';
import { buildCli, coppiceProcess } from '../support/built-cli';
import { temporaryFolder } from '../support/temporary';

const sample = resolve(import.meta.dirname, '../../media/sample');
const calibration = join(sample, 'calibration.txt');
const NODE = { threads: 1, speeds: MachineSpeeds.none(2) };
/** The most that an estimate may be below a measured peak. */
const MARGIN = 0.05;

async function estimated(
  given: Omit<GivenFor<'score'>, 'checkpoint'>,
  parts: number,
  node: Parameters<typeof estimateParts>[3] = NODE,
): Promise<PartEstimate> {
  const options = completeOptions(JOBS.score, { checkpoint: sample, calibration, ...given });
  return (await estimateParts('score', options, parts, node))!;
}

describe('estimates of parts', function () {
  this.timeout(120_000);

  before(buildCli);

  for (const criterion of ['ppl', 'kl', 'taylor'] as const) {
    it(`a part of ${criterion} takes no more memory than is said`, async () => {
      const record = join(temporaryFolder(), 'part.json');
      const words = ['--calibration', calibration, '--samples', '4', '--criterion', criterion, '--threads', '1'];
      const part = ['--part', '1/2', '--record', record, '--json'];
      const { code, stdout, stderr } = await coppiceProcess(['score', sample, ...words, ...part]);
      assert.equal(code, 0, stderr);
      const { peakRssBytes } = JSON.parse(stdout) as { readonly peakRssBytes: number };
      const { memoryBytes } = await estimated({ criterion, samples: 4 }, 2);
      assert.ok(memoryBytes > (1 - MARGIN) * peakRssBytes, `${memoryBytes} for ${peakRssBytes}`);
      assert.ok(memoryBytes < 2 * peakRssBytes, `${memoryBytes} for ${peakRssBytes}`);
    });
  }

  it('more parts and threads take less time each, and more rows more', async () => {
    const each = await Promise.all([1, 2, 8, 24].map((parts) => estimated({ samples: 200 }, parts)));
    for (const [i, { seconds, memoryBytes }] of each.slice(1).entries()) {
      assert.ok(seconds < each[i].seconds);
      assert.ok(memoryBytes <= each[i].memoryBytes);
    }
    assert.ok((await estimated({ samples: 400 }, 1)).seconds > each[0].seconds);
    assert.ok((await estimated({ samples: 200 }, 1, { ...NODE, threads: 8 })).seconds < each[0].seconds);
  });

  it('less memory for hidden states means less memory and more reading', async () => {
    const [much, little] = await Promise.all([1e9, 2e6].map((memory) => estimated({ samples: 50, memory }, 1)));
    assert.ok(little.memoryBytes < much.memoryBytes);
    assert.ok(little.readBytes > 5 * much.readBytes);
    assert.ok(little.statesBytes === 2e6);
  });

  it('nothing is said of a model that is not there', async () => {
    const options = completeOptions(JOBS.score, { checkpoint: join(sample, 'none'), calibration });
    assert.equal(await estimateParts('score', options, 2, NODE), undefined);
  });
});
