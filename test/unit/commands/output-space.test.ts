/** Room on the disk for an output, and Git around it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freeBytes, requireSpace, spaceFault, spaceWords } from '../../../src/host/ask/disk-space';
import { addLine, ignoreLine, isIgnored, lfsLine, workTreeOf } from '../../../src/host/git-files';
import { temporaryFolder } from '../../support/temporary';

describe('room for an output', () => {
  it('is that of the disk, also for a folder that is not there yet', () => {
    const free = freeBytes(join(temporaryFolder(), 'new/model'))!;
    assert.ok(free > 0);
    assert.equal(spaceWords(226.5e6, 12.4e9), 'Takes 226.5 MB of 12.4 GB that are free.');
    assert.equal(spaceWords(226.5e6, undefined), 'Takes 226.5 MB.');
  });

  it('must be more than the output needs, and is told before anything is computed', () => {
    assert.equal(spaceFault(100e6, 200e6), undefined);
    assert.equal(spaceFault(100e6, undefined), undefined);
    assert.equal(spaceFault(100e6, 101e6), 'It takes 100.0 MB, and this disk has 101.0 MB free.');
    assert.throws(() => requireSpace('/m/short', 100e6, 50e6), /\/m\/short does not fit on its disk/);
    requireSpace('/m/short', undefined, 0);
    assert.throws(() => requireSpace(temporaryFolder(), Number.MAX_SAFE_INTEGER), /does not fit/);
  });
});

describe('a model in a Git repository', () => {
  function repository(): string {
    const root = temporaryFolder();
    execFileSync('git', ['init', '-q', root]);
    mkdirSync(join(root, 'models/short [1] b'), { recursive: true });
    writeFileSync(join(root, 'models/short [1] b/model.safetensors'), 'x');
    return root;
  }

  it('is found from any depth, and not outside', () => {
    const root = repository();
    assert.equal(workTreeOf(join(root, 'models/new/short')), root);
    assert.equal(workTreeOf(join(temporaryFolder(), 'short')), undefined);
  });

  it('is ignored after the line is added, once, and the rest of the file stays', async () => {
    const root = repository();
    const path = join(root, 'models/short [1] b');
    assert.equal(await isIgnored(root, path), false);
    const file = join(root, '.gitignore');
    writeFileSync(file, 'node_modules');
    const line = ignoreLine(root, path, true);
    await addLine(file, line);
    await addLine(file, line);
    assert.equal(readFileSync(file, 'utf8'), `node_modules\n${line}\n`);
    assert.equal(await isIgnored(root, path), true);
    assert.equal(
      execFileSync('git', ['-C', root, 'status', '--porcelain', '-uall'], { encoding: 'utf8' }),
      '?? .gitignore\n',
    );
  });

  it('starts no program that the repository names', async function () {
    if (process.platform === 'win32') this.skip();
    const root = repository();
    const ran = join(root, 'ran');
    writeFileSync(join(root, 'watch'), `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 });
    execFileSync('git', ['-C', root, 'config', 'core.fsmonitor', join(root, 'watch')]);
    execFileSync('git', ['-C', root, '-c', 'core.fsmonitor=false', 'add', '.']);
    assert.equal(await isIgnored(root, join(root, 'models/short [1] b')), false);
    assert.ok(!existsSync(ran));
  });

  it('is tracked with LFS by the attributes that git lfs writes', async () => {
    const root = repository();
    const path = join(root, 'models/short [1] b');
    await addLine(join(root, '.gitattributes'), lfsLine(root, path, true));
    const weights = 'models/short [1] b/model.safetensors';
    const told = execFileSync('git', ['-C', root, 'check-attr', 'filter', '--', weights], { encoding: 'utf8' });
    assert.match(told, /filter: lfs\n$/);
    assert.equal(
      lfsLine(root, join(root, 'a b.gguf'), false),
      '/a[[:space:]]b.gguf filter=lfs diff=lfs merge=lfs -text',
    );
  });

  it('is looked up in the files where Git cannot tell', async () => {
    const root = temporaryFolder(); // Git knows no repository here
    mkdirSync(join(root, 'models'));
    const at = (name: string): Promise<boolean> => isIgnored(root, join(root, name));
    assert.equal(await at('models/short'), false);
    writeFileSync(join(root, '.gitignore'), '# short\n/out/\n*.log\n');
    writeFileSync(join(root, 'models/.gitignore'), 'short/\n');
    assert.deepEqual(await Promise.all(['models/short', 'models/other', 'out/x', 'short'].map(at)), [
      true,
      false,
      true,
      false,
    ]);
  });
});
