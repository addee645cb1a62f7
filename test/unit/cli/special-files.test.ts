/** Pipes, devices and folders where a file is named: every command says so at once, and none waits. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate, inspect, UserError } from '../../../src/library/index';
import { itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { buildCli, coppice } from '../../support/built-cli';

describe('command line: what is no regular file', function () {
  this.timeout(60_000);
  let model: string;
  let folder: string;

  before(function () {
    if (process.platform === 'win32') this.skip();
    buildCli();
    model = tinyCheckpoint('llama-plain', { tokenizer: true });
    folder = temporaryFolder();
    mkdirSync(join(folder, 'folder'));
    execFileSync(
      'mkfifo',
      ['pipe', 'pipe.json', 'pipe.jsonl'].map((name) => join(folder, name)),
    );
  });

  const given: [string, (file: string, out: string) => string[]][] = [
    ['--text', (file) => ['eval', model, '--text', file]],
    ['--calibration', (file) => ['score', model, '--calibration', file]],
    ['--scores', (file, out) => ['prune', model, '--scores', file, '--count', '1', '--no-keep-ends', '--out', out]],
    ['--data', (file, out) => ['retrain', model, '--data', file, '--out', out]],
    ['a record', (file, out) => ['report', file, '--out', out]],
  ];
  const kinds: [string, () => string, RegExp][] = [
    ['a pipe', () => join(folder, 'pipe'), /it is a pipe, not a regular file/],
    ['a pipe named as JSON', () => join(folder, 'pipe.json'), /it is a pipe/],
    ['a pipe named as JSONL', () => join(folder, 'pipe.jsonl'), /it is a pipe/],
    ['a device without an end', () => '/dev/zero', /it is a device, not a regular file/],
    ['a folder', () => join(folder, 'folder'), /it is a folder/],
  ];
  for (const [option, args] of given) {
    for (const [kind, file, why] of kinds) {
      // All of them open files by one function: each kind once, each option once, and what goes by names or takes folders.
      const isNamed = kind.includes('JSON');
      const isOnce =
        (option === '--text' && !isNamed) ||
        kind === 'a pipe' ||
        (option === '--data' && isNamed) ||
        `${option}, ${kind}` === 'a record, a folder';
      (isOnce ? it : itFull)(`refuses ${kind} as ${option}`, async () => {
        const { code, stderr } = await coppice(args(file(), join(folder, 'out')));
        assert.equal(code, 1, stderr);
        assert.match(stderr, why);
      });
    }
  }

  const written: [string, (file: string, out: string) => string[]][] = [
    ['the record', (file) => ['inspect', model, '--record', file]],
    [
      'the recipe',
      (file, out) => ['prune', model, '--blocks', '1', '--no-keep-ends', '--out', out, '--mergekit', file],
    ],
    ['the report', (file, out) => ['report', join(out, 'coppice.json'), '--out', file]],
  ];
  for (const [what, args] of written) {
    it(`refuses to write ${what} to a pipe`, async () => {
      const out = join(folder, 'never');
      const { code, stderr } = await coppice(args(join(folder, 'pipe'), out));
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`cannot write ${what} to .*\\n.*it is a pipe or a device`));
      assert.equal(existsSync(out), false);
      assert.ok(lstatSync(join(folder, 'pipe')).isFIFO(), 'the pipe is still there');
    });
  }

  it('puts no record in the place of a file that the run reads', async () => {
    const text = join(folder, 'text.txt');
    writeFileSync(text, 'The river bends.\n'.repeat(50));
    const link = join(folder, 'link.txt');
    symlinkSync(text, link);
    for (const record of [text, link]) {
      const { code, stderr } = await coppice(['eval', model, '--text', text, '--record', record]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /cannot write the record to .*\n.*the run reads that file/);
    }
    assert.match(readFileSync(text, 'utf8'), /^The river bends/);
  });

  it('writes a record to where a link leads, and keeps the link', async () => {
    const record = join(folder, 'record.json');
    writeFileSync(record, '');
    const link = join(folder, 'latest.json');
    symlinkSync(record, link);
    const { code, stderr } = await coppice(['inspect', model, '--record', link]);
    assert.equal(code, 0, stderr);
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.match(readFileSync(record, 'utf8'), /"kind": "inspect"/);
  });

  // What the command line calls, in this process.
  const parts: [string, (model: string) => Promise<unknown>][] = [
    ['config.json', inspect],
    ['model.safetensors', inspect],
    ['generation_config.json', inspect],
    ['model.safetensors.index.json', (model) => inspect(join(model, 'model.safetensors.index.json'))],
    ['tokenizer.json', (checkpoint) => generate({ checkpoint, prompt: 'a' })],
    ['tokenizer_config.json', (checkpoint) => generate({ checkpoint, prompt: 'a' })],
    ['chat_template.jinja', (checkpoint) => generate({ checkpoint, prompt: 'a', chat: true })],
    ['chat_template.json', (checkpoint) => generate({ checkpoint, prompt: 'a', chat: true })],
  ];
  for (const [name, use] of parts) {
    it(`refuses a pipe as ${name} of a checkpoint`, async () => {
      await assert.rejects(use(withPipe(name)), (error) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.what.endsWith(name), error.what);
        assert.match(error.why, /^it is a pipe/);
        return true;
      });
    });
  }

  it('does without the record of a checkpoint, and the licence in its card, where they are pipes', async () => {
    const text = join(model, 'tokenizer.json');
    const { code, stderr } = await coppice(['eval', withPipe('coppice.json'), '--text', text, '--limit', '1']);
    assert.equal(code, 0, stderr);
    const out = join(temporaryFolder(), 'out');
    const pruned = await coppice(['prune', withPipe('README.md'), '--blocks', '1', '--out', out]);
    assert.equal(pruned.code, 0, pruned.stderr);
  });

  /** The model in a folder of its own, with a pipe in the place of one of its files. */
  function withPipe(name: string): string {
    const place = join(temporaryFolder(), 'model');
    cpSync(model, place, { recursive: true });
    rmSync(join(place, name), { force: true });
    execFileSync('mkfifo', [join(place, name)]);
    return place;
  }
});
