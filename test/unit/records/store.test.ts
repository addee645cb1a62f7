/** The folder of runs: several writers, damaged and later records, deleting. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { claimRecordFolder, keepRecord } from '../../../src/engine/records/folder';
import { partWords } from '../../../src/engine/records/part';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { RunStore } from '../../../src/jobs/record-store';
import { temporaryFolder } from '../../support/temporary';
import { curveRecord, scoreRecord } from '../../support/records';

describe('run store', () => {
  it('lists what several writers put there at once, newest first', async () => {
    const folder = temporaryFolder();
    const store = new RunStore(folder);
    const records = Array.from({ length: 40 }, (_, i) =>
      scoreRecord({ started: new Date(Date.UTC(2026, 3, 1, 9, i)) }),
    );
    const writing = Promise.all(records.map((record) => keepRecord(folder, record)));
    const during = await store.list(); // whatever is there is whole
    assert.deepEqual(during.unreadable, []);
    await writing;
    const { runs, unreadable } = await store.list();
    assert.equal(runs.length, 40);
    assert.deepEqual(unreadable, []);
    const started = runs.map(({ digest }) => digest.started);
    assert.deepEqual(started, [...started].sort().reverse());
  });

  it('tells truncated records and those of a later version apart, and leaves them alone', async () => {
    const folder = temporaryFolder();
    await keepRecord(folder, scoreRecord());
    await writeFile(join(folder, 'truncated.json'), recordText(scoreRecord()).slice(0, 200));
    await writeFile(join(folder, 'future.json'), recordText({ ...scoreRecord(), schema: 2 } as never));
    await writeFile(join(folder, 'notes.txt'), 'not a record');
    const { runs, unreadable } = await new RunStore(folder).list();
    assert.equal(runs.length, 1);
    const why = new Map(unreadable.map((run) => [run.id, run.why]));
    assert.match(why.get('truncated.json')!, /not JSON/);
    assert.match(why.get('future.json')!, /schema is 2/);
    assert.equal((await readdir(folder)).length, 4);
  });

  it('keeps none where a link in .coppice leads', async () => {
    const [repo, elsewhere, own] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
    symlinkSync(elsewhere, join(repo, '.coppice'), 'junction');
    assert.equal(await claimRecordFolder([join(repo, '.coppice', 'runs'), own], []), own);
    await assert.rejects(claimRecordFolder([join(repo, '.coppice', 'runs')], []), /\.coppice is a link/);
    assert.deepEqual(await readdir(elsewhere), []);
  });

  it('lists no file that a link leads to', async () => {
    const [place, elsewhere] = [temporaryFolder(), temporaryFolder()];
    const file = await keepRecord(elsewhere, scoreRecord());
    await mkdir(join(place, '.coppice'));
    symlinkSync(elsewhere, join(place, '.coppice/runs'));
    assert.deepEqual(await new RunStore(join(place, '.coppice/runs')).list(), { runs: [], unreadable: [] });
    const own = temporaryFolder();
    await keepRecord(own, scoreRecord());
    symlinkSync(file, join(own, '20990101T000000Z-score-000000.json'));
    assert.equal((await new RunStore(own).list()).runs.length, 1);
  });

  it('leaves parts and their progress out: only the whole can be shown', async () => {
    const folder = temporaryFolder();
    const part = { ...scoreRecord(), kind: 'part', results: { part: { job: 'score', number: 1, of: 2 } } };
    await writeFile(join(folder, 'part-1.json'), recordText(part));
    await writeFile(join(folder, 'part-2.json.progress'), '{}');
    await writeFile(join(folder, 'whole.json'), recordText(scoreRecord()));
    const store = new RunStore(folder);
    for (const time of ['first', 'from memory']) {
      const { runs, unreadable } = await store.list();
      assert.deepEqual([runs.map(({ id }) => id), unreadable], [['whole.json'], []], time);
    }
    await writeFile(join(folder, 'part-1.json'), recordText(curveRecord())); // now a whole run
    assert.equal((await store.list()).runs.length, 2);
    assert.equal(partWords(part), 'part 1 of 2 of a score');
    assert.equal(partWords({ ...part, results: {} }), 'a part of a run');
    assert.equal(partWords({ ...part, results: { part: { job: '__proto__' } } }), 'a part of a run');
    assert.equal(partWords(scoreRecord()), undefined);
  });

  it('reads a file again when it is written to', async () => {
    const folder = temporaryFolder();
    const store = new RunStore(folder);
    await writeFile(join(folder, 'a.json'), recordText(scoreRecord()));
    assert.equal((await store.list()).runs[0].digest.kind, 'score');
    await writeFile(join(folder, 'a.json'), recordText(curveRecord()));
    assert.equal((await store.list()).runs[0].digest.kind, 'curve');
  });

  it('deletes runs of its folder only', async () => {
    const folder = temporaryFolder();
    const store = new RunStore(folder);
    await keepRecord(folder, scoreRecord());
    const [{ id }] = (await store.list()).runs;
    await assert.rejects(store.remove(['../x.json']), UserError);
    await store.remove([id, id]);
    assert.deepEqual((await store.list()).runs, []);
  });

  it('holds nothing where there is no folder', async () => {
    assert.deepEqual(await new RunStore('/nowhere/at/all').list(), { runs: [], unreadable: [] });
  });

  it('digests a record of a kind that it does not know', async () => {
    const folder = temporaryFolder();
    await keepRecord(
      folder,
      newRecord({ kind: 'other', inputs: [], settings: {}, results: { x: 1 }, started: new Date() }),
    );
    const [{ digest }] = (await new RunStore(folder).list()).runs;
    assert.equal(digest.kind, 'other');
    assert.equal(digest.score, undefined);
  });
});
