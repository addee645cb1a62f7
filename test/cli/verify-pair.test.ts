/** `coppice verify` of a folder with a model and its draft. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAIR_NAME } from '../../src/engine/draft/pair-file';
import { openCheckpoint, requireArchitecture } from '../../src/engine/checkpoint/open';
import { generate } from '../../src/engine/evaluate/generate';
import { withModel } from '../../src/engine/model/opened';
import { writePair } from '../../src/jobs/runs/draft-pair';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { contextOf } from '../support/pairs';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const PROMPT = [1, 9, 4];

/** A toy with its first block as a draft. */
async function pairFolder(): Promise<string> {
  const model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
  const checkpoint = await openCheckpoint(model);
  const blocks = requireArchitecture(checkpoint).layers.length;
  const { ids } = await withModel(checkpoint, {}, (opened) =>
    generate(opened, PROMPT, { maxNewTokens: 8, greedy: true, ignoreEos: true }),
  );
  const folder = temporaryFolder();
  const pair = {
    runtime: 'transformers',
    target: { checkpoint: model, type: 'stored' },
    draft: { checkpoint: model, remove: [blocks - 1], type: 'stored' },
    ...{ length: 2, threshold: 0, temperature: 0 },
    texts: [{ prompt: PROMPT, ids: [...ids], rounds: 8 }],
  } as const;
  await writePair(pair, folder, contextOf());
  return folder;
}

describe('coppice verify: pairs', function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    buildCli();
    folder = await pairFolder();
  });

  it('prints the texts, the passes and what was forecast', async () => {
    const { stdout: out, code } = await coppice(['verify', folder]);
    assert.equal(code, 0, out);
    assert.match(out, /pair +1 of 1 text the model’s own, in \d+ passes; 8 were forecast.* \(Coppice\)/);
    assert.match(out, /verified +yes: the texts are those of the model alone/);
    const json = jsonOf(await coppice(['verify', folder, '--json']));
    assert.deepEqual(Object.keys(json.pair as object).sort(), [
      'by',
      'forecastRounds',
      'rounds',
      'texts',
      'textsEqual',
    ]);
    assert.equal((json.verified as { passed: boolean }).passed, true);
  });

  it('refuses options that name a model', async () => {
    const { stderr: err, code } = await coppice(['verify', folder, '--remove', '1']);
    assert.notEqual(code, 0);
    assert.match(err, /--remove has no use here/);
  });

  it('fails where a file changed, and where the record leaves a model out', async () => {
    const changed = await pairFolder();
    appendFileSync(join(changed, 'draft', 'config.json'), ' ');
    const { stdout: out, code } = await coppice(['verify', changed]);
    assert.equal(code, 1);
    assert.match(out, /verified +no: draft\/config\.json changed since it was written/);

    const hostile = await pairFolder();
    const file = join(hostile, PAIR_NAME);
    const record = JSON.parse(readFileSync(file, 'utf8')) as { results: { files: { name: string }[] } };
    record.results.files = record.results.files.filter(({ name }) => !name.startsWith('draft/'));
    writeFileSync(file, JSON.stringify(record));
    const refused = await coppice(['verify', hostile]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /its record does not name draft/);

    record.results.files.push({ name: '../draft/config.json' });
    writeFileSync(file, JSON.stringify(record));
    const leading = await coppice(['verify', hostile]);
    assert.equal(leading.code, 1);
    assert.match(leading.stderr, /"\.\.\/draft\/config\.json", which is not in the folder/);
  });
});
