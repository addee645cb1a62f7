/**
 * The other commands end to end: every one prints the object that it promises, exits as it says, and leaves nothing
 * behind when it is interrupted.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { partsOfReport } from '../support/report';
import { describeShared, full, itFull, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { buildCli, coppice, jsonOf, startCoppice } from '../support/built-cli';

describe('command line: end to end', function () {
  this.timeout('5m');
  let model: string;
  let rows: string;
  let text: string;

  before(() => {
    ({ model, rows, text } = makeCliMaterial());
  });

  it('inspect', async () => {
    const json = await run('inspect', model);
    const promised =
      'path format architecture blocks parameters bytes dtypes tied vocabulary hidden heads kvHeads headDim ffn context blockParameters';
    for (const key of sorted(promised)) assert.ok(key in json, key);
    assert.equal(json.blocks, 4);
    assert.equal((json.blockParameters as number[]).length, 4);
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

  itFull('demo: the whole way without a checkpoint, and says where everything is', async () => {
    const cwd = temporaryFolder();
    const page = await coppice(['demo'], { cwd });
    assert.equal(page.code, 0, page.stderr);
    assert.doesNotMatch(page.stderr, /--against/, 'advice for a command that nobody ran');
    const folder = join(cwd, 'coppice-demo');
    checkWholeWay(page.stdout, folder);
    const { results } = readJson(join(folder, 'comparison.json')) as { results: Record<string, Json> };
    const stages = [results.before, results.after, results.healed, results.retrained];
    const [before, after, healed, retrained] = stages.map(({ ppl }) => Number(ppl));
    assert.equal((results.removed as unknown as number[]).length, 3);
    assert.ok(before < after && healed < after && retrained < healed, `${before}, ${after}, ${healed}, ${retrained}`);
  });

  it('demo: with a checkpoint, it does not retrain', async () => {
    const cwd = temporaryFolder();
    const json = jsonOf(await coppice(['demo', model, '--count', '1', '--json'], { cwd }));
    assert.match(json.out as string, /coppice-demo.pruned-model/);
    assert.equal(json.retrained, null);
  });

  it('demo: with a checkpoint, it retrains when asked to, beside an earlier demo', async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'coppice-demo'));
    const page = await coppice(['demo', model, '--count', '1', '--calibration', text, '--retrain', text], { cwd });
    assert.equal(page.code, 0, page.stderr);
    assert.doesNotMatch(page.stderr, /--against/, 'advice for a command that nobody ran');
    const folder = join(cwd, 'coppice-demo-2');
    checkWholeWay(page.stdout, folder);
    const { results } = readJson(join(folder, 'comparison.json')) as { results: Record<string, Json> };
    assert.equal(results.retrained.out, join(folder, 'retrained-model'));
    assert.ok((results.retrained.steps as number) > 0);
  });

  // A toy trains in less time than lies between two lines of progress, so the heading tells that it begins.
  for (const [where, words, stream, moment, chapters] of [
    ['without a checkpoint it takes the sample model; Ctrl-C', [], 'onStderr', /sample|block/, ['1. Score']],
    ['Ctrl-C in its training', ['model'], 'onStdout', /4\. Retrain/, ['1. Score', '2. Prune', '3. Heal', '4. Retrain']],
  ] as const)
    it(`demo: ${where} leaves nothing`, async () => {
      const cwd = temporaryFolder();
      const given = words.length > 0 ? [model, '--count', '1', '--calibration', text, '--retrain', text] : [];
      const stopAt = (said: string): void => {
        if (moment.test(said)) demo.kill('SIGINT');
      };
      const demo = startCoppice(['demo', ...given], { cwd, [stream]: stopAt });
      const { code, stdout, stderr } = await demo.result;
      assert.equal(code, 130, stderr);
      for (const chapter of chapters) assert.ok(stdout.includes(chapter), chapter);
      assert.doesNotMatch(stdout, /5\. Compare/);
      assert.match(stderr, /Cancelled\.\n$/);
      assert.deepEqual(readdirSync(cwd), []);
    });

  it('score: Ctrl-C ends it with 130 and leaves nothing', async () => {
    const cwd = temporaryFolder();
    const score = ['score', model, '--criterion', 'greedy', '--count', '3', '--calibration', rows, '--json'];
    const { code, stdout, stderr } = await coppice(score, { cwd, interrupt: 'SIGINT' });
    assert.equal(code, 130, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /Cancelled\.\n$/);
    assert.deepEqual(readdirSync(cwd), []);
  });
});

/** A demo that retrained has every chapter, every file, and every part of the report. */
function checkWholeWay(page: string, folder: string): void {
  for (const word of ['1. Score', '2. Prune', '3. Heal', '4. Retrain', '5. Compare', 'Done in']) {
    assert.ok(page.includes(word), word);
  }
  const made = readdirSync(folder).filter((name) => !name.endsWith('.txt')); // the texts that it brings
  assert.deepEqual(made.sort(), [
    ...['comparison.json', 'curve-ppl.json', 'healed-model', 'pruned-model', 'report.html', 'retrained-model'],
    ...['scores-ppl.json', 'scores-taylor.json'],
  ]);
  assert.match(page, /^report\.html +charts of all results/m);
  assert.deepEqual(partsOfReport(readFileSync(join(folder, 'report.html'), 'utf8')), [
    ...['cost', 'curve', 'heal', 'quality', 'retrained', 'samples', 'score', 'training'],
  ]);
}

describeShared('command line: reference files', function () {
  this.timeout(120_000);
  before(buildCli);

  it('inspects the sound files with 0 and refuses the broken ones with 1', async () => {
    const folder = shared('data/bad-safetensors');
    const table = readFileSync(join(folder, 'EXPECTED.tsv'), 'utf8').trim().split('\n');
    const cases = table.map((line) => line.split('\t')).filter(([name]) => name.endsWith('.safetensors'));
    assert.ok(cases.length > 20);
    // What is wrong with each is in test/unit/formats/header.test.ts.
    for (const [name, , verdict] of full ? cases : cases.filter((_, i) => i % 3 === 0)) {
      const { code, stdout, stderr } = await coppice(['inspect', join(folder, name), '--json']);
      const sound = verdict.startsWith('OK');
      assert.equal(code, sound ? 0 : 1, `${name}: ${stderr}`);
      assert.equal(stdout === '', !sound, name);
      if (!sound) assert.equal(stderr.trimEnd().split('\n').length, 3, name);
    }
  });
});
