/**
 * The other commands end to end: every one prints the object that it promises, exits as it says, and leaves nothing
 * behind when it is interrupted.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { partsOfReport } from '../support/report';
import { describeShared, shared } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { buildCli, coppice, jsonOf } from '../support/built-cli';

describe('command line: end to end', function () {
  this.timeout(120_000);
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

  it('demo: the whole way without a checkpoint, and says where everything is', async () => {
    const cwd = temporaryFolder();
    const page = await coppice(['demo'], { cwd });
    assert.equal(page.code, 0, page.stderr);
    for (const word of ['1. Score', '2. Prune', '3. Heal', '4. Retrain', '5. Compare', 'Done in']) {
      assert.ok(page.stdout.includes(word), word);
    }
    const folder = join(cwd, 'coppice-demo');
    assert.deepEqual(readdirSync(folder).sort(), [
      ...['comparison.json', 'curve-ppl.json', 'healed-model', 'pruned-model', 'report.html', 'retrained-model'],
      ...['scores-ppl.json', 'scores-taylor.json'],
    ]);
    assert.match(page.stdout, /^report\.html +charts of all results/m);
    assert.deepEqual(partsOfReport(readFileSync(join(folder, 'report.html'), 'utf8')), [
      ...['cost', 'curve', 'heal', 'quality', 'retrained', 'samples', 'score', 'training'],
    ]);
    const { results } = readJson(join(folder, 'comparison.json')) as { results: Record<string, Json> };
    const stages = [results.before, results.after, results.healed, results.retrained];
    const [before, after, healed, retrained] = stages.map(({ ppl }) => Number(ppl));
    assert.equal((results.removed as unknown as number[]).length, 3);
    assert.ok(before < after && healed < after && retrained < healed, `${before}, ${after}, ${healed}, ${retrained}`);
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
});

describeShared('command line: reference files', function () {
  this.timeout(120_000);
  before(buildCli);

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
