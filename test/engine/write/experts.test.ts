/** Pruned checkpoints of mixtures of experts: the config is the one that transformers loaded, and the loss is its loss. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { summariseLosses } from '../../../src/engine/importance/losses';
import { fullView, type View, viewWithout } from '../../../src/engine/model/view';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { calibrationRows, checkpointFolder, EXPERT_CHECKPOINTS, goldenGreedy } from '../../support/golden';
import { assertClose, TOLERANCE } from '../../support/close';
import { withModelOf } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const jsonOf = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

describeShared('pruned checkpoints with experts', () => {
  for (const name of EXPERT_CHECKPOINTS) {
    it(`${name} computes the bits of its view, and says what it has`, async () => {
      const { removed, meanNllPruned } = goldenGreedy(name);
      const rows = calibrationRows(name);
      const checkpoint = await openCheckpoint(checkpointFolder(name));
      const blocks = checkpoint.architecture!.layers.length;
      const folder = join(temporaryFolder(), 'pruned');
      await writePruned(checkpoint, removed, folder);
      const losses = async (path: string, view: View): Promise<Float64Array> =>
        withModelOf(await openCheckpoint(path), async (model) => (await lossesOfViews(model, rows, [view]))[0]);
      const written = await losses(folder, fullView(blocks - removed.length));
      const view = viewWithout(
        blocks,
        removed.map((block) => ({ block })),
      );
      assert.deepEqual(written, await losses(checkpointFolder(name), view));
      const { meanNll } = summariseLosses(written, rows[0].length - 1);
      assertClose(meanNll, meanNllPruned!, TOLERANCE.meanNll, 'loss');
      assert.deepEqual(
        jsonOf(join(folder, 'config.json')),
        jsonOf(shared('golden', ...name.split('/'), 'pruned-config.json')),
      );
    });
  }
});
