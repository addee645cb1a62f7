/** `coppice score`: the objects that it promises, criterion by criterion, on a toy checkpoint, and the golden numbers of stories260K. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { RunInput } from '../../src/engine/records/record';
import { scoreOf } from '../../src/jobs/digest/score';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { assertClose, TOLERANCE } from '../support/close';
import { randomRows } from '../support/random';
import { describeShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { buildCli, coppice, jsonOf } from '../support/built-cli';

const SAMPLE = resolve('media/sample');
const STORED = 'kinds criterion model full calibration seconds device peakRssBytes';
const SCORE = `${STORED} precision`;

/** What a record of perplexities holds, as far as it is looked at. */
interface Scored {
  readonly full: { readonly ppl: number; readonly rows: number[] };
  readonly blocks: {
    readonly index: number;
    readonly rows: number[];
    readonly pairedLow: number;
    readonly pairedHigh: number;
  }[];
}

describe('command line: score', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;

  before(() => {
    ({ model, rows } = makeCliMaterial());
  });

  it('score: a race, on its page and in JSON; prune says what is not certain of it', async () => {
    const sample = [SAMPLE, '--calibration', join(SAMPLE, 'calibration.txt'), '--samples', '20', '--length', '96'];
    const raced = ['score', ...sample, '--precision', 'float32', '--confidence', '0.99'];
    const { stdout: page } = await coppice(raced);
    assert.match(
      page,
      /\* estimated from the first 4(?: to \d+)? of 20 rows: \d blocks\nthat are not among the 4 least important \(99 % sure\)/,
    );
    const json = jsonOf(await coppice([...raced, '--json']));
    const { race, blocks } = json as unknown as {
      readonly race: {
        readonly confidence: number;
        readonly wanted: number;
        readonly dropped: number;
        readonly read: number;
      };
      readonly blocks: readonly { readonly low?: number; readonly readRows?: number }[];
    };
    const dropped = blocks.filter(({ readRows }) => readRows !== undefined);
    assert.deepEqual([race.confidence, race.wanted, race.dropped], [0.99, 4, dropped.length]);
    assert.ok(race.read < 1 && dropped.length > 0 && dropped.every(({ low }) => low === undefined));
    const scores = join(temporaryFolder(), 'scores.json');
    writeFileSync(scores, JSON.stringify(json));
    const out = (): string => join(temporaryFolder(), 'pruned');
    const prune = (count: string) =>
      coppice(['prune', SAMPLE, '--scores', scores, '--count', count, '--out', out(), '--no-keep-ends']);
    assert.match(
      (await prune('6')).stderr,
      /were chosen by a race, which reads some of their rows, and only the 4 least important/,
    );
    assert.doesNotMatch((await prune('4')).stderr, /race/);
    const all = await coppice([...raced.slice(0, -2), '--no-race']);
    assert.doesNotMatch(all.stdout, /\*/);
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
    assert.deepEqual(keys(json), sorted(`${SCORE} blocks order unfit`)); // random weights fit no text
    assert.deepEqual(keys(json.full), sorted('ppl meanNll tokens'));
    const blocks = json.blocks as Json[];
    assert.deepEqual(
      blocks.map(({ index }) => index),
      [0, 1, 2, 3],
    );
    assert.deepEqual(
      keys(blocks[0]),
      sorted('index score ppl meanNll low high pairedLow pairedHigh jointLow jointHigh precision'),
    );
    assert.deepEqual([...(json.order as number[])].sort(), [0, 1, 2, 3]);
    const written = readJson(record) as { results: Scored; settings: Json } & Json;
    assert.equal(written.schema, 1);
    assert.equal(written.kind, 'score');
    assert.equal(written.seed, 1234);
    assert.equal(written.results.blocks[0].rows.length, 4);
    const { full } = written.results;
    for (const { index, rows, pairedLow, pairedHigh } of written.results.blocks) {
      // Means of rows lie between their least and their largest difference, and the mean of all among them.
      const costs = rows.map((loss, row) => full.ppl * Math.exp(loss - full.rows[row])).sort((a, b) => a - b);
      assert.ok(costs[0] <= pairedLow && pairedHigh <= costs[3], `block ${index}: within what single rows say`);
      assert.deepEqual([blocks[index].pairedLow, blocks[index].pairedHigh], [pairedLow, pairedHigh]);
    }
    assert.equal(written.settings.memory, 1e9);
    for (const { name, place } of written.inputs as RunInput[]) {
      assert.ok(!name.includes('/') && !isAbsolute(place!), 'a name, and a place as seen from the record');
    }
  });

  it('score: modules in turn are written as the option that leaves them out, and rank no blocks', async () => {
    const record = join(temporaryFolder(), 'modules.json');
    const of = ['score', model, '--calibration', rows, '--criterion', 'greedy', '--granularity', 'module'];
    const inTurn = [...of, '--objective', 'kl', '--count', '1'];
    const found = await run(...inTurn, '--keep', '0', '--record', record);
    assert.deepEqual(keys(found), sorted(`${SCORE} objective cost leftOut removals unfit`));
    const removals = found.removals as { block: number; part: string; kl: number; saves: number }[];
    assert.deepEqual(keys(removals[0]), sorted('block part meanNll ppl kl saves'));
    assert.ok(removals.every(({ block }) => block !== 0));
    assert.deepEqual([found.cost, (readJson(record) as { settings: Json }).settings.granularity], ['bytes', 'module']);

    assert.equal(scoreOf(found).removals, undefined);

    // The last removal is the model without all of them.
    const parts = found.leftOut as (number | string)[];
    const left = await run('eval', model, '--calibration', rows, '--remove', parts.join(','), '--precision', 'float32');
    assert.ok(Math.abs(Number(left.ppl) / Number((removals.at(-1) as unknown as Json).ppl) - 1) < 1e-5);

    const { stdout } = await coppice([...inTurn, '--quiet']);
    const [, option] = /without all of them: (--remove \S+)/.exec(stdout)!;
    assert.equal((await coppice(['eval', model, '--calibration', rows, ...option.split(' '), '--quiet'])).code, 0);

    const maxKl = removals[0].kl;
    const limited = await run(
      ...of,
      '--objective',
      'kl',
      '--max-kl',
      String(maxKl),
      '--keep',
      '0',
      '--record',
      `${record}.2`,
    );
    const kept = limited.removals as typeof removals;
    assert.ok(kept.length >= 1 && kept.every(({ kl }) => kl <= maxKl));
    assert.equal((readJson(`${record}.2`) as { settings: Json }).settings.maxKl, maxKl);

    const refused = async (word: RegExp, ...args: string[]): Promise<void> => {
      const { code, stderr } = await coppice(args);
      assert.notEqual(code, 0);
      assert.match(stderr, word);
    };
    await refused(/--max-kl[^]*--objective ppl does not measure it/, ...of, '--max-kl', '1');
    const timed = await run(...inTurn, '--cost', 'time');
    assert.equal(timed.cost, 'time');
    assert.ok((timed.removals as { saves: number }[]).every(({ saves }) => saves > 0 && saves < 60));
    await refused(/--cost/, 'score', model, '--calibration', rows, '--cost', 'bytes');
    await refused(/needs a number of blocks/, ...of);
    await refused(/energy cannot score single modules/, ...of, '--criterion', 'energy', '--count', '1');
    const pruning = ['prune', ...of.slice(1), '--objective', 'kl', '--count', '1', '--keep', '0', '--no-keep-ends'];
    const chosen = await coppice([...pruning, '--dry-run', '--quiet']);
    assert.match(chosen.stdout, new RegExp(`KL divergence .* without them[^]*dry run[^]*--remove ${parts.join()}\n`));
    await refused(/no checkpoint is written with --granularity module[^]*--dry-run/, ...pruning, '--out', 'o');
    await refused(/init has no option --cost[^]*without one of them[^]*coppice score/, 'init', model, '--cost', 'time');
    const pruned = ['prune', model, '--scores', record, '--count', '1', '--no-keep-ends', '--dry-run'];
    const named = parts.every((part) => typeof part === 'number') ? 'blocks' : 'remove';
    await refused(new RegExp(`single modules[^]*--${named} ${parts.join()}`), ...pruned);
  });

  it('score: search among modules gives a set as the option that leaves it out, and ranks no blocks', async () => {
    const of = ['score', model, '--calibration', rows, '--criterion', 'search', '--granularity', 'module'];
    const searching = [...of, '--count', '1', '--generations', '2', '--remove', '1'];
    const found = await run(...searching);
    assert.deepEqual(keys(found), sorted(`${SCORE} cost leftOut moduleSearch removed`));
    const { removed, saves, kl, start } = found.moduleSearch as Json & { removed: (number | string)[]; start: Json };
    assert.ok(Number(saves) > 0 && Number(kl) <= Number(start.kl));
    assert.ok(removed.length > 0);
    const set = found.leftOut as (number | string)[];
    assert.deepEqual(new Set(set), new Set([1, ...removed]));
    const left = await run('eval', model, '--calibration', rows, '--remove', set.join(','), '--precision', 'float32');
    assert.ok(Math.abs(Number(left.ppl) / Number((found.moduleSearch as Json).ppl) - 1) < 1e-5);
    assert.equal(scoreOf(found).set, undefined);
    const { stdout } = await coppice([...searching, '--quiet']);
    assert.match(stdout, new RegExp(`without all of them: --remove ${set.join()}\n.*no checkpoint is written`));
  });

  it('score: modules, windows, removals, and what needs no text', async () => {
    const modules = await run('score', model, '--calibration', rows, '--granularity', 'module');
    assert.deepEqual(keys(modules), sorted(`${SCORE} modules order unfit`));
    const [first] = modules.modules as Json[];
    for (const key of sorted('block part score ppl meanNll')) assert.ok(key in first, key);
    assert.deepEqual(keys((modules.order as Json[])[0]), ['block', 'part']);

    const divergence = ['score', model, '--calibration', rows, '--criterion', 'kl', '--remove', '1'];
    const moved = await run(...divergence);
    assert.deepEqual(keys(moved.full), sorted('ppl meanNll kl tokens'));
    const numbers = 'index score ppl meanNll kl low high pairedLow pairedHigh jointLow jointHigh precision';
    assert.deepEqual(keys((moved.blocks as Json[])[0]), sorted(numbers));
    assert.deepEqual(
      keys(await run(...divergence, '--granularity', 'module')),
      sorted(`${SCORE} removed modules order`),
    );

    const angular = await run('score', model, '--calibration', rows, '--criterion', 'angular');
    assert.deepEqual(keys(angular), sorted(`${SCORE} windows unfit`));
    assert.deepEqual(keys((angular.windows as Json[])[0]), ['score', 'size', 'start']);

    const greedy = await run('score', model, '--calibration', rows, '--criterion', 'greedy', '--count', '2');
    assert.deepEqual(keys(greedy), sorted(`${SCORE} objective removals unfit`));
    assert.equal((greedy.removals as Json[]).length, 2);
    assert.deepEqual(keys((greedy.removals as Json[])[0]), sorted('block meanNll ppl'));
    const [{ block }] = greedy.removals as { block: number }[];
    const without = ['--calibration', rows, '--criterion', 'greedy', '--count', '2', '--keep', String(block)];
    const { removals } = (await run('score', model, ...without)) as unknown as { removals: { block: number }[] };
    assert.ok(removals.length === 2 && !removals.some((removal) => removal.block === block));

    const record = join(temporaryFolder(), 'kl.json');
    const byKl = ['--criterion', 'greedy', '--objective', 'kl', '--count', '1', '--record', record];
    const kl = await run('score', model, '--calibration', rows, ...byKl);
    assert.deepEqual(keys((kl.removals as Json[])[0]), sorted('block meanNll ppl kl'));
    const { settings } = readJson(record) as { settings: Json };
    assert.deepEqual([kl.objective, settings.objective], ['kl', 'kl']);

    const influence = await run('score', model, '--calibration', rows, '--criterion', 'block-influence');
    assert.deepEqual(keys((influence.blocks as Json[])[0]), ['index', 'score']);

    const taylor = await run('score', model, '--calibration', rows, '--criterion', 'taylor');
    assert.deepEqual(keys(taylor), sorted(`${SCORE} blocks order tensors unfit`));
    assert.deepEqual(keys(taylor.full), sorted('ppl meanNll tokens'));
    assert.deepEqual(keys((taylor.tensors as Json[])[0]), sorted('block name score'));
    const many = join(temporaryFolder(), 'many.json');
    writeFileSync(many, JSON.stringify({ rows: randomRows(24, 64, 256, 3) }));
    const beyond = await run('score', model, '--calibration', many, '--criterion', 'taylor', '--memory', '1MB');
    assert.equal(beyond.temporaryBytes, 5 * 24 * 64 * 64 * 4, 'states before each block and after the last');

    for (const criterion of ['magnitude', 'deepest']) {
      const json = await run('score', model, '--criterion', criterion);
      assert.deepEqual(keys(json), sorted(`${STORED} blocks order`));
      assert.equal(json.full, null);
      assert.equal(json.calibration, null);
    }
  });

  it('score: a view has scores for what is left of it', async () => {
    const none = await coppice(['score', model, '--calibration', rows, '--remove', '0-3']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no block to score/);
    const json = await run('score', model, '--calibration', rows, '--remove', '1');
    assert.deepEqual(
      (json.blocks as Json[]).map(({ index }) => index),
      [0, 2, 3],
    );
    assert.deepEqual(json.removed, [1]);
  });
});

describeShared('command line: score stories260K', function () {
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

  it('scores by Taylor with the golden numbers, tensor by tensor', async () => {
    interface Tensor {
      block: number;
      name: string;
      score: number;
    }
    const { full, taylor } = golden('importance.json') as {
      full: { meanNll: number };
      taylor: { tensors: Tensor[]; blocks: number[]; order: number[] };
    };
    const calibration = shared('golden/stories260K/calibration.json');
    const args = ['score', model, '--criterion', 'taylor', '--calibration', calibration, '--json'];
    const scored = jsonOf(await coppice(args)) as {
      full: { meanNll: number; tokens: number };
      blocks: { score: number }[];
      order: number[];
      tensors: Tensor[];
    };
    assertClose(scored.full.meanNll, full.meanNll, TOLERANCE.meanNll, 'full');
    assert.equal(scored.full.tokens, 10 * 95);
    assert.deepEqual(scored.order, taylor.order);
    assert.equal(scored.tensors.length, taylor.tensors.length);
    for (const { block, name, score } of taylor.tensors) {
      const found = scored.tensors.find((tensor) => tensor.block === block && tensor.name === name);
      assertClose(found?.score ?? NaN, score, TOLERANCE.taylor, `block ${block}: ${name}`);
    }
    scored.blocks.forEach(({ score }, i) => assertClose(score, taylor.blocks[i], TOLERANCE.taylor, `block ${i}`));
  });
});
