/**
 * The commands of the documents, run as they stand: every plain ```sh block of a page, in the order of the page, in one folder that
 * has the media and recipes of the repository. Blocks that need more than that say so.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { buildCli, builtProgram } from '../support/built-cli';
import { documents, documentText, shellBlocks } from '../support/documents';
import { itFull } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

const root = resolve(import.meta.dirname, '../..');
/** The first page that a user follows. The others run in test:full. */
const FIRST = ['README.md'];

/** A folder as a clone is for who follows a page, and `npx` that knows the built program. */
function clone(): { readonly folder: string; readonly env: Readonly<Record<string, string>> } {
  const { file, env } = builtProgram();
  const [folder, programs] = [temporaryFolder(), temporaryFolder()];
  for (const name of ['media', 'recipes']) cpSync(join(root, name), join(folder, name), { recursive: true });
  const npx = join(programs, 'npx');
  const quoted = [process.execPath, file].map((word) => `'${word}'`).join(' ');
  writeFileSync(
    npx,
    `#!/bin/sh\n[ "$1" = coppice ] || { echo "npx $1 is not of the documents" >&2; exit 1; }\nshift\nexec ${quoted} "$@"\n`,
  );
  chmodSync(npx, 0o755);
  return { folder, env: { ...env, PATH: `${programs}${delimiter}${env.PATH}`, HOME: folder } };
}

/** Runs lines of bash to the first that fails. */
async function run(lines: readonly string[]): Promise<void> {
  const { folder, env } = clone();
  const script = ['set -euxo pipefail', ...lines].join('\n');
  const child = spawn('bash', ['-c', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
  }
  const code = await new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  assert.equal(code, 0, said);
}

const linesOf = (file: string): string[] =>
  shellBlocks(documentText(file)).flatMap(({ needs, commands }) => (needs === undefined ? commands : []));

describe('commands of documents', function () {
  this.timeout(600_000);

  if (process.platform === 'win32') {
    it.skip('run (needs bash)');
    return;
  }
  before(buildCli);

  for (const file of documents().filter((each) => each === 'README.md' || each.startsWith('docs/'))) {
    const lines = linesOf(file);
    if (lines.length === 0) continue;
    const define = FIRST.includes(file) ? it : itFull;
    define(`run: ${file}`, () => run(lines));
  }
});
