/** The paper's recipes: all can run, and the paper's numbers in them are those of the reference. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseRecipe } from '../../../src/recipes/read';
import type { Json, Recipe } from '../../../src/recipes/recipe';
import type { RecipeRow } from '../../../src/recipes/table';
import { itShared, shared } from '../../support/shared';

const folder = resolve(import.meta.dirname, '../../../recipes/shortened-llama');
const names = readdirSync(folder).filter((name) => name.endsWith('.coppice.json'));
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

function recipeOf(name: string): Recipe {
  const { recipe, problems } = parseRecipe(textOf(name), join(folder, name));
  assert.deepEqual(problems, [], name);
  return recipe!;
}

interface Reference {
  readonly table10_with_table2_3_4_latency: readonly Readonly<Record<string, string | number>>[];
  readonly table5: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly table6: readonly Readonly<Record<'mha_ffn' | 'block', readonly Json[]>>[];
  readonly table7: Readonly<Record<'wikitext2' | 'acc', Readonly<Record<string, readonly Json[]>>>>;
  readonly table9_GiB: Readonly<Record<string, readonly Json[]>>;
}

const papers = (rows: readonly RecipeRow[]): (readonly Json[])[] => rows.map(({ paper }) => paper ?? []);

describe('recipes of Shortened LLaMA', () => {
  it('are complete: tables 2, 5, 6, 7, 9 and figures 1, 4, 5, 6', () => {
    const wanted = [
      'figure-1',
      'figure-4',
      'figure-5',
      'figure-6',
      'table-2',
      'table-5',
      'table-6',
      'table-7',
      'table-9',
    ];
    assert.deepEqual(
      names.toSorted(),
      wanted.map((name) => `${name}.coppice.json`),
    );
    const readme = readFileSync(join(folder, '../README.md'), 'utf8');
    for (const name of names) assert.ok(readme.includes(`shortened-llama/${name}`), name);
  });

  it('have no problem, say how they are run, and whose the numbers beside the user’s are', () => {
    for (const name of names) {
      const { quick, tables, steps } = recipeOf(name);
      assert.ok(textOf(name).includes(`coppice run recipes/shortened-llama/${name}`), name);
      assert.ok(Object.keys(quick).length > 0 && steps.length > 0, name);
      for (const { rows, paper } of tables) {
        if (rows.some((row) => row.paper)) assert.match(paper ?? '', /^Shortened LLaMA, Table \d+.*(LLaMA|Vicuna)-7B/);
      }
    }
  });

  itShared('have the numbers of the paper', () => {
    const reference = JSON.parse(readFileSync(shared('spec/reference_tables.json'), 'utf8')) as Reference;
    const tables = (name: string): Recipe['tables'] => recipeOf(`${name}.coppice.json`).tables;
    const found = (model: string, label: string): Readonly<Record<string, string | number>> => {
      const [, ratio = '0', method = 'Original'] = /^(\d+) %: (.*)$/.exec(label) ?? [];
      return reference.table10_with_table2_3_4_latency.find(
        (row) => row.model === model && row.ratio_pct === Number(ratio) && row.method === method,
      )!;
    };
    const [quality, smaller] = tables('table-2');
    assert.equal(quality.rows.length, 16);
    for (const { label, paper = [] } of quality.rows) {
      const row = found('LLaMA-7B', label);
      assert.deepEqual(paper.slice(1), [row.wikitext2, row.ptb, row.avg, row.latency_h100_s, row.h100], label);
    }
    for (const { label, paper } of smaller.rows) {
      const row = found('LLaMA-7B', label);
      assert.deepEqual(paper, [row.latency_3090_s, row.rtx3090], label);
    }
    for (const { label, paper } of tables('figure-1')[0].rows) {
      const row = found('Vicuna-7B', label);
      assert.deepEqual(paper, [row.latency_h100_s, row.wikitext2, row.h100], label);
    }
    for (const { label, paper = [] } of tables('table-5')[0].rows) {
      const [, ratio, method] = /^(\d+) %: (.*)$/.exec(label)!;
      assert.deepEqual(paper.slice(1), reference.table5[ratio][method], label);
    }
    assert.deepEqual(
      papers(tables('table-6')[0].rows),
      reference.table6.flatMap((row) => [row.mha_ffn, row.block]),
    );
    const [ppl, accuracy] = tables('table-7');
    for (const { label, paper } of ppl.rows) assert.deepEqual(paper, reference.table7.wikitext2[label]);
    for (const { label, paper } of accuracy.rows) assert.deepEqual(paper, reference.table7.acc[label]);
    for (const { rows } of tables('table-9')) {
      assert.deepEqual(
        papers(rows),
        ['7B', '7B-20', '7B-27', '7B-35'].map((name) => reference.table9_GiB[name]),
      );
    }
  });
});
