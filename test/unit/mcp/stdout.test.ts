/** Stdout has messages only: whatever else the process prints goes to stderr. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '../../..');

const PROGRAM = `
import { reserveStdout } from ${JSON.stringify(pathToFileURL(resolve(root, 'src/mcp/stdout.ts')).href)};
const out = reserveStdout();
console.log('noise');
out.write('message\\n', () => process.stdout.write('more noise\\n'));
`;

describe('mcp: stdout', () => {
  it('takes what is written to the protocol, and nothing else', function () {
    this.timeout(60_000);
    const node = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
    const { stdout, stderr } = spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8' });
    assert.equal(stdout, 'message\n', stderr);
    assert.equal(stderr, 'noise\nmore noise\n');
  });
});
