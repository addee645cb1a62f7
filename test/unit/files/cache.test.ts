/** The cache folder where the usual place cannot be written: one of this user alone. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../../src/engine/files/cache';
import { temporaryFolder } from '../../support/temporary';

describe('the cache folder among temporary files', function () {
  const { TMPDIR } = process.env;
  let temporary: string;
  let blocked: string;

  before(function () {
    if (process.getuid === undefined) this.skip();
    process.env.TMPDIR = temporary = temporaryFolder();
    blocked = join(temporary, 'file');
    writeFileSync(blocked, '');
  });
  after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });

  const folder = (): Promise<string> => cacheFolder({ COPPICE_CACHE: join(blocked, 'cache') });

  it('has a name of the user, and only the user may enter', async () => {
    const own = join(temporary, `coppice-${process.getuid!()}`);
    assert.equal(await folder(), own);
    assert.equal(statSync(own).mode & 0o777, 0o700);
    chmodSync(own, 0o777);
    assert.equal(await folder(), own);
    assert.equal(statSync(own).mode & 0o777, 0o700);
  });

  it('is another one where the name is a link', async () => {
    const own = join(temporary, `coppice-${process.getuid!()}`);
    rmSync(own, { recursive: true });
    mkdirSync(join(temporary, 'theirs'));
    symlinkSync(join(temporary, 'theirs'), own);
    const found = await folder();
    assert.ok(found.startsWith(`${own}-`));
    assert.equal(statSync(found).mode & 0o777, 0o700);
    assert.equal(await folder(), found);
  });
});
