/** The built command line: help, wrong usage and exit codes. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { buildProgram } from '../../../src/cli/program';
import { full, itShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';
import { buildCli, coppice } from '../../support/built-cli';

const COMMANDS = 'inspect score curve prune retrain merge eval generate bench fetch-tasks report demo'.split(' ');

/** Three lines: what, why, what to do. Nothing on stdout. */
async function assertRefused(args: readonly string[], code: number, ...words: RegExp[]): Promise<void> {
  const result = await coppice(args);
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, '');
  const lines = result.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 3, result.stderr);
  assert.match(lines[0], /^error: ./);
  assert.match(lines[1], /^ {2}why: ./);
  assert.match(lines[2], /^ {2}try: ./);
  for (const word of words) assert.match(result.stderr, word);
}

/** The same of a wrong command line, in this process: the parser refuses it before anything runs. */
async function assertWrong(args: readonly string[], word: RegExp): Promise<void> {
  const program = buildProgram(() => assert.fail('it ran'), args);
  for (const each of [program, ...program.commands]) each.configureOutput({ outputError: () => undefined });
  await assert.rejects(program.parseAsync([...args], { from: 'user' }), (error) => {
    assert.ok(error instanceof CommanderError && error.exitCode !== 0, String(error));
    assert.match(error.message, word);
    return true;
  });
}

describe('command line: usage', function () {
  this.timeout(60_000);
  before(buildCli);

  it('has help with examples for every command', async () => {
    const all = await coppice(['--help']);
    assert.equal(all.code, 0);
    assert.match(all.stdout, /Examples:/);
    for (const [i, command] of COMMANDS.entries()) {
      assert.match(all.stdout, new RegExp(`^  ${command} `, 'm'));
      if (!full && i % 4 !== 0) {
        const made = buildProgram(() => undefined, [command]).commands[0];
        let text = '';
        made.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
        assert.match(text, new RegExp(`Examples:\n {2}coppice ${command}`));
        continue;
      }
      const { code, stdout, stderr } = await coppice([command, '--help']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`Examples:\n {2}coppice ${command}`));
    }
  });

  it('says its version', async () => {
    const { code, stdout } = await coppice(['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('shows the help on stderr when no command is given', async () => {
    const { code, stdout, stderr } = await coppice([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /Usage: coppice/);
  });

  const wrong: [string, string[], RegExp][] = [
    ['an unknown option', ['inspect', 'model', '--jsn'], /unknown option '--jsn'.*\n.*--json/],
    ['a missing checkpoint', ['inspect', '--json'], /missing required argument 'checkpoint'/],
    ['a window of one token', ['eval', 'm', '--text', 't', '--window', '1'], /at least 2/],
    ['a missing required option', ['merge', 'model', '--out', 'o'], /--adapter <dir>/],
    ['too many arguments', ['inspect', 'a', 'b'], /too many arguments/],
    ['an unknown device', ['bench', 'model', '--device', 'tpu'], /Allowed choices are auto, cpu/],
    ['no threads', ['bench', 'model', '--threads', '0'], /whole number of at least 1/],
    ['memory that is no size', ['bench', 'model', '--memory', 'plenty'], /2GB/],
    ['a criterion that does not exist', ['score', 'model', '--criterion', 'guess'], /Allowed choices are ppl/],
    ['a search of no time', ['score', 'm', '--criterion', 'search', '--budget', '0'], /number above 0/],
    [
      'two amounts',
      ['prune', 'm', '--out', 'o', '--scores', 's', '--count', '1', '--ratio', '0.1'],
      /cannot be used with/,
    ],
    ['two sources', ['prune', 'm', '--out', 'o', '--scores', 's', '--blocks', '1'], /cannot be used with/],
    ['nothing to merge', ['merge', 'm', '--out', 'o'], /--adapter <dir>/],
    [
      'a type to merge into that no weights have',
      ['merge', 'm', '--adapter', 'a', '--out', 'o', '--dtype', 'int8'],
      /f32, bf16, f16/,
    ],
    ['two prompts', ['generate', 'model', '--prompt', 'a', '--ids', '1'], /cannot be used with/],
    ['greedy sampling', ['generate', 'm', '--prompt', 'a', '--greedy', '--temperature', '1'], /cannot be used with/],
    ['ids that are none', ['generate', 'model', '--ids', '1,x'], /token ids separated by commas/],
    [
      'a training elsewhere by torchtune',
      ['hand-over', 'sample', '--to', 'torchtune', '--out', 'x'],
      /torchtune has ended.*Take trl/,
    ],
  ];
  for (const [title, args, word] of wrong) it(`refuses ${title} with exit code 2`, () => assertWrong(args, word));

  // By the parser once, and by jobs.
  const inProgram: [string, string[], RegExp][] = [
    ['a malformed block list', ['prune', 'm', '--out', 'o', '--blocks', '1;2'], /neither a block number nor a range/],
    ['a malformed list of removals', ['eval', 'model', '--text', 'x', '--remove', '3-1'], /ends before it starts/],
    ['an unknown command', ['prun'], /unknown command 'prun'.*\n.*prune/],
    ['rows of no calibration text', ['eval', 'm', '--text', 't', '--samples', '2'], /--samples needs --calibration/],
    ['a seed of no rows', ['eval', 'm', '--text', 't', '--seed', '2'], /seed needs --calibration/],
    ['nothing to evaluate', ['eval', 'model'], /neither --text nor --calibration is given/],
    ['no calibration', ['score', 'model'], /--calibration is not given/],
    ['a keep-list that scoring ignores', ['score', 'model', '--calibration', 'x', '--keep', '1'], /belongs to.*greedy/],
    ['greedy without an end', ['score', 'model', '--criterion', 'greedy', '--calibration', 'x'], /--count/],
    [
      'an objective that a criterion lacks',
      ['score', 'm', '--calibration', 'x', '--objective', 'kl'],
      /ppl cannot choose by --objective kl/,
    ],
    [
      'a search without a size',
      ['score', 'model', '--criterion', 'search', '--calibration', 'x'],
      /search needs.*\n.*--count/,
    ],
    ['a curve of sets', ['curve', 'm', '--criterion', 'search', '--calibration', 'x'], /one set of blocks.*\n.*--most/],
    ['modules by magnitude', ['score', 'model', '--criterion', 'magnitude', '--granularity', 'module'], /ppl/],
    [
      'modules where a checkpoint is written',
      ['prune', 'm', '--criterion', 'greedy', '--granularity', 'module', '--count', '1', '--calibration', 'x'],
      /no checkpoint is written with --granularity module\n.*stock programs.*\n.*Add --dry-run, for the choice alone/,
    ],
    [
      'modules of named blocks',
      ['prune', 'm', '--blocks', '1', '--granularity', 'module', '--dry-run'],
      /--granularity module cannot be used with --blocks/,
    ],
    [
      'modules by scores of a file',
      ['prune', 'm', '--scores', 's', '--count', '1', '--granularity', 'module', '--dry-run'],
      /--granularity module cannot be used with --scores/,
    ],
    [
      'modules by a criterion of blocks',
      ['prune', 'm', '--criterion', 'magnitude', '--count', '1', '--granularity', 'module', '--dry-run'],
      /magnitude cannot score single modules/,
    ],
    ['a cost of blocks', ['prune', 'm', '--blocks', '1', '--out', 'o', '--cost', 'time'], /--cost cannot be used here/],
    [
      'a healing of modules',
      ['prune', 'm', '--criterion', 'ppl', '--granularity', 'module', '--count', '1', '--dry-run', '--heal'],
      /cannot be used with/,
    ],
    ['nothing to prune by', ['prune', 'model', '--out', 'o'], /--scores, --criterion and --blocks/],
    ['no amount to prune', ['prune', 'model', '--out', 'o', '--criterion', 'magnitude'], /--count, --ratio/],
    ['stored weights under an adapter', ['score', 'm', '--criterion', 'magnitude', '--adapter', 'a'], /coppice merge/],
    ['no prompt', ['generate', 'model'], /--prompt/],
  ];
  for (const [title, args, word] of inProgram) {
    it(`refuses ${title} with exit code 2`, () => assertRefused(args, 2, word));
  }

  it('refuses what is missing or broken with exit code 1', async () => {
    await assertRefused(['inspect', '/no/such/model'], 1, /no\/such/);
    await assertRefused(['inspect', '/no/such/model', '--json'], 1);
    const broken = join(temporaryFolder(), 'broken.safetensors');
    writeFileSync(broken, 'not weights');
    await assertRefused(['inspect', broken, '--json'], 1, /broken\.safetensors/);
  });

  it('fetches nothing without consent, and says what it would fetch', async () => {
    const folder = join(temporaryFolder(), 'tasks');
    const { code, stdout, stderr } = await coppice(['fetch-tasks', folder, '--tasks', 'piqa,arc_easy']);
    assert.equal(code, 2);
    assert.match(stdout, /piqa_valid\.jsonl {2}495\.9 kB\n {2}from {5}https:.*\n {2}by .*\n {2}license {2}AFL 3\.0\n/);
    assert.match(stdout, /SHA-256 {2}93503cc97c/);
    assert.match(stdout, /ARC-easy {2}by hand\n.*\n {2}license {2}CC BY-SA 4\.0\n {2}how/);
    assert.match(stderr, /2 files \(499\.6 kB\) needs your consent\n.*--yes/);
    assert.ok(!existsSync(folder));
    await assertRefused(['fetch-tasks', folder, '--tasks', 'piqa', '--json'], 2, /needs your consent/);
  });

  itShared('has nothing to fetch where the data are', async () => {
    const { code, stdout } = await coppice([
      'fetch-tasks',
      shared('data/zeroshot'),
      '--tasks',
      'piqa,arc_easy',
      '--json',
    ]);
    assert.equal(code, 0);
    const { fetched, files, found } = JSON.parse(stdout) as {
      fetched: number;
      files: { state: string }[];
      found: string[];
    };
    assert.deepEqual([fetched, files.map(({ state }) => state), found], [0, ['there', 'there'], ['arc_easy']]);
  });

  it('adds the stack with --verbose', async () => {
    const { code, stderr } = await coppice(['inspect', '/no/such/model', '--verbose']);
    assert.equal(code, 1);
    assert.match(stderr, /\n {4}at /);
  });

  it('refuses blocks that the model lacks with exit code 1', async () => {
    const model = tinyCheckpoint('llama-plain', { tokenizer: true });
    await assertRefused(['generate', model, '--ids', '1', '--remove', '9'], 1, /beyond the last block, 3/);
    await assertRefused(['prune', model, '--out', 'o', '--blocks', '9'], 1, /block 9 is not one of 0 to 3/);
  });

  it('checks the place of the record before it works', async () => {
    const model = tinyCheckpoint('llama-plain');
    const folder = temporaryFolder();
    const record = (file: string): string[] => ['inspect', model, '--record', file];
    await assertRefused(record(join(folder, 'missing/record.json')), 1, /does not exist/);
    mkdirSync(join(folder, 'taken'));
    await assertRefused(record(join(folder, 'taken')), 1, /it is a folder/);
    const before = readdirSync(model);
    await assertRefused(record(join(model, 'record.json')), 1, /inside the checkpoint/);
    assert.deepEqual(readdirSync(model), before);
  });

  it('prints control characters of foreign names as escapes, never as they are, on one line', async () => {
    const { stderr } = await coppice(['inspect', '/no/\u001b[31m\nmodel']);
    assert.equal(stderr.trimEnd().split('\n').length, 3);
  });

  it('uses no colours in a pipe, and plain signs without a Unicode locale', async () => {
    const model = tinyCheckpoint('llama-plain');
    const plain = await coppice(['score', model, '--criterion', 'deepest'], { env: { LANG: 'C' } });
    assert.match(plain.stdout, /^[\n -~]*$/);
    const unicode = await coppice(['score', model, '--criterion', 'deepest'], { env: { LANG: 'C.UTF-8' } });
    assert.match(unicode.stdout, /█/);
    assert.ok(!unicode.stdout.includes('\u001b'));
  });

  it('survives a reader that goes away', async () => {
    const { code, stderr } = await coppice(['score', '--help'], { closeStdout: true });
    assert.equal(code, 0);
    assert.equal(stderr, '');
  });
});
