/** `coppice prune`: which blocks go, what is written, what is refused and why, and that nothing is left of what was stopped. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { coppice } from '../support/built-cli';

describe('command line: prune', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;

  before(() => {
    ({ model, rows } = makeCliMaterial());
  });

  it('prune: by scores, by criterion and by hand; the source stays as it was', async () => {
    const before = hashesOf(model);
    const folder = temporaryFolder();
    const scores = join(folder, 'scores.json');
    const scored = await coppice(['score', model, '--calibration', rows, '--json']);
    writeFileSync(scores, scored.stdout);
    const [first] = (JSON.parse(scored.stdout) as { order: number[] }).order;

    const byScores = await run(
      'prune',
      model,
      '--scores',
      scores,
      '--count',
      '1',
      '--no-keep-ends',
      '--out',
      join(folder, 'a'),
    );
    const shape = 'removed kept slices parametersBefore parametersAfter bytesBefore bytesAfter out leftBehind seconds';
    assert.deepEqual(keys(byScores), sorted(shape));
    assert.deepEqual(byScores.removed, [first]);
    const why = (name: string): [settings: Json, card: string] => [
      readJson(join(folder, name, 'coppice.json')).settings as Json,
      readFileSync(join(folder, name, 'README.md'), 'utf8'),
    ];
    const [byScoresSettings, byScoresCard] = why('a');
    assert.deepEqual([byScoresSettings.chosen, byScoresSettings.criterion], ['by criterion', 'ppl']);
    assert.match(
      byScoresCard,
      /The blocks were chosen by the criterion `ppl`, measured on \d+ rows of \d+ tokens of `rows/,
    );

    const dry = await run('prune', model, '--scores', scores, '--count', '1', '--no-keep-ends', '--dry-run');
    assert.deepEqual(keys(dry), sorted(shape));
    assert.deepEqual([dry.removed, dry.out, dry.parametersAfter], [[first], null, byScores.parametersAfter]);
    assert.deepEqual(readdirSync(folder).sort(), ['a', 'scores.json']);

    const recipes = [join(folder, 'recipe.yaml'), join(folder, 'command.txt')];
    const byHand = await run(
      ...['prune', model, '--blocks', '1-2', '--out', join(folder, 'b')],
      ...['--mergekit', recipes[0], '--llama-cpp', recipes[1]],
    );
    assert.deepEqual(byHand.kept, [0, 3]);
    const [byHandSettings, byHandCard] = why('b');
    assert.deepEqual([byHandSettings.chosen, byHandSettings.criterion], ['by hand', undefined]);
    assert.match(byHandCard, /The blocks were chosen by hand\./);
    assert.doesNotMatch(byHandCard, /criterion/);
    assert.deepEqual(byHand.slices, [
      [0, 1],
      [3, 4],
    ]);
    assert.match(readFileSync(recipes[0], 'utf8'), /passthrough/);
    assert.match(readFileSync(recipes[1], 'utf8'), /--prune-layers 1,2 /);

    const byCriterion = await run(
      ...[
        'prune',
        model,
        '--criterion',
        'greedy',
        '--calibration',
        rows,
        '--count',
        '2',
        '--no-keep-ends',
        '--keep',
        '0',
      ],
      ...['--out', join(folder, 'c')],
    );
    assert.equal((byCriterion.removed as number[]).includes(0), false);
    assert.equal((await run('inspect', join(folder, 'c'))).blocks, 2);
    assert.deepEqual(hashesOf(model), before);

    const record = readJson(join(folder, 'a', 'coppice.json')) as { inputs: Json[] };
    assert.deepEqual(
      record.inputs.map(({ role }) => role),
      ['model', 'scores', 'calibration'],
    );
  });

  it('prune: refuses the scores of another model, and scores of modules and views', async () => {
    const folder = temporaryFolder();
    const refused = async (scores: string, word: RegExp): Promise<void> => {
      const file = join(folder, 'scores.json');
      writeFileSync(file, scores);
      const out = join(folder, 'out');
      const result = await coppice([
        'prune',
        model,
        '--scores',
        file,
        '--count',
        '1',
        '--no-keep-ends',
        '--out',
        out,
        '--json',
      ]);
      assert.equal(result.code, 1);
      assert.equal(result.stdout, '');
      assert.match(result.stderr, word);
      assert.equal(existsSync(out), false);
    };
    const score = async (...args: string[]): Promise<string> => (await coppice(['score', ...args, '--json'])).stdout;
    const other = tinyCheckpoint('llama-plain');
    await refused(await score(other, '--criterion', 'deepest'), /scores of another model/);
    await refused(await score(model, '--calibration', rows, '--granularity', 'module'), /single modules/);
    await refused(await score(model, '--criterion', 'deepest', '--remove', '1'), /scores of a view/);
    await refused('{"criterion": 1}', /has no criterion or no model/);
    await refused('scores', /not JSON/);
  });

  it('prune: Ctrl-C leaves no output', async () => {
    const cwd = temporaryFolder();
    const args = [
      'prune',
      model,
      '--criterion',
      'ppl',
      '--calibration',
      rows,
      '--count',
      '1',
      '--no-keep-ends',
      '--out',
      'out',
    ];
    const { code, stdout } = await coppice(args, { cwd, interrupt: 'SIGINT' });
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('says why a single module is not written, and that both modules of a block are the block', async () => {
    const out = join(temporaryFolder(), 'out');
    const { code, stdout, stderr } = await coppice(['prune', model, '--blocks', '0,1.ffn', '--out', out]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /without 1\.ffn cannot be written\n.*stock Hugging Face.*\n.*--remove/);
    assert.equal(existsSync(out), false);
    assert.deepEqual((await run('prune', model, '--blocks', '1.attention,1.ffn', '--out', out)).removed, [1]);
  });

  it('looks at the output and the number of blocks before it scores for hours', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'taken'));
    const asked = ['prune', model, '--criterion', 'ppl', '--calibration', rows, '--json'];
    for (const [args, word] of [
      [['--count', '1', '--no-keep-ends', '--out', 'taken'], /taken exists already/],
      [['--count', '1', '--no-keep-ends', '--out', join(model, 'inside')], /is inside the source/],
      [['--count', '1', '--out', 'out'], /cannot remove 1 of 4 blocks/],
    ] as const) {
      const { code, stderr } = await coppice([...asked, ...args], { cwd });
      assert.equal(code, 1);
      assert.match(stderr, word);
      assert.doesNotMatch(stderr, / %/);
      assert.equal(stderr.trimEnd().split('\n').length, 3, stderr);
    }
    const { code, stderr } = await coppice([...asked, '--count', '1'], { cwd });
    assert.equal(code, 2);
    assert.match(stderr, /prune needs --out\n.*it is not given\n.*Add --out DIR; or add --dry-run/);
    assert.deepEqual(readdirSync(cwd), ['taken']);
  });
});
