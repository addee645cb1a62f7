/** `coppice curve` and `coppice report` end to end on a toy checkpoint. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutFitWarning } from '../support/fit-warning';
import { runOn } from '../support/jobs';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { buildCli, coppice, jsonOf } from '../support/built-cli';

interface Point {
  readonly count: number;
  readonly removed: readonly number[];
  readonly ppl: number;
  readonly meanNll: number;
  readonly parameters: number;
}

describe('command line: curves and reports', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const [text, score, curve] = ['text.txt', 'score.json', 'curve.json'].map((name) => join(folder, name));
  let model: string;

  before(() => {
    buildCli();
    model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: 6 } });
    writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(60));
  });

  const calibration = (): string[] => ['--calibration', text, '--samples', '4', '--length', '24'];

  it('removes nested sets of blocks, in the order of the scores, and evaluates each as eval would', async () => {
    jsonOf(await coppice(['score', model, ...calibration(), '--record', score, '--json']));
    const { results } = JSON.parse(readFileSync(score, 'utf8')) as {
      results: { order: number[]; full: { ppl: number } };
    };
    const args = [
      'curve',
      model,
      '--scores',
      score,
      ...calibration(),
      '--no-keep-ends',
      '--keep',
      '2',
      '--record',
      curve,
      '--json',
    ];
    const json = jsonOf(await coppice(args));
    const points = json.points as readonly Point[];
    assert.deepEqual(
      points.map(({ count }) => count),
      [0, 1, 2, 3, 4, 5],
    );
    const order = results.order.filter((block) => block !== 2);
    for (const { count, removed, ppl, meanNll } of points) {
      assert.deepEqual(
        removed,
        order.slice(0, count).sort((a, b) => a - b),
      );
      assert.equal(ppl, Math.exp(meanNll));
    }
    assert.equal(points[0].ppl, results.full.ppl);
    assert.ok(points[0].parameters - points[1].parameters === points[4].parameters - points[5].parameters);

    const evaluate = ['eval', model, '--text', text, '--window', '24', '--limit', '4'];
    const onText = [
      'curve',
      model,
      '--scores',
      score,
      '--no-keep-ends',
      '--most',
      '2',
      '--text',
      text,
      '--window',
      '24',
      '--limit',
      '4',
    ];
    const measured = jsonOf(await coppice([...onText, '--json'])).points as readonly Point[];
    const alone = jsonOf(await coppice([...evaluate, '--remove', measured[2].removed.join(), '--json']));
    assert.ok(Math.abs(measured[2].ppl / (alone.ppl as number) - 1) < 1e-5);
  });

  it('refuses what it cannot do, in words', async () => {
    const nothing = await coppice(['curve', model, '--scores', score]);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /neither --calibration nor --text/);
    const other = await coppice(['curve', model, '--scores', score, '--criterion', 'taylor', ...calibration()]);
    assert.match(other.stderr, /they are scores of ppl/);
    const greedy = ['--criterion', 'greedy', '--count', '1'];
    for (const command of [['curve'], ['score', ...greedy]]) {
      const outside = await coppice([...command, model, '--keep', '99', ...calibration()]);
      assert.equal(outside.code, 2, outside.stderr);
      assert.match(outside.stderr, /--keep names a block that does not exist/);
    }
    const removed = await coppice(['prune', model, '--blocks', '99', '--out', join(folder, 'pruned')]);
    assert.equal(removed.code, 1);
    assert.match(removed.stderr, /--blocks names a block that does not exist/);
    const broken = await coppice(['report', text, '--out', join(folder, 'x.html')]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /is not a run record/);
  });

  it('reports runs as a page that carries all it needs, and as Markdown', async () => {
    const page = join(folder, 'report.html');
    const json = jsonOf(await coppice(['report', score, curve, '--out', page, '--json']));
    assert.equal(json.runs, 2);
    const html = readFileSync(page, 'utf8');
    assert.equal(Buffer.byteLength(html), json.bytes);
    assert.match(html, /<th scope="row">least important blocks<\/th>/);
    const card = join(folder, 'card.md');
    jsonOf(await coppice(['report', curve, '--out', card, '--json']));
    assert.match(readFileSync(card, 'utf8'), /\| Blocks removed \| Perplexity \|/);
  });

  it('warns in a report of runs whose text has changed since', async () => {
    const page = join(folder, 'later.html');
    const args = ['report', score, '--out', page, '--inputs', model, '--quiet'];
    assert.equal((await coppice(args)).stderr, '');
    writeFileSync(text, 'Another text.');
    const { code, stderr } = await coppice(args);
    assert.equal(code, 0);
    assert.match(stderr, /^warning: .*score\.json: text\.txt has changed since\n$/);
    assert.match(readFileSync(page, 'utf8'), /<p class="warning">⚠ score · ppl: text\.txt has changed since<\/p>/);
  });

  /** Four rows of 300 tokens, and what is said of them. */
  const longRows = (): string => {
    const rows = join(folder, 'rows.json');
    const row = (seed: number): number[] => Array.from({ length: 300 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
    return rows;
  };
  const tooLong = /warning: rows of 300 tokens are longer than the model’s context of 256/;

  it('of a file of rows takes what is asked for, and says where that is not all of it or too long', async () => {
    const rows = longRows();
    const tokensOf = async (...args: string[]): Promise<[tokens: number, stderr: string]> => {
      const result = await coppice(['score', model, '--calibration', rows, '--json', ...args]);
      return [(jsonOf(result).full as { tokens: number }).tokens, result.stderr];
    };
    const [asked, quiet] = await tokensOf('--samples', '2', '--length', '24');
    assert.equal(asked, 2 * 23);
    assert.doesNotMatch(withoutFitWarning(quiet), /warning/);
    const [tokens, long] = await tokensOf();
    assert.equal(tokens, 4 * 299);
    assert.match(long, tooLong);
    assert.match((await tokensOf('--samples', '9'))[1], /warning: rows\.json holds 4 rows, not 9/);
    for (const criterion of ['taylor', 'greedy'] as const) {
      const count = criterion === 'greedy' ? 1 : undefined;
      const { warnings } = await runOn('score', { checkpoint: model, calibration: rows, criterion, count });
      assert.match(warnings.join('\n'), /rows of 300 tokens are longer than the model’s context of 256/, criterion);
    }
  });

  it('says once that rows are too long, which both rank and measure', async () => {
    const asked = ['--calibration', longRows(), '--no-keep-ends', '--samples', '3', '--json'];
    const measured = await coppice(['curve', model, ...asked]);
    assert.match(measured.stderr, tooLong);
    assert.equal(measured.stderr.match(/warning: rows/g)!.length, 1);
    assert.deepEqual([(jsonOf(measured).text as { rows: number }).rows], [3]);
  });
});
