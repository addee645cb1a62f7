/** The report of a recipe: values of its tables from the results alone, and texts of files as text. */
import assert from 'node:assert/strict';
import { reportHtml } from '../../../src/recipes/report/html';
import { reportMarkdown } from '../../../src/recipes/report/markdown';
import { tableValues } from '../../../src/recipes/report/values';
import { parseRecipe } from '../../../src/recipes/read';
import type { JsonObject } from '../../../src/format/json';
import type { RecipeTable } from '../../../src/recipes/table';
import type { RecipeEnd, StepEnd } from '../../../src/recipes/types';

const NASTY = '<img src=x onerror=alert(1)> | **b** [l](http://x.test)';

function endOf(tables: readonly RecipeTable[], more: Partial<RecipeEnd> = {}): RecipeEnd {
  const steps = {
    scores: { job: 'score', options: { criterion: 'ppl', calibration: '${text}' } },
    quality: { job: 'eval', options: { text: '${text}' } },
    later: { job: 'eval', options: { text: '${text}' } },
  };
  const text = JSON.stringify({
    coppice: 1,
    model: 'm',
    title: NASTY,
    variables: { text: 'a.txt', n: 4 },
    steps,
    tables,
  });
  const { recipe, problems } = parseRecipe(text, '/elsewhere/someone/work/try.coppice.json');
  assert.deepEqual(problems, []);
  const finished = (name: string, job: 'score' | 'eval', result: JsonObject): StepEnd => ({
    name,
    job,
    state: 'done',
    result,
    finished: {
      name,
      job,
      key: '',
      run: '',
      options: { text: '/elsewhere/someone/texts/a.txt' },
      outputs: [],
      result: '/elsewhere/someone/work/.coppice/try/result.json',
      resultSha256: '',
      record: null,
      device: 'cpu',
      notes: [NASTY],
      warnings: [],
      coppice: '0.1.0',
      started: '2026-01-01T00:00:00.000Z',
      seconds: 2,
    },
  });
  const blocks = [
    { index: 0, ppl: 'Infinity' },
    { index: 1, ppl: 30.123456 },
  ];
  return {
    recipe: recipe!,
    model: '/elsewhere/someone/models/SmolLM2-135M',
    folder: '/elsewhere/someone/work/.coppice/try',
    quick: false,
    variables: recipe!.variables,
    steps: [
      finished('scores', 'score', {
        blocks,
        peakRssBytes: 2 ** 31,
        order: [1, 0],
        shares: [{ ratio: 0.2, removed: [1, 3, 4, '6.ffn'] }],
      }),
      finished('quality', 'eval', { ppl: 43.571372, top1: 0.5134, precision: 'float32' }),
      { name: 'later', job: 'eval', state: 'open' },
    ],
    limits: [{ step: 'quality', limit: 'maxPpl', most: 40, measured: 43.571372, kept: false }],
    ended: 'limit',
    ran: 2,
    started: '2026-01-01T00:00:00.000Z',
    seconds: 4,
    coppice: '0.1.0',
    ...more,
  };
}

const TABLE: RecipeTable = {
  title: 'Of ${text}',
  columns: [
    'perplexity',
    { title: 'same, %', as: 'percent' },
    { title: 'GiB', as: 'GiB' },
    { title: 'without', as: 'blocks' },
  ],
  rows: [
    {
      label: 'mine',
      cells: [
        '${steps.quality.ppl}',
        '${steps.quality.top1}',
        '${steps.scores.peakRssBytes}',
        '${steps.scores.shares.0.removed}',
      ],
      paper: [7720.7, 25, 'OOM', null],
    },
    { label: 'missing', cells: ['${steps.later.ppl}', '${steps.quality.repetition.mean}', null, 'n is ${n}'] },
  ],
  paper: 'a paper',
};
const EACH: RecipeTable = {
  title: 'Blocks',
  columns: ['perplexity'],
  chart: 'bars',
  rows: [{ label: 'block ${each.index}', each: '${steps.scores.blocks}', cells: ['${each.ppl}'] }],
};

describe('reports of recipes', () => {
  it('take the values of tables from the results, and leave a dash where there is none', () => {
    const [table, each] = tableValues(endOf([TABLE, EACH]));
    assert.equal(table.title, 'Of a.txt');
    assert.deepEqual(
      table.rows.map(({ cells }) => cells.map(({ text }) => text)),
      [
        ['43.57', '51.3', '2.00', '1, 3-4, 6.ffn'],
        ['—', '—', '—', 'n is 4'],
      ],
    );
    assert.deepEqual(table.rows[0].paper, ['7,720.7', '25', 'OOM', '—']);
    assert.deepEqual(
      each.rows.map(({ label, cells: [cell] }) => [label, cell.text, cell.value]),
      [
        ['block 0', '∞', null],
        ['block 1', '30.12', 30.123456],
      ],
    );
  });

  it('take the values of the run for variables', () => {
    assert.equal(tableValues(endOf([TABLE], { variables: { text: 'b.txt', n: 5 } }))[0].title, 'Of b.txt');
  });

  it('say whose the numbers are, what was broken and what did not run, without paths of the machine', async () => {
    const end = endOf([TABLE, EACH]);
    for (const report of [reportMarkdown(end), await reportHtml(end, { script: '', style: '' })]) {
      assert.match(report, /A limit is broken \(maxPpl of quality\): 2 steps ran in 4\.0 s, 1 step did not run/);
      assert.match(report, /SmolLM2-135M; perplexity on texts\/a\.txt; float32 on cpu/);
      assert.match(report, /a paper/);
      assert.doesNotMatch(report, /someone/);
    }
  });

  it('show texts of files as text', async () => {
    const end = endOf([TABLE, EACH]);
    const html = await reportHtml(end, { script: '', style: '' });
    assert.doesNotMatch(html, /<img/);
    assert.match(html, /default-src 'none'/);
    const markdown = reportMarkdown(end);
    assert.doesNotMatch(markdown, /(^|[^\\])<img/m);
    assert.match(markdown, /\\\*\\\*b\\\*\\\*/);
  });

  it('draw a chart of what has numbers', async () => {
    const html = await reportHtml(endOf([EACH]), { script: '', style: '' });
    assert.equal(html.match(/<rect class="bar"/g)?.length, 1);
    assert.match(html, /block 1: 30\.12/);
  });

  it('refuse a table that cannot be read', () => {
    const problems = (table: object): string[] => {
      const steps = { scores: { job: 'score', options: { criterion: 'magnitude' } } };
      return parseRecipe(
        JSON.stringify({ coppice: 1, model: 'm', steps, tables: [table] }),
        '/r.coppice.json',
      ).problems.map(({ why }) => why);
    };
    const row = { label: 'a', cells: [1] };
    assert.deepEqual(problems({ title: 't', columns: ['c'], rows: [row] }), []);
    assert.match(problems({ title: 't', columns: [{ title: 'c', as: 'parsec' }], rows: [row] })[0], /number, percent/);
    assert.match(problems({ title: 't', columns: ['c'], rows: [{ ...row, cells: ['${each.x}'] }] })[0], /no “each”/);
    assert.match(problems({ title: 't', columns: ['c'], rows: [{ ...row, cells: [1, 2] }] })[0], /1 cells/);
    assert.match(
      problems({ title: 't', columns: ['c'], rows: [{ ...row, cells: ['${steps.no.x}'] }] })[0],
      /the steps are/,
    );
    assert.match(problems({ title: 't', columns: ['c'], rows: [row], chart: 'pie' })[0], /lines or bars/);
  });
});
