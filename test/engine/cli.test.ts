/**
 * The command line end to end: every command prints the object that it promises, exits as it says, and leaves nothing
 * behind when it is interrupted. On a toy checkpoint, and on stories260K against its golden numbers.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { writeAdapter } from '../../src/engine/retrain/adapter-files';
import { randomAdapter } from '../support/adapters';
import { assertClose, TOLERANCE } from '../support/close';
import { describeShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { buildCli, coppice, jsonOf } from '../unit/cli/built';

type Json = Record<string, unknown>;

const readJson = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
const keys = (value: unknown): string[] => Object.keys(value as object).sort();
const sorted = (names: string): string[] => names.split(' ').sort();

function hashesOf(folder: string): Record<string, string> {
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(readdirSync(folder).map((name) => [name, hash(name)]));
}

const SCORE = 'criterion model full calibration seconds device peakRssBytes';

describe('command line: end to end', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;
  let text: string;

  before(() => {
    buildCli();
    model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const folder = temporaryFolder();
    rows = join(folder, 'rows.json');
    const row = (seed: number): number[] => Array.from({ length: 24 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
    text = join(folder, 'text.txt');
    writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(30));
  });

  const run = async (...args: string[]): Promise<Json> => jsonOf(await coppice([...args, '--json']));

  it('inspect', async () => {
    const json = await run('inspect', model);
    const promised =
      'path format architecture blocks parameters bytes dtypes tied vocabulary hidden heads kvHeads headDim ffn context blockParameters';
    for (const key of sorted(promised)) assert.ok(key in json, key);
    assert.equal(json.blocks, 4);
    assert.equal((json.blockParameters as number[]).length, 4);
  });

  it('score: ppl by blocks, with a record', async () => {
    const record = join(temporaryFolder(), 'record.json');
    const json = await run(
      'score',
      model,
      '--calibration',
      rows,
      '--record',
      record,
      '--threads',
      '1',
      '--memory',
      '1GB',
    );
    assert.deepEqual(keys(json), sorted(`${SCORE} blocks order`));
    assert.deepEqual(keys(json.full), sorted('ppl meanNll tokens'));
    const blocks = json.blocks as Json[];
    assert.deepEqual(
      blocks.map(({ index }) => index),
      [0, 1, 2, 3],
    );
    assert.deepEqual(keys(blocks[0]), sorted('index score ppl meanNll low high'));
    assert.deepEqual([...(json.order as number[])].sort(), [0, 1, 2, 3]);
    const written = readJson(record) as { results: { blocks: { rows: number[] }[] }; settings: Json } & Json;
    assert.equal(written.schema, 1);
    assert.equal(written.kind, 'score');
    assert.equal(written.seed, 1234);
    assert.equal(written.results.blocks[0].rows.length, 4);
    assert.equal(written.settings.memory, 1e9);
    assert.doesNotMatch(JSON.stringify(written.inputs), /\//); // names, no paths
  });

  it('score: modules, windows, removals, and what needs no text', async () => {
    const modules = await run('score', model, '--calibration', rows, '--granularity', 'module');
    assert.deepEqual(keys(modules), sorted(`${SCORE} modules order`));
    const [first] = modules.modules as Json[];
    for (const key of sorted('block part score ppl meanNll')) assert.ok(key in first, key);
    assert.deepEqual(keys((modules.order as Json[])[0]), ['block', 'part']);

    const angular = await run('score', model, '--calibration', rows, '--criterion', 'angular');
    assert.deepEqual(keys(angular), sorted(`${SCORE} windows`));
    assert.deepEqual(keys((angular.windows as Json[])[0]), ['score', 'size', 'start']);

    const greedy = await run('score', model, '--calibration', rows, '--criterion', 'greedy', '--count', '2');
    assert.deepEqual(keys(greedy), sorted(`${SCORE} removals`));
    assert.equal((greedy.removals as Json[]).length, 2);

    const influence = await run('score', model, '--calibration', rows, '--criterion', 'block-influence');
    assert.deepEqual(keys((influence.blocks as Json[])[0]), ['index', 'score']);

    for (const criterion of ['magnitude', 'deepest']) {
      const json = await run('score', model, '--criterion', criterion);
      assert.deepEqual(keys(json), sorted(`${SCORE} blocks order`));
      assert.equal(json.full, null);
      assert.equal(json.calibration, null);
    }
  });

  it('score: a view has scores for what is left of it', async () => {
    const json = await run('score', model, '--calibration', rows, '--remove', '1');
    assert.deepEqual(
      (json.blocks as Json[]).map(({ index }) => index),
      [0, 2, 3],
    );
    assert.deepEqual(json.removed, [1]);
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
      '--no-plus',
      '--out',
      join(folder, 'a'),
    );
    const shape = 'removed kept slices parametersBefore parametersAfter bytesBefore bytesAfter out seconds';
    assert.deepEqual(keys(byScores), sorted(shape));
    assert.deepEqual(byScores.removed, [first]);

    const recipes = [join(folder, 'recipe.yaml'), join(folder, 'command.txt')];
    const byHand = await run(
      ...['prune', model, '--blocks', '1-2', '--out', join(folder, 'b')],
      ...['--mergekit', recipes[0], '--llama-cpp', recipes[1]],
    );
    assert.deepEqual(byHand.kept, [0, 3]);
    assert.deepEqual(byHand.slices, [
      [0, 1],
      [3, 4],
    ]);
    assert.match(readFileSync(recipes[0], 'utf8'), /passthrough/);
    assert.match(readFileSync(recipes[1], 'utf8'), /--prune-layers 1,2 /);

    const byCriterion = await run(
      ...['prune', model, '--criterion', 'greedy', '--calibration', rows, '--count', '2', '--no-plus', '--keep', '0'],
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
        '--no-plus',
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
    await refused('{"criterion": 1}', /lacks criterion or model/);
    await refused('scores', /not JSON/);
  });

  it('eval: a text, a view of the model, and the written model alike', async () => {
    const folder = join(temporaryFolder(), 'pruned');
    await run('prune', model, '--blocks', '2', '--out', folder);
    const args = ['--text', text, '--window', '32', '--limit', '4'];
    const json = await run('eval', model, ...args, '--remove', '2', '--bos', 'window');
    assert.deepEqual(keys(json), sorted('ppl meanNll tokens windows window bos removed seconds'));
    assert.deepEqual([json.windows, json.window, json.bos, json.tokens], [4, 32, 'window', 128]);
    assert.deepEqual(json.removed, [2]);
    const written = await run('eval', folder, ...args, '--bos', 'window');
    assert.equal(written.meanNll, json.meanNll);
    const part = await run('eval', model, ...args, '--remove', '2.ffn');
    assert.deepEqual(part.removed, ['2.ffn']);
  });

  it('merge: an adapter on top, merged at once, and merged on the pruned checkpoint are the same', async () => {
    const folder = temporaryFolder();
    const checkpoint = await openCheckpoint(model);
    const lora = randomAdapter(checkpoint.architecture!, { removed: [1, 2] });
    const adapter = await writeAdapter(join(folder, 'adapter'), lora, checkpoint);
    const before = hashesOf(model);
    const merged = join(folder, 'merged');
    const json = await run('merge', model, '--adapter', adapter, '--out', merged, '--dtype', 'f32');
    const promised =
      'removed kept parametersBefore parametersAfter bytesBefore bytesAfter rank alpha targets dtype out seconds';
    assert.deepEqual(keys(json), sorted(promised));
    assert.deepEqual([json.removed, json.kept, json.dtype, json.rank], [[1, 2], [0, 3], 'f32', 4]);
    await run('prune', model, '--blocks', '1,2', '--out', join(folder, 'pruned'));
    await run('merge', join(folder, 'pruned'), '--adapter', adapter, '--out', join(folder, 'later'), '--dtype', 'f32');
    assert.equal(hashesOf(merged)['model.safetensors'], hashesOf(join(folder, 'later'))['model.safetensors']);
    assert.deepEqual(hashesOf(model), before);

    const args = ['--text', text, '--window', '32', '--limit', '4'];
    const onTop = await run('eval', model, ...args, '--adapter', adapter);
    assert.deepEqual(onTop.removed, [1, 2]);
    assertClose(
      (await run('eval', merged, ...args)).meanNll as number,
      onTop.meanNll as number,
      { absolute: 1e-5 },
      'loss',
    );
    const ids = ['--ids', '5,6,7', '--max-new-tokens', '6', '--ignore-eos'];
    const { ids: continued } = await run('generate', model, ...ids, '--adapter', adapter);
    assert.deepEqual((await run('generate', merged, ...ids)).ids, continued);
    const scoring = ['--calibration', rows, '--samples', '4', '--length', '24'];
    const scores = await run('score', model, ...scoring, '--adapter', adapter);
    assert.equal((scores.blocks as unknown[]).length, 2);
    assertClose(
      (scores.full as Json).meanNll as number,
      ((await run('score', merged, ...scoring)).full as Json).meanNll as number,
      { absolute: 1e-5 },
      'full',
    );
    const tiny = ['--prompt-tokens', '8', '--new-tokens', '2', '--repeats', '1'];
    assert.deepEqual((await run('bench', model, ...tiny, '--adapter', adapter)).removed, [1, 2]);
    for (const command of [
      ['eval', merged, '--text', text],
      ['merge', merged, '--out', join(folder, 'twice')],
    ]) {
      const again = await coppice([...command, '--adapter', adapter]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /does not belong to merged[^]*--other-base/);
    }
  });

  it('eval: warns when the text is the one that the blocks were scored with', async () => {
    const folder = join(temporaryFolder(), 'pruned');
    const calibration = ['--calibration', text, '--samples', '2', '--length', '32'];
    await run(
      'prune',
      model,
      '--criterion',
      'block-influence',
      ...calibration,
      '--count',
      '1',
      '--no-plus',
      '--out',
      folder,
    );
    const args = ['--window', '32', '--limit', '1', '--json'];
    const same = await coppice(['eval', folder, '--text', text, ...args]);
    assert.match(same.stderr, /warning: .*scored the blocks/);
    assert.equal(same.code, 0);
    const another = join(temporaryFolder(), 'another.txt');
    writeFileSync(another, readFileSync(text, 'utf8').toUpperCase());
    assert.doesNotMatch((await coppice(['eval', folder, '--text', another, ...args])).stderr, /warning/);
  });

  it('generate: the new tokens only; the same text as it streams', async () => {
    const args = ['generate', model, '--prompt', 'The river', '--max-new-tokens', '6', '--ignore-eos'];
    const json = await run(...args);
    assert.deepEqual(keys(json), sorted('promptIds ids text prefillTokensPerSecond decodeTokensPerSecond removed'));
    assert.equal((json.ids as number[]).length, 6);
    const plain = await coppice([...args, '--quiet']);
    assert.equal(plain.stdout, `The river${json.text as string}\n`);
    assert.equal(plain.stderr, '');
    const ids = (json.promptIds as number[]).join(',');
    assert.deepEqual(
      (await run('generate', model, '--ids', ids, '--max-new-tokens', '6', '--ignore-eos')).ids,
      json.ids,
    );
  });

  it('generate: sampling repeats with its seed; ids need no tokenizer', async () => {
    const bare = tinyCheckpoint('llama-plain');
    const args = ['generate', bare, '--ids', '5,6,7', '--temperature', '1.5', '--top-k', '50', '--max-new-tokens', '8'];
    const [a, b, c] = [
      await run(...args, '--seed', '1'),
      await run(...args, '--seed', '1'),
      await run(...args, '--seed', '2'),
    ];
    assert.deepEqual(a.ids, b.ids);
    assert.notDeepEqual(a.ids, c.ids);
    assert.equal(a.text, null);
  });

  it('bench: a checkpoint and a view', async () => {
    const args = ['--prompt-tokens', '16', '--new-tokens', '4', '--repeats', '1'];
    const whole = await run('bench', model, ...args);
    const view = await run('bench', model, ...args, '--remove', '1');
    for (const key of sorted(
      'loadSeconds prefillTokensPerSecond decodeTokensPerSecond timeToFirstTokenSeconds peakRssBytes',
    )) {
      assert.ok((whole[key] as number) > 0, key);
    }
    assert.ok((view.parameters as number) < (whole.parameters as number));
    assert.ok((view.bytes as number) < (whole.bytes as number));
  });

  it('demo: the whole way without a checkpoint, and says where everything is', async () => {
    const cwd = temporaryFolder();
    const page = await coppice(['demo'], { cwd });
    assert.equal(page.code, 0, page.stderr);
    for (const word of ['1. Score', '2. Prune', '3. Retrain', '4. Compare', 'Done in']) {
      assert.ok(page.stdout.includes(word), word);
    }
    const folder = join(cwd, 'coppice-demo');
    assert.deepEqual(readdirSync(folder).sort(), [
      ...['comparison.json', 'pruned-model', 'retrained-model', 'scores-ppl.json', 'scores-taylor.json'],
    ]);
    const { results } = readJson(join(folder, 'comparison.json')) as { results: Record<string, Json> };
    const [before, after, retrained] = [results.before, results.after, results.retrained].map(({ ppl }) => Number(ppl));
    assert.equal((results.removed as unknown as number[]).length, 3);
    assert.ok(before < after && retrained < after, `${before}, ${after}, ${retrained}`);
  }).timeout('5m');

  it('demo: with a checkpoint, retraining only when asked for', async () => {
    const cwd = temporaryFolder();
    const json = jsonOf(await coppice(['demo', model, '--count', '1', '--json'], { cwd }));
    assert.match(json.out as string, /coppice-demo.pruned-model/);
    assert.equal(json.retrained, null);
    const args = ['demo', model, '--count', '1', '--retrain', text, '--json'];
    const retrained = jsonOf(await coppice(args, { cwd })).retrained as Json;
    assert.match(retrained.out as string, /coppice-demo-2.retrained-model/);
    assert.ok((retrained.steps as number) > 0);
  });

  for (const args of [['score', '--criterion', 'greedy', '--count', '3'], ['demo']]) {
    it(`${args[0]}: Ctrl-C ends it with 130 and leaves nothing`, async () => {
      const cwd = temporaryFolder();
      const calibration = args[0] === 'score' ? ['--calibration', rows] : [];
      const all = [args[0], model, ...args.slice(1), ...calibration, '--json'];
      const { code, stdout, stderr } = await coppice(all, { cwd, interrupt: 'SIGINT' });
      assert.equal(code, 130, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /Cancelled\.\n$/);
      assert.deepEqual(readdirSync(cwd), []);
    });
  }

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
      '--no-plus',
      '--out',
      'out',
    ];
    const { code, stdout } = await coppice(args, { cwd, interrupt: 'SIGINT' });
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.deepEqual(readdirSync(cwd), []);
  });

  it('generate: ends quietly when nobody reads any more', async () => {
    const args = ['generate', model, '--ids', '5', '--max-new-tokens', '200', '--ignore-eos'];
    const { code, stderr } = await coppice(args, { closeStdout: true });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /error/);
  });
});

describeShared('command line: stories260K', function () {
  this.timeout(120_000);
  const model = shared('models/stories260K-f32');
  const golden = (name: string): Json => readJson(shared('golden/stories260K', name));
  before(buildCli);

  it('scores with the golden numbers', async () => {
    const expected = golden('importance.json') as {
      full: { meanNll: number };
      ppl: { blocks: { meanNll: number }[]; order: number[] };
    };
    const calibration = shared('golden/stories260K/calibration.json');
    const scored = jsonOf(await coppice(['score', model, '--calibration', calibration, '--json'])) as {
      full: { meanNll: number };
      blocks: { meanNll: number }[];
      order: number[];
    };
    assertClose(scored.full.meanNll, expected.full.meanNll, TOLERANCE.meanNll, 'full');
    scored.blocks.forEach(({ meanNll }, i) =>
      assertClose(meanNll, expected.ppl.blocks[i].meanNll, TOLERANCE.meanNll, `block ${i}`),
    );
    assert.deepEqual(scored.order, expected.ppl.order);
  });

  it('continues with the golden ids, whole and as a view', async () => {
    interface Continuation {
      promptIds: number[];
      ids: number[];
    }
    const expected = golden('greedy.json') as { removed: number[]; full: Continuation[]; pruned: Continuation[] };
    const continued = async ({ promptIds }: Continuation, count: number, ...args: string[]): Promise<unknown> => {
      const ids = ['--ids', promptIds.join(','), '--max-new-tokens', String(count), '--ignore-eos'];
      return jsonOf(await coppice(['generate', model, ...ids, ...args, '--json'])).ids;
    };
    const [full] = expected.full;
    const [pruned] = expected.pruned;
    assert.deepEqual(await continued(full, full.ids.length), full.ids);
    const remove = ['--remove', expected.removed.join(',')];
    assert.deepEqual(await continued(pruned, pruned.ids.length, ...remove), pruned.ids);
  });

  it('inspects the sound files with 0 and refuses the broken ones with 1', async () => {
    const folder = shared('data/bad-safetensors');
    const table = readFileSync(join(folder, 'EXPECTED.tsv'), 'utf8').trim().split('\n');
    const cases = table.map((line) => line.split('\t')).filter(([name]) => name.endsWith('.safetensors'));
    assert.ok(cases.length > 20);
    for (const [name, , verdict] of cases) {
      const { code, stdout, stderr } = await coppice(['inspect', join(folder, name), '--json']);
      const sound = verdict.startsWith('OK');
      assert.equal(code, sound ? 0 : 1, `${name}: ${stderr}`);
      assert.equal(stdout === '', !sound, name);
      if (!sound) assert.equal(stderr.trimEnd().split('\n').length, 3, name);
    }
  });
});
