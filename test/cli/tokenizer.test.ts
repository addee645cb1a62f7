/** A checkpoint whose tokenizer or template hangs or takes all memory: the command line says so, and Ctrl-C ends it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownTinyCheckpoint } from '../support/tiny-models';
import { buildCli, coppice, startCoppice } from '../support/built-cli';
import { itFull } from '../support/shared';
import { until } from '../support/until';

/** A toy checkpoint with a file of its own changed. */
function checkpointWith(file: string, change: (json: Record<string, unknown>) => void): string {
  const folder = ownTinyCheckpoint('llama-gqa-tied', { tokenizer: true });
  const path = join(folder, file);
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
  return folder;
}

const hanging = (): string =>
  checkpointWith('tokenizer.json', (json) => {
    const endless = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false };
    json.pre_tokenizer = { type: 'Sequence', pretokenizers: [endless, json.pre_tokenizer] };
  });

/** Whether a child of `pid` has computed for a second: a tokenizer that is well needs a fraction of it. */
async function hangs(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'ppid=,time=,args=']);
  return stdout.split('\n').some((line) => {
    const [parent, time, ...args] = line.trim().split(/\s+/);
    return Number(parent) === pid && args.join(' ').includes('tokenizer.cjs') && !/:00(\.\d+)?$/.test(time);
  });
}

const TRAP = `${'a'.repeat(60)}b`;

describe('cli: tokenizers and templates that do not end', () => {
  before(buildCli);

  // Ten seconds of waiting: test/unit/tokenizer/process.test.ts has the same with less patience.
  itFull('a regular expression without an end is an error that names file and field', async () => {
    const { code, stderr } = await coppice(['generate', hanging(), '--prompt', TRAP]);
    assert.equal(code, 1);
    assert.match(stderr, /error: Cannot use .*tokenizer\.json\n {2}why: its "pre_tokenizer" took longer than/);
  });

  it('Ctrl-C ends it', async () => {
    const run = startCoppice(['generate', hanging(), '--prompt', TRAP]);
    await until('it hangs', () => hangs(run.pid));
    run.kill('SIGINT');
    const { code, stderr } = await run.result;
    assert.equal(code, 130);
    assert.equal(stderr, 'Cancelled.\n');
  });

  it('a template that takes all memory, or ends too early, is an error that names it', async () => {
    const withTemplate = (template: string): string =>
      checkpointWith('tokenizer_config.json', (json) => (json.chat_template = template));
    for (const [template, why] of [
      ['{% for i in range(1000000000) %}{% endfor %}', /took more memory than|took longer than/],
      ['{{', /"chat_template" is not a complete Jinja template \(it ends too early\)/],
    ] as const) {
      const { code, stderr } = await coppice(['generate', withTemplate(template), '--prompt', 'Hi', '--chat']);
      assert.equal(code, 1);
      assert.match(stderr, /error: Cannot apply the chat template of /);
      assert.match(stderr, why);
      assert.doesNotMatch(stderr, /unexpectedly/);
    }
  });
});
