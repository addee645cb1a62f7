/** Where a run keeps its state: one process at a time, and what a dead one left is gone on with at once. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openCheckpoint } from '../../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../../src/engine/checkpoint/types';
import { UserError } from '../../../../src/engine/errors';
import { IterateWorkspace } from '../../../../src/engine/iterate/workspace';
import { releaseLock, takeLock } from '../../../../src/engine/retrain/loop/lock';
import { Workspace } from '../../../../src/engine/retrain/loop/workspace';
import { temporaryFolder } from '../../../support/temporary';
import { tinyCheckpoint } from '../../../support/tiny-models';

const refused = (work: Promise<unknown>, words: RegExp): Promise<void> =>
  assert.rejects(work, (error) => error instanceof UserError && words.test(`${error.why}. ${error.action}`));

describe('retrain/workspace', () => {
  const place = (): string => join(temporaryFolder(), 'out');
  let source: Checkpoint;
  before(async () => {
    source = await openCheckpoint(tinyCheckpoint('llama-plain'));
  });

  it('is nobody else’s while a run is under way, and leaves nothing', async () => {
    const out = place();
    const mine = await Workspace.open(out, source, false);
    for (const resume of [false, true]) {
      await refused(Workspace.open(out, source, resume), new RegExp(`process ${process.pid} is training it`));
    }
    await mine.leave();
    assert.ok(!existsSync(mine.folder));
    await (await Workspace.open(out, source, false)).leave();
  });

  it('is no link: that would lead into a folder of someone else', async () => {
    for (const [name, open] of [
      ['training', (out: string, resume: boolean) => Workspace.open(out, source, resume)],
      ['iterate', (out: string, resume: boolean) => IterateWorkspace.open(out, source, resume)],
    ] as const) {
      const out = place();
      const theirs = temporaryFolder();
      writeFileSync(join(theirs, 'weights-1.safetensors'), 'theirs');
      symlinkSync(theirs, `${out}.${name}`, 'junction');
      for (const resume of [false, true]) await refused(open(out, resume), /it is a link/);
      assert.deepEqual(readdirSync(theirs), ['weights-1.safetensors']);
    }
  });

  it('a state is gone on with or removed; text alone is used by whoever comes', async () => {
    const out = place();
    const first = await Workspace.open(out, source, false);
    writeFileSync(first.selfData, '{}');
    await first.leave();
    const second = await Workspace.open(out, source, false);
    assert.equal(second.found, false);
    writeFileSync(second.state, '');
    await second.leave();
    await refused(Workspace.open(out, source, false), /--resume.*remove that folder or name another --out/);
    const third = await Workspace.open(out, source, true);
    assert.equal(third.found, true);
    await third.forget();
    await third.leave();
    assert.ok(existsSync(third.selfData) && !existsSync(third.state));
    const last = await Workspace.open(out, source, false);
    await last.clear();
    await last.leave();
    assert.ok(!existsSync(last.folder));
  });
});

describe('retrain/lock', () => {
  const place = (): string => join(temporaryFolder(), 'lock');

  it('waits for no pipe in its place', async function () {
    if (process.platform === 'win32') this.skip();
    const path = place();
    execFileSync('mkfifo', [path]);
    await assert.rejects(takeLock(path), { name: 'UserError', why: /it is a pipe/ });
  });
  const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid;

  it('of another process that lives is respected, also when it was written without a birth', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const path = place();
    writeFileSync(path, `${child.pid} `);
    assert.equal(await takeLock(path), child.pid);
    assert.equal(readFileSync(path, 'utf8'), `${child.pid} `);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await takeLock(path), undefined);
    await releaseLock(path);
    assert.ok(!existsSync(path));
  });

  it('of one that is gone is taken over, whatever it says', async () => {
    for (const content of [`${gone()} 123`, `${gone()} `, '', 'nonsense', '0 1']) {
      const path = place();
      writeFileSync(path, content);
      assert.equal(await takeLock(path), undefined, content);
      assert.equal(await takeLock(path), process.pid);
      await releaseLock(path);
    }
  });

  if (process.platform === 'linux') {
    it('of one whose number is another’s now is taken over', async () => {
      const path = place();
      writeFileSync(path, `${process.ppid} 1`);
      assert.equal(await takeLock(path), undefined);
      await releaseLock(path);
    });
  }

  it('in a folder that is not there fails', async () => {
    const path = join(temporaryFolder(), 'no', 'lock');
    await assert.rejects(takeLock(path), { code: 'ENOENT' });
    mkdirSync(dirname(path));
    assert.equal(await takeLock(path), undefined);
    await releaseLock(path);
  });
});
