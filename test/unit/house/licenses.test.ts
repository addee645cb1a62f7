/** Licences of what the programs have in them, and of what is installed with them: only those of scripts/licenses.mjs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { full } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { textOf } from './repository';

const root = resolve(import.meta.dirname, '../../..');

interface Licenses {
  readonly ALLOWED: readonly string[];
  isAllowed(expression: unknown): boolean;
  requireAllowed(name: string, license: unknown): void;
}

describe('licences', () => {
  let licenses: Licenses;
  before(async () => {
    licenses = (await import(pathToFileURL(join(root, 'scripts/licenses.mjs')).href)) as Licenses;
  });

  it('are read as SPDX expressions', () => {
    const allowed = ['MIT', '(MIT OR CC0-1.0)', '(MIT OR GPL-3.0-or-later)', '(Apache-2.0 AND BSD-3-Clause)'];
    allowed.push('GPL-2.0-only OR (MIT AND (ISC OR GPL-3.0-only))', 'MIT OR GPL-3.0-only AND GPL-2.0-only');
    const refused = ['GPL-3.0-only', '(MIT AND GPL-3.0-only)', 'SEE LICENSE IN LICENSE.txt', 'UNLICENSED', ''];
    refused.push(
      'MIT ISC',
      '(MIT',
      'MIT)',
      'OR MIT',
      'MIT OR',
      '(MIT OR ISC) AND MPL-2.0',
      'Apache-2.0 WITH LLVM-exception',
    );
    for (const expression of allowed) assert.ok(licenses.isAllowed(expression), expression);
    for (const expression of refused) assert.ok(!licenses.isAllowed(expression), expression);
    for (const none of [undefined, null, { type: 'MIT' }]) assert.ok(!licenses.isAllowed(none));
  });

  it('that are not allowed are refused with the package', () => {
    assert.throws(() => licenses.requireAllowed('left-pad', 'WTFPL'), /left-pad has the licence WTFPL/);
    assert.throws(() => licenses.requireAllowed('left-pad', undefined), /left-pad has no licence/);
    assert.throws(() => licenses.requireAllowed('left-pad', 'CC-BY-4.0'), /left-pad has the licence CC-BY-4\.0/);
  });

  it('of packages that are installed for users are allowed', () => {
    const { packages } = JSON.parse(textOf('package-lock.json')) as {
      packages: Readonly<Record<string, { readonly dev?: boolean; readonly license?: string }>>;
    };
    const installed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
    assert.ok(installed.length > 20);
    for (const [path, { license }] of installed) licenses.requireAllowed(path, license);
  });

  // Every package is made so (test/cli/packages.test.ts), and fails by a licence that is not allowed.
  (full ? it : it.skip)('of packages in the programs are allowed, and their texts go along', function () {
    this.timeout(120_000);
    const folder = temporaryFolder();
    const notices = join(folder, 'notices.txt');
    const options = ['--production', `--outdir=${folder}`, `--notices=${notices}`];
    execFileSync(process.execPath, [join(root, 'esbuild.mjs'), ...options], { cwd: root, stdio: 'pipe' }); // fails otherwise
    const parts = readFileSync(notices, 'utf8')
      .split(`\n\n${'-'.repeat(80)}\n\n`)
      .slice(1);
    assert.ok(parts.length > 10);
    for (const part of parts) {
      const [, name, license] = /^(\S+) \S+ \((.*)\)\n/.exec(`${part}\n`)!;
      licenses.requireAllowed(name, license);
    }
  });
});
