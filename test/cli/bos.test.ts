/** How rows begin, by command: as the toy's own tokenizer begins a text, or as the option says; and what is said of a bad choice. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coppice } from '../support/built-cli';
import { makeCliMaterial, readJson, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';
import { ownTinyCheckpoint } from '../support/tiny-models';

const DRAWN = ['--samples', '2', '--length', '16'];

describe('command line: begin-of-text token', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;
  let text: string;
  /** The same model with a tokenizer that puts no token before a text. */
  let bare: string;

  before(() => {
    ({ model, rows, text } = makeCliMaterial());
    bare = ownTinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const file = join(bare, 'tokenizer.json');
    writeFileSync(file, JSON.stringify({ ...(readJson(file) as object), post_processor: null }));
  });

  const losses = async (command: string, of: string, ...args: string[]): Promise<unknown> => {
    const json = await run(command, of, ...args);
    return 'full' in json ? json.full : json.meanNll;
  };

  it('auto is the model’s own way for scores and perplexities of both kinds of models', async () => {
    for (const args of [
      ['score', '--calibration', text, ...DRAWN],
      ['eval', '--text', text, '--window', '16', '--limit', '2'],
      ['eval', '--calibration', text, ...DRAWN],
    ]) {
      const [command, ...rest] = args;
      const of = (path: string, ...bos: string[]) => losses(command, path, ...rest, ...bos);
      const [auto, window, none] = [
        await of(model),
        await of(model, '--bos', 'window'),
        await of(model, '--bos', 'none'),
      ];
      assert.deepEqual(auto, window, command);
      assert.notDeepEqual(auto, none, command);
      assert.deepEqual([await of(bare), await of(bare, '--bos', 'window')], [none, window], command);
    }
  });

  it('the record says where the token was, and that this is usual; rows of ids have their own', async () => {
    const record = async (...args: string[]) => {
      const file = join(temporaryFolder(), 'record.json');
      await run(...(args as [string]), '--record', file);
      return readJson(file) as { results: { calibration: object; bos: string }; settings: object };
    };
    const scored = await record('score', model, '--calibration', text, ...DRAWN);
    const { source, sha256, ...calibration } = scored.results.calibration as Record<string, unknown>;
    assert.deepEqual(calibration, {
      samples: 2,
      length: 16,
      seed: 1234,
      method: 'documents',
      bos: 'window',
      usualBos: true,
    });
    const none = await record('score', model, '--calibration', text, ...DRAWN, '--bos', 'none');
    const { usualBos: _, ...rest } = calibration;
    assert.deepEqual(none.results.calibration, { ...rest, source, sha256, bos: 'none' });
    const evaluated = await record('eval', model, '--calibration', rows);
    assert.equal(evaluated.results.bos, 'given');
  });

  it('training examples and own text too', async () => {
    const folder = temporaryFolder();
    const args = [
      '--data',
      text,
      '--steps',
      '1',
      '--length',
      '16',
      '--batch',
      '1',
      '--held-out',
      '0',
      '--remove',
      '1',
      '--heal',
      'none',
    ];
    const trained = async (bos: string): Promise<object> => {
      const out = join(folder, bos);
      await run('retrain', model, ...args, '--out', out, '--bos', bos);
      const { settings } = JSON.parse(readFileSync(join(out, 'coppice.json'), 'utf8')) as {
        settings: { data: { bos: string; train: { tokens: number } } };
      };
      return settings.data;
    };
    const [auto, window, none] = [await trained('auto'), await trained('window'), await trained('none')];
    assert.deepEqual(auto, window);
    assert.notDeepEqual((none as { train: object }).train, (auto as { train: object }).train);
  });

  it('says in time that the model does not fit a text, and again where such scores are used', async () => {
    const scored = await coppice(['score', model, '--calibration', rows, '--json']);
    assert.match(scored.stderr, /The model does not fit th/); // its weights are random
    const { unfit } = JSON.parse(scored.stdout) as { unfit: { rows: number; ppl: number } };
    assert.ok(unfit.rows === 4 && unfit.ppl > 1, JSON.stringify(unfit));
    const scores = join(temporaryFolder(), 'scores.json');
    writeFileSync(scores, scored.stdout);
    const out = join(temporaryFolder(), 'out');
    const pruned = await coppice(['prune', model, '--scores', scores, '--count', '1', '--no-keep-ends', '--out', out]);
    assert.equal(pruned.code, 0, pruned.stderr);
    assert.match(pruned.stderr, /The scores are of a text that the model does not fit/);
  });

  it('refuses a token that the model does not have', async () => {
    const without = ownTinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    for (const name of ['tokenizer.json', 'config.json']) {
      const file = join(without, name);
      const json = { ...(readJson(file) as object), post_processor: null, bos_token_id: null };
      writeFileSync(file, JSON.stringify(json));
    }
    const { code, stderr } = await coppice(['eval', without, '--text', text, '--window', '16', '--bos', 'window']);
    assert.equal(code, 1);
    assert.match(stderr, /no begin-of-text token/);
    assert.match(stderr, /--bos auto/);
  });
});
