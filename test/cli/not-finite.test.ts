/** Numbers that are none: every command says so and names where they begin, and nothing is chosen by them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { writeAdapter } from '../../src/engine/adapter/files';
import type { Criterion } from '../../src/engine/importance/criteria';
import { stringifyJson } from '../../src/format/json';
import type { GivenFor } from '../../src/jobs/kinds';
import { randomAdapter } from '../support/adapters';
import { brokenCheckpoint } from '../support/broken';
import { type Json, makeCliMaterial } from '../support/cli';
import { FITS_NOTHING, withoutFitWarning } from '../support/fit-warning';
import { runOn } from '../support/jobs';
import { refused } from '../support/retraining';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { coppice, jsonOf } from '../support/built-cli';

const EMBEDDING = 'model.embed_tokens.weight';
const DOWN = 'model.layers.2.mlp.down_proj.weight';
const MEASURED = ['ppl', 'kl', 'taylor', 'block-influence', 'angular', 'greedy', 'healed'] as const;

describe('command line: numbers that are none', function () {
  this.timeout(120_000);
  let rows: string;
  let text: string;
  before(() => {
    ({ rows, text } = makeCliMaterial());
  });

  const scoreArguments = (criterion: string): string[] => [
    ...['--calibration', rows, '--criterion', criterion],
    ...(['greedy', 'healed'].includes(criterion) ? ['--count', '1'] : []),
  ];

  /** The same for a job in this process. */
  const job = (checkpoint: string, criterion: Criterion): GivenFor<'score'> => ({
    ...{ checkpoint, calibration: rows, criterion },
    ...(['greedy', 'healed'].includes(criterion) ? { count: 1 } : {}),
  });

  /** Element of the embedding of a token that the rows have. */
  const embedded = (): number => {
    const { rows: ids } = JSON.parse(readFileSync(rows, 'utf8')) as { rows: number[][] };
    return ids[0][3] * 64 + 5;
  };

  it('score: every criterion names the place', async () => {
    const places = [
      [await brokenCheckpoint(EMBEDDING, [embedded()], NaN), 'after the embedding'],
      [await brokenCheckpoint(DOWN, [7], NaN), 'after block 2'],
      [await brokenCheckpoint(DOWN, [7], Infinity), 'after block 2', ['ppl']],
    ] as const;
    for (const [model, place, criteria = MEASURED] of places) {
      for (const criterion of criteria) {
        const { warnings } = await runOn('score', job(model, criterion));
        assert.match(warnings.join('\n'), new RegExp(`hidden states are not finite ${place}`), criterion);
      }
    }
  });

  it('score: warns on stderr, JSON stays as it is, and a page has no bars', async () => {
    const model = await brokenCheckpoint(EMBEDDING, [embedded()], NaN);
    for (const criterion of ['ppl', 'kl', 'greedy']) {
      const result = await coppice(['score', model, ...scoreArguments(criterion), '--json']);
      assert.match(result.stderr, /warning: .*hidden states are not finite after the embedding/, criterion);
      const { ppl, meanNll } = jsonOf(result).full as Json;
      assert.deepEqual([ppl, meanNll], ['NaN', 'NaN'], criterion);
    }
    const page = await coppice(['score', model, ...scoreArguments('ppl')]);
    assert.doesNotMatch(page.stdout, /least important first|may cost nothing/);
    assert.doesNotMatch(page.stdout, /NaN.*█/, 'a score that is not a number has no bar');
    assert.match((await coppice(['score', model, ...scoreArguments('ppl'), '--quiet'])).stderr, /not finite/);
  });

  it('score: modules, a view, a head that breaks them, and a weight that no text is needed for', async () => {
    const model = await brokenCheckpoint(DOWN, [7], NaN);
    const modules = await coppice(['score', model, ...scoreArguments('ppl'), '--granularity', 'module']);
    assert.match(modules.stderr, /after block 2/);
    const view = await coppice(['score', model, ...scoreArguments('ppl'), '--remove', '2']);
    assert.deepEqual([view.stderr.includes('warning'), view.stdout.includes('least important first')], [false, true]);
    const head = await brokenCheckpoint('lm_head.weight', [9], NaN);
    assert.match((await coppice(['score', head, ...scoreArguments('ppl')])).stderr, /finite, but the logits/);
    const magnitude = await coppice(['score', model, '--criterion', 'magnitude']);
    assert.match(magnitude.stderr, new RegExp(`score.* block 2 .*not finite \\(NaN\\): .*${DOWN}`));
  });

  it('prune: refuses by a criterion and by a file, and writes nothing', async () => {
    const model = await brokenCheckpoint(EMBEDDING, [embedded()], NaN);
    const scores = join(temporaryFolder(), 'scores.json');
    const out = join(temporaryFolder(), 'out');
    for (const criterion of MEASURED) {
      const choice = { checkpoint: model, count: 1, keepEnds: false, out };
      const { result } = await runOn('score', job(model, criterion));
      writeFileSync(scores, stringifyJson(result));
      for (const source of [{ criterion, calibration: rows }, { scores }]) {
        await refused(runOn('prune', { ...choice, ...source }), /^these scores cannot choose blocks: .*NaN/);
        assert.ok(!existsSync(out), criterion);
      }
    }
    const choice = ['--count', '1', '--no-keep-ends', '--out', out];
    writeFileSync(scores, (await coppice(['score', model, ...scoreArguments('ppl'), '--json'])).stdout);
    const { code, stderr } = await coppice(['prune', model, '--scores', scores, ...choice]);
    assert.equal(code, 1);
    assert.match(stderr, /error: these scores cannot choose blocks\n {2}why: .*NaN/);
    assert.ok(!existsSync(out));
  });

  it('prune: takes blocks whose own scores are finite, and warns of the others', async () => {
    const model = await brokenCheckpoint(DOWN, [7], NaN);
    const out = join(temporaryFolder(), 'out');
    const magnitude = ['--criterion', 'magnitude', '--no-keep-ends', '--out', out];
    const three = await coppice(['prune', model, ...magnitude, '--count', '3']);
    assert.equal(three.code, 0, three.stderr);
    assert.match(three.stderr, /warning: the scores of block 2 are not finite/);
    const scores = join(temporaryFolder(), 'scores.json');
    writeFileSync(scores, (await coppice(['score', model, '--criterion', 'magnitude', '--json'])).stdout);
    const read = await coppice([
      'prune',
      model,
      '--scores',
      scores,
      '--no-keep-ends',
      '--count',
      '3',
      '--out',
      `${out}-2`,
    ]);
    assert.equal(read.code, 0, read.stderr);
    assert.match(read.stderr, /warning: the scores of block 2 are not finite/);
    const byHand = await coppice(['prune', model, '--blocks', '2', '--out', join(temporaryFolder(), 'out')]);
    assert.equal(byHand.code, 0, 'a block that is named needs no scores');
  });

  it('curve: refuses an order that is none, and warns of points', async () => {
    const model = await brokenCheckpoint(EMBEDDING, [embedded()], NaN);
    const measure = ['--calibration', rows, '--no-keep-ends'];
    const { code, stderr } = await coppice(['curve', model, ...measure]);
    assert.deepEqual([code, stderr.includes('cannot choose blocks')], [1, true]);
    const deepest = await coppice(['curve', model, ...measure, '--criterion', 'deepest', '--json']);
    assert.match(deepest.stderr, /warning: .*after the embedding/);
    assert.equal((jsonOf(deepest).points as Json[])[0].ppl, 'NaN');
  });

  it('eval, and an adapter whose numbers overflow', async () => {
    const model = await brokenCheckpoint(DOWN, [7], NaN);
    const broken = await coppice(['eval', model, '--text', text, '--limit', '2', '--json']);
    assert.match(broken.stderr, /warning: the mean loss of the model on this text is NaN: .*after block 2/);
    assert.deepEqual(Object.keys(jsonOf(broken)).includes('warning'), false);

    const whole = tinyCheckpoint('llama-plain', { tokenizer: true });
    const adapter = join(temporaryFolder(), 'adapter');
    const checkpoint = await openCheckpoint(whole);
    await writeAdapter(adapter, randomAdapter(checkpoint.architecture!, { alpha: 1e308 }), checkpoint);
    for (const args of [
      ['eval', whole, '--adapter', adapter, '--text', text, '--limit', '2'],
      ['score', whole, '--adapter', adapter, '--calibration', rows],
    ]) {
      assert.match((await coppice(args)).stderr, /not finite after block 0/, args[0]);
    }
    const { code, stderr } = await coppice(['generate', whole, '--adapter', adapter, '--ids', '3,4']);
    assert.deepEqual([code, stderr.includes('logits are not finite')], [1, true]);
  });

  it('retrain: says that the loss is no number before the first step, and leaves nothing', async () => {
    const model = await brokenCheckpoint(DOWN, [7], NaN);
    const out = join(temporaryFolder(), 'adapter');
    const { code, stderr } = await coppice(['retrain', model, '--data', text, '--out', out, '--steps', '1']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Training stopped at step 0\n.*the held-out part is NaN before the first step/);
    assert.equal(existsSync(out), false);
  });

  it('hidden states of zeros have no direction', async () => {
    const token = Math.floor(embedded() / 64);
    const zeros = Array.from({ length: 64 }, (_, i) => token * 64 + i);
    const model = await brokenCheckpoint(EMBEDDING, zeros, 0);
    const { rows: ids } = JSON.parse(readFileSync(rows, 'utf8')) as { rows: number[][] };
    for (const criterion of ['block-influence', 'angular']) {
      const result = await coppice(['score', model, ...scoreArguments(criterion), '--json']);
      const { blocks, windows } = jsonOf(result);
      for (const { score } of (blocks ?? windows) as Json[]) assert.ok(typeof score === 'number', criterion);
      if (criterion === 'angular') continue;
      // Before the first block at every such token; after each, where nothing else was before it in its row.
      const states = ids.map((row) => {
        const other = row.findIndex((id) => id !== token);
        return (
          row.filter((id) => id === token).length + (blocks as Json[]).length * (other === -1 ? row.length : other)
        );
      });
      const count = states.reduce((sum, each) => sum + each, 0);
      assert.match(result.stderr, new RegExp(`warning: ${count} hidden states are all zeros`));
    }
  });

  it('nothing is said of a model that is whole', async () => {
    const model = tinyCheckpoint('llama-plain', { tokenizer: true });
    for (const criterion of [...MEASURED, 'magnitude', 'deepest'] as const) {
      const { warnings } = await runOn('score', job(model, criterion));
      assert.deepEqual(
        warnings.filter((warning) => !warning.startsWith(FITS_NOTHING)),
        [],
        criterion,
      );
    }
    for (const words of [
      ['score', model, ...scoreArguments('ppl')],
      ['eval', model, '--text', text, '--limit', '2'],
      ['curve', model, '--calibration', rows, '--no-keep-ends'],
    ]) {
      assert.doesNotMatch(withoutFitWarning((await coppice(words)).stderr), /warning/, words[0]);
    }
  });

  it('curve and greedy say when there is nothing to remove, or less than was asked for', async () => {
    const model = tinyCheckpoint('llama-plain', { tokenizer: true });
    const calibration = ['--calibration', rows];
    const curve = await coppice(['curve', model, ...calibration, '--json']);
    assert.match(curve.stderr, /warning: no block can be removed: all 4 are kept \(--no-keep-ends/);
    assert.equal((jsonOf(curve).points as Json[]).length, 1);
    const short = await coppice(['curve', model, ...calibration, '--no-keep-ends', '--keep', '0,1', '--most', '3']);
    assert.match(short.stderr, /warning: the curve ends at 2 removed blocks: the other 2 are kept/);
    const greedy = ['score', model, ...calibration, '--criterion', 'greedy', '--count', '2', '--keep'];
    assert.match((await coppice([...greedy, '0-3'])).stderr, /warning: greedy removes nothing: every block is kept/);
    assert.match((await coppice([...greedy, '0-2'])).stderr, /warning: greedy removes 1 of 2 blocks/);
  });
});
