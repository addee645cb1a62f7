/** "Copy as CLI Command": the line that does the same as a job. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { JOBS } from '../../src/jobs/definitions';
import { argvOf } from '../../src/jobs/argv';
import { completeOptions } from '../../src/jobs/complete';
import type { GivenFor } from '../../src/jobs/kinds';
import { resumingOptions, settingsOf } from '../../src/jobs/retrain-settings';
import { optionsFromWords } from '../../src/cli/job-command';
import { buildProgram } from '../../src/cli/program';
import { cliCommand } from '../../src/host/cli-command';
import { shellOf, type Shell } from '../../src/format/shell';
import { quotedForPasting } from '../../src/host/shell-words';
import type { JobSpec } from '../../src/protocol/jobs';

describe('the command line of a job', () => {
  it('scores', () => {
    const drawn = { calibration: '/w/a text.txt', samples: 10, length: 128, seed: 7 };
    assert.equal(
      cliCommand({ kind: 'score', checkpoint: '/w/m', criterion: 'ppl', ...drawn, device: 'auto', threads: 2 }),
      "coppice score /w/m --criterion ppl --calibration '/w/a text.txt' --samples 10 --length 128 --seed 7 --threads 2",
    );
  });

  it('prunes, and quotes what a shell would read', () => {
    assert.equal(
      cliCommand({ kind: 'prune', checkpoint: "/w/it's", blocks: [3, 5], out: '/w/$out' }),
      "coppice prune '/w/it'\\''s' --blocks 3,5 --out '/w/$out'",
    );
  });

  it('retrains', () => {
    const settings = { rank: 8, data: ['a.jsonl', 'b.txt'], steps: 20, lr: 1e-4 };
    assert.equal(
      cliCommand({ kind: 'retrain', checkpoint: 'm', remove: [2], ...settings, out: 'o', resume: true }),
      'coppice retrain m --data a.jsonl --data b.txt --out o --remove 2 --resume --rank 8 --steps 20 --lr 0.0001',
    );
  });

  it('generates, evaluates and merges', () => {
    assert.equal(
      cliCommand({ kind: 'generate', checkpoint: 'm', prompt: 'Once', maxNewTokens: 5, temperature: 0.8, chat: false }),
      'coppice generate m --prompt Once --max-new-tokens 5 --temperature 0.8',
    );
    assert.equal(
      cliCommand({ kind: 'eval', checkpoint: 'm', calibration: 'c', samples: 4, length: 16, seed: 1 }),
      'coppice eval m --calibration c --samples 4 --length 16 --seed 1',
    );
    assert.equal(
      cliCommand({ kind: 'eval', checkpoint: 'm', text: 't', adapter: 'a' }),
      'coppice eval m --text t --adapter a',
    );
    assert.equal(
      cliCommand({ kind: 'merge', checkpoint: 'm', adapter: 'a', out: 'o', dtype: 'bf16' }),
      'coppice merge m --adapter a --out o --dtype bf16',
    );
  });

  it('is none where no single command does the same', () => {
    assert.equal(cliCommand({ kind: 'samples', prompts: [], columns: [] }), undefined);
  });

  it('is quotedForPasting for the shell that is to read it', () => {
    const spec = { kind: 'prune', checkpoint: 'C:\\my models\\m', blocks: [3, 5], out: 'C:\\o' } as const;
    assert.equal(cliCommand(spec, 'powershell'), "coppice prune 'C:\\my models\\m' --blocks '3,5' --out C:\\o");
    assert.equal(cliCommand(spec, 'cmd'), 'coppice prune "C:\\my models\\m" --blocks "3,5" --out C:\\o');
  });
});

/** Words that end quotes, name variables, begin commands, or are read as something else, in one shell or another. */
const NASTY = [
  ...[
    'o’; calc #',
    'it’s',
    "‘a’ ‚b‛ 'c'",
    "'; calc #",
    "''",
    "a\\'; calc #",
    'a\\',
    "\\'",
    '$(calc)',
    '`calc`',
    '$HOME',
    '!!',
    'a!b',
  ],
  ...[
    '',
    ' ',
    '-x',
    '-x.y',
    '--%',
    '=ls',
    '~',
    '*',
    'a;b',
    'a&b',
    'a|b',
    '#',
    '1kb',
    '007',
    '0x10',
    '1e3',
    '@a',
    '{a,b}',
    '[a]',
  ],
  ...['two\nlines', 'a\r\nb', '"', 'say "hi"', '" & calc & "', '100%', '%PATH%', '日本', '😀', 'C:\\my models\\m'],
];

/** The words that PowerShell's parser makes of a line of bare and single-quotedForPasting words; what would be more is a failure. */
function powershellWords(line: string): string[] {
  const quote = /^['‘’‚‛]$/;
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    let word = '';
    if (quote.test(line[at])) {
      for (at++; ; at++) {
        assert.ok(at < line.length, `a quote is not closed: ${line}`);
        if (quote.test(line[at])) {
          if (!quote.test(line[at + 1] ?? '')) break;
          at++;
        }
        word += line[at];
      }
      at++;
    } else {
      while (at < line.length && line[at] !== ' ') word += line[at++];
      assert.match(
        word,
        /^(--[a-z-]+|[a-z_/\\][\w+:./\\-]*|0|[1-9]\d*)$/i,
        'a bare word is a flag, a name or a number',
      );
    }
    assert.ok(at === line.length || line[at] === ' ', `something follows a word: ${line}`);
    words.push(word);
    at++;
  }
  return words;
}

describe('words for a shell', () => {
  const line = (words: readonly string[], shell: Shell): string =>
    words.map((word) => quotedForPasting(word, shell)).join(' ');

  it('knows the shell by its program', () => {
    const shells = {
      '/bin/bash': 'posix',
      '/usr/bin/fish': 'fish',
      '/bin/tcsh': 'csh',
      'C:\\w\\cmd.exe': 'cmd',
      '/o/pwsh': 'powershell',
    };
    for (const [path, shell] of Object.entries(shells)) assert.equal(shellOf(path), shell);
  });

  for (const shell of ['bash', 'dash', 'zsh', 'fish', 'tcsh']) {
    it(`${shell} itself reads what was meant`, function () {
      let found: string;
      try {
        found = execFileSync('which', [shell], { encoding: 'utf8' }).trim();
      } catch {
        this.skip();
      }
      const print = `${process.execPath} -e 'process.stdout.write(JSON.stringify(process.argv.slice(1)))' -- `;
      const words = NASTY.filter((word) => shell !== 'tcsh' || !word.includes('\r'));
      const said = execFileSync(found, ['-c', print + line(words, shellOf(found))], { encoding: 'utf8' });
      assert.deepEqual(JSON.parse(said), words);
    });
  }

  it('PowerShell reads what was meant, whatever its quotes look like', () => {
    assert.deepEqual(powershellWords(line(NASTY, 'powershell')), NASTY);
    assert.equal(quotedForPasting('o’; calc #', 'powershell'), "'o’’; calc #'");
  });

  it('fish and csh have what counts in their quotes behind a backslash', () => {
    assert.equal(quotedForPasting("a\\'; calc #", 'fish'), "'a\\\\\\'; calc #'");
    assert.equal(quotedForPasting("it's !!\nb", 'csh'), "'it'\\''s \\!\\!\\\nb'");
  });

  it('cmd: what it has no quotes for is refused', () => {
    for (const word of ['%PATH%', '100%', 'two\nlines', 'a\r\nb', '" & calc & "', 'a"|b']) {
      assert.throws(() => quotedForPasting(word, 'cmd'), {
        name: 'UserError',
        what: /for cmd/,
        why: /line break|the character [%&|]/,
      });
    }
    const quotable = { 'a&b': '"a&b"', 'say "hi"': '"say \\"hi\\""', 'a b\\': '"a b\\\\"', 'C:\\m': 'C:\\m' };
    for (const [word, expected] of Object.entries(quotable)) assert.equal(quotedForPasting(word, 'cmd'), expected);
    const spec = { kind: 'generate', checkpoint: 'm', prompt: '100 %' } as const;
    assert.throws(() => cliCommand(spec, 'cmd'), { name: 'UserError' });
  });

  it('a checkpoint that begins like an option stays a path', () => {
    assert.equal(
      cliCommand({ kind: 'prune', checkpoint: '-m', blocks: [1], out: 'o' }),
      'coppice prune ./-m --blocks 1 --out o',
    );
  });
});

describe('command line: the ends of a model', () => {
  it('stay unless --no-keep-ends says otherwise, or --no-plus, as it was called before', async () => {
    const ofPrune = async (flags: string[]): Promise<unknown> =>
      (await parsed(`coppice prune m --out o ${flags.join()}`)).options.keepEnds;
    const ofCurve = (flags: string[]): unknown => optionsFromWords(JOBS.curve, ['curve', 'm', ...flags]).keepEnds;
    for (const keepEnds of [ofPrune, ofCurve]) {
      assert.equal((await keepEnds([])) ?? JOBS.curve.options.keepEnds.default, true);
      for (const flag of ['--keep-ends', '--plus']) assert.equal(await keepEnds([flag]), true, flag);
      for (const flag of ['--no-keep-ends', '--no-plus']) assert.equal(await keepEnds([flag]), false, flag);
    }
  });
});

/** What the command line makes of a line: the command, the checkpoint, its options. Nothing is run. */
async function parsed(line: string): Promise<{ readonly command: string; readonly options: Record<string, unknown> }> {
  const words = [...line.matchAll(/(?:'[^']*'|\\'|[^\s'])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|\\(')/g, (_, inside: string | undefined, quote: string) => inside ?? quote),
  );
  assert.equal(words.shift(), 'coppice');
  const program = buildProgram(() => undefined);
  let found: Awaited<ReturnType<typeof parsed>> | undefined;
  for (const command of program.commands) {
    command.exitOverride().action((checkpoint: string, options: Record<string, unknown>) => {
      found = { command: command.name(), options: { checkpoint, ...options } };
    });
  }
  await program.parseAsync(words, { from: 'user' });
  assert.ok(found, line);
  return found;
}

const calibration = { file: '/w/a text.txt', samples: 4, length: 16, seed: 7 };
const flat = { calibration: calibration.file, samples: 4, length: 16, seed: 7 };

/** Jobs, and the options that say the same. */
const ROUND_TRIPS: readonly (readonly [spec: JobSpec, command: string, options: Readonly<Record<string, unknown>>])[] =
  [
    [
      {
        kind: 'score',
        checkpoint: "/w/it's",
        criterion: 'ppl',
        ...flat,
        granularity: 'module',
        remove: [1, '2.ffn'],
      },
      'score',
      { checkpoint: "/w/it's", criterion: 'ppl', ...flat, granularity: 'module', remove: [1, '2.ffn'] },
    ],
    [
      { kind: 'score', checkpoint: 'm', criterion: 'greedy', ...flat, count: 2, keep: [0, 1, 7], memory: 2 ** 30 },
      'score',
      { criterion: 'greedy', ...flat, count: 2, keep: [0, 1, 7], memory: 2 ** 30 },
    ],
    [
      { kind: 'score', checkpoint: 'm', criterion: 'magnitude', norm: 'l2', reduction: 'mean', device: 'webgpu' },
      'score',
      { criterion: 'magnitude', norm: 'l2', reduction: 'mean', device: 'webgpu' },
    ],
    [
      {
        kind: 'curve',
        checkpoint: 'm',
        criterion: 'taylor',
        ...flat,
        keepEnds: false,
        keep: [4],
        most: 3,
      },
      'curve',
      { criterion: 'taylor', ...flat, keepEnds: false, keep: [4], most: 3 },
    ],
    [
      {
        kind: 'curve',
        checkpoint: 'm',
        criterion: 'ppl',
        ...flat,
        keepEnds: true,
        text: 't',
        window: 32,
        limit: 4,
        adapter: 'a',
      },
      'curve',
      { criterion: 'ppl', ...flat, keepEnds: true, text: 't', window: 32, limit: 4, adapter: 'a' },
    ],
    [
      {
        kind: 'eval',
        checkpoint: 'm',
        text: 't',
        window: 32,
        bos: 'none',
        limit: 2,
        adapter: 'a',
        otherBase: true,
      },
      'eval',
      { text: 't', window: 32, bos: 'none', limit: 2, adapter: 'a', otherBase: true },
    ],
    [
      {
        kind: 'generate',
        checkpoint: 'm',
        prompt: "--it's\nmine",
        chat: true,
        maxNewTokens: 5,
        ignoreEos: true,
        temperature: 0.8,
        topK: 40,
        topP: 0.9,
        seed: 3,
        remove: [4],
        threads: 2,
      },
      'generate',
      {
        prompt: "--it's\nmine",
        chat: true,
        maxNewTokens: 5,
        ignoreEos: true,
        temperature: 0.8,
        topK: 40,
        topP: 0.9,
        seed: 3,
        remove: [4],
        threads: 2,
      },
    ],
    ...['-V', '--version', '--help', '--', '-', '-1', '--prompt=x', '', ' ', '日本 "q"'].map(
      (prompt): (typeof ROUND_TRIPS)[number] => [{ kind: 'generate', checkpoint: 'm', prompt }, 'generate', { prompt }],
    ),
    [{ kind: 'generate', checkpoint: 'm', ids: [1, 2] }, 'generate', { ids: [1, 2] }],
    [{ kind: 'prune', checkpoint: 'm', blocks: [3, 5], out: '/w/$out' }, 'prune', { blocks: [3, 5], out: '/w/$out' }],
    [
      { kind: 'merge', checkpoint: 'm', adapter: 'a', out: 'o', dtype: 'bf16', otherBase: true },
      'merge',
      { adapter: 'a', out: 'o', dtype: 'bf16', otherBase: true },
    ],
  ];

describe('the command line of a job, read by the command line', () => {
  for (const [spec, command, options] of ROUND_TRIPS) {
    const line = cliCommand(spec)!;
    it(`says the same: ${line.replace('\n', ' ')}`, async () => {
      const found = await parsed(line);
      assert.equal(found.command, command);
      assert.deepEqual({ ...found.options, ...options }, found.options);
    });
  }

  it('retrains with the same settings', () => {
    const common = {
      data: ['a.jsonl', 'b c.txt'],
      prompt: 'plain',
      length: 64,
      seed: 3,
      batch: 2,
      accumulate: 2,
      steps: 20,
      warmup: 0,
      clip: 0.5,
      patience: 2,
      heldOut: 0.1,
      lr: 1e-7,
      weightDecay: 0,
      betas: [0.9, 0.95],
      evalEvery: 5,
      saveEvery: 6,
    } as const;
    const lora = { rank: 4, alpha: 8, dropout: 0, targets: ['q', 'up'], initAdapter: '/w/before' } as const;
    const all: readonly Omit<GivenFor<'retrain'>, 'checkpoint' | 'out'>[] = [
      {
        ...common,
        ...lora,
        merge: true,
        dtype: 'f16',
        teacher: 'm',
        teacherWeight: 0.3,
        hiddenWeight: 2,
        resume: true,
      },
      { ...common, full: true, init: 'random', dtype: 'bf16' },
      { ...common, full: true, where: 'cuts' },
      { data: ['self'], selfTokens: 500, epochs: 0.5 },
      { data: ['-V', '--data', 'a,b.txt', ''], lr: 1e-21, weightDecay: 1e21, heldOut: 5e-324 },
    ];
    for (const settings of all) {
      const given = { checkpoint: 'm', out: 'o', remove: [2], ...settings };
      const words = argvOf(JOBS.retrain, given);
      assert.deepEqual(optionsFromWords(JOBS.retrain, words), given, words.join(' '));
    }
  });

  it('resumes with the settings that a state keeps', () => {
    const given = {
      checkpoint: '/w/m',
      out: '/w/o',
      remove: [2],
      data: ['/w/a.jsonl'],
      rank: 4,
      targets: ['q', 'up'],
      where: 'last3',
      merge: true,
      dtype: 'f16',
      lr: 1e-3,
      betas: [0.9, 0.95],
    } as const;
    const options = completeOptions(JOBS.retrain, given);
    const { out, resume: _, ...settings } = settingsOf(options);
    const teacher = { weight: 0.3, hiddenWeight: 2 };
    const request = { checkpoint: '/w/m', removed: [2], settings, teacher, compute: { threads: 1 } };
    const resumed = completeOptions(JOBS.retrain, resumingOptions(request, out));
    assert.deepEqual(resumed, {
      ...options,
      threads: 1,
      teacher: '/w/m',
      teacherWeight: 0.3,
      hiddenWeight: 2,
      resume: true,
      heal: 'none',
    });
    assert.deepEqual(settingsOf(resumed), { ...settings, out, resume: true });
  });
});
