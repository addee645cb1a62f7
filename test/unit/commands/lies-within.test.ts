/** Where a folder really lies, which need not exist yet. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { liesWithin } from '../../../src/state/lies-within';
import { temporaryFolder } from '../../support/temporary';

describe('a folder that settings name', () => {
  it('lies in the workspace, or only seems to', function () {
    const [own, other] = [temporaryFolder(), temporaryFolder()];
    mkdirSync(join(own, 'here'));
    for (const path of ['', 'here', 'here/a/b', 'a/b', 'a/../b']) assert.ok(liesWithin(join(own, path), [own]), path);
    for (const path of [join(own, '..'), `${own}-2`, other, '/']) assert.ok(!liesWithin(path, [own]), path);
    assert.ok(liesWithin(join(other, 'a'), [own, other]));
    assert.ok(!liesWithin(own, []));
    if (process.platform === 'win32') return this.skip(); // links need rights
    symlinkSync(other, join(own, 'link'));
    for (const path of ['link', 'link/a/b']) assert.ok(!liesWithin(join(own, path), [own]), path);
    symlinkSync(own, join(other, 'back'));
    assert.ok(liesWithin(join(own, 'a'), [join(other, 'back')]));
  });
});
