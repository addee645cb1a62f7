/**
 * Pruned checkpoints of every further family: opened again, each computes the bits of the view without the blocks, and
 * transformers, which reads nothing but the written config and weights, has the same loss.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { summariseLosses } from '../../../src/engine/importance/losses';
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
import { assertClose } from '../../support/close';
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

/** Two programs that sum in another order; the reference names 1e-6 for float32, one in a hundred thousand is allowed. */
const LOSS = { relative: 1e-5 } as const;

describeShared('pruned checkpoints of the further families', () => {
  const written = new Map<Family, { readonly folder: string; readonly meanNll: number }>();

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
      written.set(family, { folder, meanNll: summariseLosses(expected, rows[0].length - 1).meanNll });
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

  it('have the same loss in transformers', function () {
    const python = process.env.COPPICE_PYTHON;
    if (python === undefined) return this.skip();
    this.timeout(120_000);
    const asked = [...written].map(([family, { folder }]) => [folder, calibrationRows(goldenOf(family))]);
    const found = spawnSync(python, ['-c', LOSSES], {
      encoding: 'utf8',
      input: JSON.stringify(asked),
      env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
    });
    assert.equal(found.status, 0, found.stderr);
    const answers = JSON.parse(found.stdout.trim().split('\n').at(-1)!) as { loss: number; odd: string[] }[];
    for (const [i, [family, { meanNll }]] of [...written].entries()) {
      assert.deepEqual(answers[i].odd, [], family);
      assertClose(answers[i].loss, meanNll, LOSS, `${family}: mean loss`);
    }
  });
});

/** Mean loss of each checkpoint over its rows, and weights that transformers misses or does not expect. */
const LOSSES = `
import json, sys, torch
from transformers import AutoModelForCausalLM
answers = []
for folder, rows in json.load(sys.stdin):
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation='eager', output_loading_info=True)
    ids = torch.tensor(rows)
    with torch.no_grad():
        logits = model(ids).logits[:, :-1].double()
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
    odd = [str(name) for kind in ('missing_keys', 'unexpected_keys', 'mismatched_keys') for name in info[kind]]
    answers.append({'loss': loss.item(), 'odd': odd})
print(json.dumps(answers))
`;
