/** The original of a written model: found by name and identity beside it, through several runs, and nowhere else. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { originalOf } from '../../../src/engine/records/original';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

/** A copy of a toy; with a record of the run that made it, if a parent is given. */
async function model(
  folder: string,
  seed: number,
  parent?: { readonly name: string; readonly identity: string },
  kind = 'prune',
) {
  cpSync(tinyCheckpoint('llama-plain', { seed }), folder, { recursive: true });
  if (parent) {
    const inputs = [{ role: 'model', ...parent }];
    const record = newRecord({ kind, inputs, settings: {}, results: { removed: [1] }, started: new Date() });
    writeFileSync(join(folder, 'coppice.json'), recordText(record));
  }
  return openCheckpoint(folder);
}

describe('the original of a written model', () => {
  it('is the oldest ancestor that lies beside it', async () => {
    const folder = temporaryFolder();
    const { identity } = await model(join(folder, 'whole'), 1);
    const pruned = await model(join(folder, 'pruned'), 2, { name: 'org/whole', identity });
    const merged = await model(join(folder, 'merged'), 3, { name: 'pruned', identity: pruned.identity }, 'merge');
    const found = await originalOf(merged);
    assert.deepEqual([found?.name, found?.checkpoint?.folder], ['org/whole', join(folder, 'whole')]);
    assert.equal(await originalOf(await openCheckpoint(join(folder, 'whole'))), undefined);
  });

  it('is named but not found if it is elsewhere, has changed, or its own original is missing', async () => {
    const folder = temporaryFolder();
    const { identity } = await model(join(folder, 'whole'), 1);
    const changed = await model(join(folder, 'a'), 2, { name: 'whole', identity: `${identity.slice(1)}0` });
    assert.deepEqual(await originalOf(changed), { name: 'whole' });
    mkdirSync(join(folder, 'elsewhere'));
    const away = await model(join(folder, 'elsewhere', 'b'), 3, { name: 'whole', identity });
    assert.deepEqual(await originalOf(away), { name: 'whole' });
    assert.equal((await originalOf(away, [folder]))?.checkpoint?.identity, identity);
    const child = await model(join(folder, 'elsewhere', 'c'), 4, { name: 'b', identity: away.identity });
    assert.deepEqual(await originalOf(child), { name: 'whole' });
  });

  it('never follows a path in a name, nor a circle of records', async () => {
    const folder = temporaryFolder();
    const { identity } = await model(join(folder, 'whole'), 1);
    mkdirSync(join(folder, 'inner'));
    for (const name of ['../whole', '..', '']) {
      const made = await model(join(folder, 'inner', 'made'), 2, { name, identity });
      assert.equal((await originalOf(made))?.checkpoint, undefined, name);
    }
    const a = await openCheckpoint(tinyCheckpoint('llama-plain', { seed: 6 }));
    const self = await model(join(folder, 'self'), 6, { name: 'self', identity: a.identity });
    assert.equal((await originalOf(self))?.checkpoint?.identity, a.identity);
  });
});
