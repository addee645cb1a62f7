/** Folders that users name for new checkpoints: what they mean, and which cannot be made. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { nearestParent, outputPath, outputPathFault } from '../../../src/host/ask/output-path';
import { stateFileOf } from '../../../src/engine/retrain/loop/workspace';
import { temporaryFolder } from '../../support/temporary';

describe('the path of an output', () => {
  it('is absolute, or begins at the workspace or at the home of the user', () => {
    const base = resolve('/work');
    assert.equal(outputPath(' models/new ', base), join(base, 'models', 'new'));
    assert.equal(outputPath('../new', base), resolve('/new'));
    assert.equal(outputPath('~/models/new', base), join(homedir(), 'models', 'new'));
    assert.equal(outputPath('~', base), homedir());
    assert.equal(outputPath('~new', base), join(base, '~new')); // a name, not a user
    assert.equal(outputPath(resolve('/else/new'), base), resolve('/else/new'));
  });

  it('may lie in folders that do not exist yet', () => {
    const folder = temporaryFolder();
    assert.equal(outputPathFault(join(folder, 'a', 'b', 'new')), undefined);
    assert.equal(nearestParent(join(folder, 'a', 'b', 'new')), folder);
    assert.deepEqual(readdirSync(folder), []); // looking has made nothing
  });

  it('is refused with the reason where something is in its place', () => {
    const folder = temporaryFolder();
    for (const name of ['empty', 'full']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'full', 'x'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    for (const name of ['empty', 'full', 'full/x', 'dangling']) {
      assert.match(outputPathFault(join(folder, name)) ?? '', /already exists/, name);
    }
    assert.match(outputPathFault(join(folder, 'full', 'x', 'new')) ?? '', /x is a file, not a folder/);
    assert.match(outputPathFault(join(folder, 'a'.repeat(300))) ?? '', /too long/);
    mkdirSync(dirname(stateFileOf(join(folder, 'stopped'))), { recursive: true });
    writeFileSync(stateFileOf(join(folder, 'stopped')), '');
    assert.match(outputPathFault(join(folder, 'stopped')) ?? '', /stopped training uses this folder/);
  });

  it('is refused where the system lets no folder be made, even by root', function () {
    if (process.platform !== 'linux') this.skip();
    for (const path of ['/proc/foo', '/proc/self/foo', '/sys/foo']) {
      assert.match(outputPathFault(path) ?? '', /holds no files|no permission to write/, path);
    }
  });

  it('is refused where the user may not write', function () {
    if (process.getuid?.() === 0 || process.platform === 'win32') this.skip(); // root may write everywhere
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    assert.match(outputPathFault(join(folder, 'new')) ?? '', /no permission to write/);
    chmodSync(folder, 0o755);
  });
});
