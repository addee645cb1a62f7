/** What must not get into the repository: paths of somebody's machine, addresses of somebody's registry. */
import assert from 'node:assert/strict';
import { textOf, trackedFiles } from './repository';

/**
 * Folders in which people work; the slashes are put around them below so that this file is not one of its finds.
 * A home of "me" stands for anybody's.
 */
const HOMES = ['work', 'root', 'home/(?!me/)[^/\\s]+', 'Users/[^/\\s]+', 'mnt', 'tmp'];
const MACHINE_PATH = new RegExp(`(?<![\\w.~}-])/(?:${HOMES.join('|')})/\\w|\\b[A-Z]:\\\\Users\\\\`);
/** Too large or not text. */
const SKIPPED = /\.(png|ico|safetensors|vsix|gif)$|^(docs\/)?package-lock\.json$/;

describe('files', () => {
  it('no tracked file names a path of the machine that it was written on', function () {
    const files = trackedFiles();
    if (files === undefined) return this.skip();
    const found = files
      .filter((file) => !SKIPPED.test(file))
      .flatMap((file) => {
        const lines = textOf(file).split('\n');
        return lines.flatMap((line, i) => (MACHINE_PATH.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : []));
      });
    assert.deepEqual(found, []);
  });

  it('knows such a path when it sees one', () => {
    for (const folder of ['work', 'root', 'home/someone', 'Users/someone'])
      assert.match(`see /${folder}/model`, MACHINE_PATH);
    for (const text of ['src/work/x', 'https://example.org/root/x', '/home/me/x', '/models/x', './tmp/x']) {
      assert.doesNotMatch(text, MACHINE_PATH);
    }
  });

  it('the lock files name packages, not the registry that they came from', () => {
    for (const file of ['package-lock.json', 'docs/package-lock.json']) {
      const { packages } = JSON.parse(textOf(file)) as { packages: Record<string, { resolved?: string }> };
      assert.ok(Object.keys(packages).length > 1);
      assert.deepEqual(
        Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined),
        [],
      );
      assert.doesNotMatch(textOf(file), /"resolved"|registry\./);
    }
  });

  it('npm leaves CUDA and registry addresses alone', () => {
    assert.match(textOf('.npmrc'), /^onnxruntime-node-install=skip$/m);
    assert.match(textOf('.npmrc'), /^omit-lockfile-registry-resolved=true$/m);
  });
});
