/** Recipes of the paper, run on the sample model with their quick values. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { chosenShares } from '../../../src/jobs/runs/score-shares';
import { readRecipe } from '../../../src/recipes/read';
import { type ShownTable, tableValues } from '../../../src/recipes/report/values';
import { runRecipe } from '../../../src/recipes/run';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const root = resolve(import.meta.dirname, '../../..');
const sample = resolve(root, 'media/sample');

async function tablesOf(name: string): Promise<ShownTable[]> {
  const recipe = await readRecipe(resolve(root, `recipes/shortened-llama/${name}.coppice.json`));
  const request = { recipe, quick: true, folder: temporaryFolder() };
  const { end, error } = await runRecipe(request, inThisProcess({ device: 'cpu', threads: 1 }));
  if (error instanceof Error) throw error;
  assert.equal(end.ended, 'done');
  return tableValues(end);
}

const missing = (tables: readonly ShownTable[]): string[] =>
  tables.flatMap(({ title, rows }) =>
    rows.flatMap(({ label, cells }) => (cells.some(({ text }) => text === '—') ? [`${title}: ${label}`] : [])),
  );

describe('recipes of the paper', function () {
  this.timeout('10m');

  it('measure what each block is worth (Figure 4)', async () => {
    const tables = await tablesOf('figure-4');
    assert.deepEqual(missing(tables), []);
    assert.deepEqual(
      tables.map(({ rows }) => rows.length),
      [12, 12, 12],
    );
    const [ppl] = tables;
    const [first, ...others] = ppl.rows.map(({ cells: [{ value }] }) => value!);
    assert.ok(first > Math.max(...others), 'the model needs its first block most');
  });

  for (const name of ['table-2', 'table-5', 'table-6', 'table-7', 'table-9', 'figure-1', 'figure-5', 'figure-6']) {
    itFull(`fill every cell of ${name}`, async () => {
      assert.deepEqual(missing(await tablesOf(name)), []);
    });
  }

  it('choose as much as fits into a share, of blocks and of modules', async () => {
    const architecture = requireArchitecture(await openCheckpoint(sample));
    const scores = Array.from({ length: 12 }, (_, index) => index);
    const ranking = { kind: 'scores' as const, scores };
    const kept = new Set([0, 1]);
    const blocks = chosenShares([0.1952, 0.3482], architecture, { ranking, result: {} }, kept);
    assert.deepEqual(
      blocks.map(({ removed, parameters }) => [removed, parameters]),
      [
        [[2, 3], 2_230_912],
        [[2, 3, 4, 5], 1_837_184],
      ],
    );
    const modules = scores.flatMap((score) =>
      (['attention', 'ffn'] as const).map((part, at) => ({ block: score, part, score: 2 * score + at })),
    );
    const [one] = chosenShares([0.1], architecture, { ranking, result: { modules } }, kept);
    assert.deepEqual(one.removed, ['2.attention', '2.ffn', '3.attention']);
    assert.throws(() => chosenShares([0.9], architecture, { ranking, result: {} }, kept), /cannot remove/);
    assert.throws(() => chosenShares([0.9], architecture, { ranking, result: { modules } }, kept), /less than that/);
  });
});
