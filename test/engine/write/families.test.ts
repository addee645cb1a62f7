/** Pruned checkpoints of every further family: opened again, each computes the bits of the view without the blocks. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { fullView, viewWithout, type View } from '../../../src/engine/model/view';
import { writePruned } from '../../../src/engine/write/write-pruned';
import {
  calibrationRows,
  checkpointFolder,
  FURTHER_FAMILIES,
  goldenGreedy,
  type GoldenName,
  goldenPrunedConfig,
  MIXED_FAMILIES,
} from '../../support/golden';
import { withModelOf } from '../../support/model';
import { describeShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

type Family = (typeof FURTHER_FAMILIES)[number] | (typeof MIXED_FAMILIES)[number];

const isMixed = (family: Family): family is (typeof MIXED_FAMILIES)[number] =>
  (MIXED_FAMILIES as readonly string[]).includes(family);
const goldenOf = (family: Family): GoldenName => (isMixed(family) ? `families3/${family}` : `families2/${family}`);

/** What lists say after the golden removal, by first letters; the first two configs have none. */
const LISTS: Readonly<Partial<Record<Family, Readonly<Record<string, string>>>>> = {
  'gemma2-softcap': { layer_types: 'SFSSFSF' },
  'gemma3-pattern': { layer_types: 'SSFFSS' },
  'gemma3-five-to-one': { layer_types: 'SSSFSSS' },
  'smollm3-nope': { no_rope_layers: '1110110', layer_types: 'FFFFFFF' },
};

describeShared('pruned checkpoints of the further families', () => {
  for (const family of [...FURTHER_FAMILIES, ...MIXED_FAMILIES]) {
    it(`${family} computes the bits of its view`, async () => {
      const name = goldenOf(family);
      const { removed } = goldenGreedy(name);
      const rows = calibrationRows(name);
      const checkpoint = await openCheckpoint(checkpointFolder(name));
      const blocks = checkpoint.architecture!.layers.length;
      const folder = join(temporaryFolder(), family);
      await writePruned(checkpoint, removed, folder);
      const losses = async (path: string, view: View): Promise<Float64Array> =>
        withModelOf(await openCheckpoint(path), async (model) => (await lossesOfViews(model, rows, [view]))[0]);
      const expected = await losses(
        checkpointFolder(name),
        viewWithout(
          blocks,
          removed.map((block) => ({ block })),
        ),
      );
      assert.deepEqual(await losses(folder, fullView(blocks - removed.length)), expected);
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown[]>;
      for (const [field, kinds] of Object.entries(LISTS[family] ?? {})) {
        const letters = config[field].map((kind) => String(kind).charAt(0).toUpperCase());
        assert.equal(letters.join(''), kinds, field);
      }
      if (isMixed(family)) assert.deepEqual(config, goldenPrunedConfig(family), 'config.json');
    });
  }

  it('keep the word Infinity, which is not JSON, as it stood', async () => {
    const source = temporaryFolder();
    cpSync(checkpointFolder('families3/falconh1-parallel'), source, { recursive: true });
    const before = readFileSync(join(source, 'config.json'), 'utf8');
    const bare = before.replace(/\{\s*"__float__": "Infinity"\s*\}/, 'Infinity');
    assert.notEqual(bare, before);
    writeFileSync(join(source, 'config.json'), bare);
    const checkpoint = await openCheckpoint(source);
    const { architecture } = await openCheckpoint(checkpointFolder('families3/falconh1-parallel'));
    assert.deepEqual(checkpoint.architecture, architecture);
    const folder = join(temporaryFolder(), 'pruned');
    await writePruned(checkpoint, [1], folder);
    assert.match(readFileSync(join(folder, 'config.json'), 'utf8'), /"time_step_limit": \[\s*0\.0,\s*Infinity\s*\]/);
    const { layers } = (await openCheckpoint(folder)).architecture!;
    assert.deepEqual(layers, architecture!.layers.slice(1));
  });
});
