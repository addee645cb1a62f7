/** Written checkpoints with fewer experts: the bits of their views, the bytes of the source, and nothing else in the config. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import type { Model } from '../../../src/engine/model/model';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { newRecord } from '../../../src/engine/records/record';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { FewerExperts } from '../../../src/engine/weights/fewer-experts';
import { writeFewerExperts } from '../../../src/engine/write/experts';
import { calibrationRows, checkpointFolder, EXPERT_CHECKPOINTS, goldenExperts } from '../../support/golden';
import { withModel } from '../../support/model';
import { readCheckpointTensors } from '../../support/safetensors';
import { describeShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const configOf = (folder: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;

const writing = {
  card: () => 'card',
  record: () => newRecord({ kind: 'experts', inputs: [], settings: {}, results: {}, started: new Date() }),
};

describeShared('written checkpoints with fewer experts', () => {
  for (const [at, name] of EXPERT_CHECKPOINTS.entries()) {
    it(`${name} computes the bits of its view`, async () => {
      const { kept: listed, dropped } = goldenExperts(name).pruned.find(
        ({ method, ratio }) => method === 'reap' && ratio === 0.25,
      )!;
      const kept = new Map(listed.map(({ block, experts }) => [block, experts]));
      const removed = at === 0 ? [1, 4] : [];
      const source = checkpointFolder(name);
      const before = configOf(source);
      const out = join(temporaryFolder(), 'fewer');
      await writeFewerExperts(await openCheckpoint(source), { kept, removed, ...writing }, out);
      const rows = calibrationRows(name);
      const losses = async (model: Model, without: readonly number[]): Promise<Float64Array> => {
        const blocks = model.architecture.layers.length;
        const parts = without.map((block) => ({ block }));
        return (
          await lossesOfViews(model, rows, [parts.length > 0 ? viewWithout(blocks, parts) : fullView(blocks)])
        )[0];
      };
      const view = await withModel(source, async (model) => {
        const fewer = await model.withWeights(new FewerExperts(checkpointWeights(model.checkpoint), kept));
        try {
          return await losses(fewer, removed);
        } finally {
          await fewer.close();
        }
      });
      assert.deepEqual(await withModel(out, (model) => losses(model, [])), view);
      const after = configOf(out);
      const counts = ['num_experts', 'num_local_experts'].filter((field) => field in before);
      assert.ok(counts.length > 0);
      for (const field of counts) assert.equal(after[field], Number(before[field]) - dropped);
      if (removed.length > 0) return;
      const rest = ({ num_experts: _, num_local_experts: __, ...others }: Record<string, unknown>) => others;
      assert.deepEqual(rest(after), rest(before));
      // Every tensor is one of the source's, or rows of the router or of a stack.
      const [own, whole] = [out, source].map(readCheckpointTensors);
      for (const [tensor, { values }] of own) {
        const match = /^(.*layers\.(\d+)\..*experts\.)(\d+)(\..*)$/.exec(tensor);
        const block = Number(/layers\.(\d+)\./.exec(tensor)?.[1] ?? -1);
        const numbers = kept.get(block);
        if (match) {
          const was = `${match[1]}${numbers![Number(match[3])]}${match[4]}`;
          assert.deepEqual(values, whole.get(was)!.values, tensor);
        } else if (numbers && /\.gate\.weight$|\.router\.|\.experts\.|_moe\./.test(tensor)) {
          const all = whole.get(tensor)!;
          const width = all.values.length / all.shape[0];
          const expected = numbers.flatMap((e) => [...all.values.subarray(e * width, (e + 1) * width)]);
          assert.deepEqual([...values], expected, tensor);
        } else assert.deepEqual(values, whole.get(tensor)!.values, tensor);
      }
    });
  }

  it('are complete or not there, and refuse a folder that exists', async () => {
    const name = EXPERT_CHECKPOINTS[2];
    const kept = new Map(goldenExperts(name).pruned[0].kept.map(({ block, experts }) => [block, experts]));
    const checkpoint = await openCheckpoint(checkpointFolder(name));
    const folder = temporaryFolder();
    const out = join(folder, 'fewer');
    const aborted = AbortSignal.abort();
    await assert.rejects(writeFewerExperts(checkpoint, { kept, removed: [], ...writing }, out, { signal: aborted }));
    assert.ok(!existsSync(out));
    const refused = writeFewerExperts(checkpoint, { kept, removed: [], ...writing }, folder);
    await assert.rejects(refused, { name: 'UserError', message: /exists/ });
  });
});
