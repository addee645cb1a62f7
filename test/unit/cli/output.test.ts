/** What happens to a command whose output cannot be written, or whose text would steer the terminal. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { buildCli, coppice, jsonOf } from '../../support/built-cli';

const FULL = '/dev/full';
const LOST = /^error: The output cannot be written\n {2}why: the disk is full\n {2}try: .+\n$/;

describe('command line: output that is lost', function () {
  this.timeout(60_000);
  before(function () {
    if (!existsSync(FULL)) this.skip(); // it is Linux's own
    buildCli();
  });

  const commands: [string, () => string[]][] = [
    ['the one object', () => ['inspect', tinyCheckpoint('llama-plain'), '--json']],
    ['a page', () => ['inspect', tinyCheckpoint('llama-plain')]],
    ['the help', () => ['--help']],
    ['the help of a command', () => ['score', '--help']],
    ['the version', () => ['--version']],
  ];
  for (const [title, args] of commands) {
    it(`is told, and fails: ${title}`, async () => {
      const { code, stderr } = await coppice(args(), { under: `exec > ${FULL}` });
      assert.equal(code, 1);
      assert.match(stderr, LOST);
    });
  }

  // An object is written at once: the system takes its beginning, and refuses the next byte only.
  for (const args of [
    ['score', '--help'],
    ['schema', 'score', '--json'],
  ]) {
    it(`is told where only its first part fits: ${args.join(' ')}`, async () => {
      const file = join(temporaryFolder(), 'text');
      const { code, stderr } = await coppice(args, { under: `ulimit -f 1; exec > ${file}` });
      assert.equal(code, 1);
      assert.match(stderr, /cannot be written\n.*larger than the system allows/);
      assert.equal(statSync(file).size, 1024);
    });
  }

  it('of stderr changes nothing: the work is done, and a failure stays one', async () => {
    const done = await coppice(['inspect', tinyCheckpoint('llama-plain'), '--json'], { under: `exec 2> ${FULL}` });
    assert.equal(jsonOf(done).blocks, 4);
    const failed = await coppice(['inspect', '/no/such/model'], { under: `exec 2> ${FULL}` });
    assert.deepEqual([failed.code, failed.stdout], [1, '']);
    const misread = await coppice(['inspect'], { under: `exec 2> ${FULL}` });
    assert.equal(misread.code, 2);
  });

  it('is whole in a file', async () => {
    const file = join(temporaryFolder(), 'help.txt');
    const args = ['retrain', '--help'];
    await coppice(args, { under: `exec > ${file}` });
    assert.equal(readFileSync(file, 'utf8'), (await coppice(args)).stdout);
  });
});
