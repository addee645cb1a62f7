/** The importance of columns: the sums of squares of the float64 reference, of every family, block and Linear. */
import assert from 'node:assert/strict';
import { columnSums } from '../../../src/engine/importance/columns';
import {
  addAll,
  loadReference,
  type LoadedReference,
  referenceEmbedding,
  referenceModule,
  type Vector,
} from '../../reference/forward';
import { brokenCheckpoint } from '../../support/broken';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const VOCABULARY = 288;

/** Σ x² by column over the positions of all rows. */
function squares(rows: readonly (readonly Vector[])[]): number[] {
  const all = rows.flat();
  return Array.from(all[0], (_, column) => all.reduce((sum, vector) => sum + vector[column] ** 2, 0));
}

/** By llama.cpp's names, with the blocks that are kept. */
function referenceSums(
  model: LoadedReference,
  rows: readonly number[][],
  kept: readonly number[],
): Map<string, number[]> {
  const { fused } = model.config;
  const found = new Map<string, number[]>();
  let streams = rows.map((row) => referenceEmbedding(model, row));
  for (const [block, layer] of kept.entries()) {
    for (const part of ['attention', 'ffn'] as const) {
      const modules = streams.map((x) => referenceModule(model, layer, part, x));
      const first = squares(modules.map(({ normed }) => normed));
      const last = squares(modules.map(({ input }) => input));
      const firsts =
        part === 'attention'
          ? fused
            ? ['attn_qkv']
            : ['attn_q', 'attn_k', 'attn_v']
          : fused
            ? ['ffn_up']
            : ['ffn_gate', 'ffn_up'];
      for (const name of firsts) found.set(`blk.${block}.${name}.weight`, first);
      found.set(`blk.${block}.${part === 'attention' ? 'attn_output' : 'ffn_down'}.weight`, last);
      streams = streams.map((x, i) => addAll(x, modules[i].added));
    }
  }
  return found;
}

describe('importance of columns', () => {
  for (const name of [...TINY_MODELS, ...RAGGED_MODELS]) {
    it(`${name}: what the reference sums up, whole and without a block`, async () => {
      const folder = tinyCheckpoint(name);
      const reference = loadReference(folder);
      const rows = randomRows(3, 12, VOCABULARY, 17);
      const all = [...Array(reference.config.blocks).keys()];
      await withModel(folder, async (model) => {
        for (const kept of [all, all.filter((block) => block !== 1)]) {
          const found = await columnSums(model, kept, rows);
          const expected = referenceSums(reference, rows, kept);
          assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
          for (const [matrix, { sums, count }] of found) {
            assert.equal(count, 36);
            const wanted = expected.get(matrix)!;
            const off = Math.max(...wanted.map((sum, column) => Math.abs(sum - sums[column])));
            assert.equal(sums.length, wanted.length, matrix);
            assert.ok(off <= 1e-5 * Math.max(...wanted), `${matrix} is off by ${off}`);
          }
        }
      });
    });
  }

  it('refuses a model whose states are not finite', async () => {
    const folder = await brokenCheckpoint('model.layers.1.mlp.up_proj.weight', [0], NaN);
    await withModel(folder, (model) =>
      assert.rejects(columnSums(model, [0, 1], [[1, 2]]), /importance of block 1 is not finite/),
    );
  });
});
