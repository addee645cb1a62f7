/** The documents speak of what is there: commands, options, scripts, benchmarks, files. */
import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { optionsFromWords } from '../../../src/cli/job-command';
import { buildProgram } from '../../../src/cli/program';
import type { AnyJob } from '../../../src/jobs/define';
import { completeOptions } from '../../../src/jobs/complete';
import { isKind, JOBS } from '../../../src/jobs/definitions';
import { type SettingGroup, settingsOf } from '../../../src/jobs/settings';
import { documents, fencesIn, shellBlocks, wordsOf } from '../../support/documents';
import { exists, filesIn, textOf } from './repository';
import { SUITE } from '../../../bench/support/suite';

const DOCUMENTS = [
  'README.md',
  'README.extension.md',
  'README.npm.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/peers/README.md',
  ...documents().filter((file) => file.startsWith('docs/')),
];
const manifest = JSON.parse(textOf('package.json')) as {
  scripts: Record<string, string>;
  contributes: { configuration: SettingGroup[] };
};
const program = buildProgram(() => undefined);

/** What a document shows as code: its fenced and indented blocks and its `spans`. */
function codeIn(text: string): string {
  const fenced = [...text.matchAll(/^```[^\n]*\n(.*?)^```/gms)].map((match) => match[1]);
  const indented = [...text.matchAll(/^ {4}.*$/gm)].map((match) => match[0]);
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1]);
  return [...fenced, ...indented, ...spans].join('\n');
}

const optionsOf = (command: Command): string[] => [
  ...command.options.flatMap(({ long, short }) => [long, short]).filter((name) => name !== undefined && name !== null),
  '--help',
  '-h',
  ...command.commands.flatMap(optionsOf),
];

/** Words behind a fence. Of these the first is run by test/cli/documents.test.ts. */
const LANGUAGES: ReadonlySet<string> = new Set([
  ...[
    'sh',
    'text',
    'json',
    'jsonc',
    'js',
    'ts',
    'html',
    'python',
    'yaml',
    'toml',
    'powershell',
    'bibtex',
    'diff',
    'ini',
    'math',
  ],
]);

/** What blocks for the shell may need that a clone alone does not have. */
const NEEDS: ReadonlySet<string> = new Set([
  ...[
    'model',
    'network',
    'docker',
    'bash',
    'slurm',
    'kubernetes',
    'skypilot',
    'gpu',
    'vscode',
    'clone',
    'llama.cpp',
    'ollama',
    'python',
    'git',
  ],
]);

/** Programs besides Coppice in blocks that are run. */
const PLAIN: ReadonlySet<string> = new Set(['cat', 'cp', 'echo', 'head', 'ls', 'mkdir', 'mv', 'printf', 'rm', 'test']);

/** A program that reads a command line and runs nothing. */
function reader(): Command {
  const silent = { writeOut: () => undefined, writeErr: () => undefined, outputError: () => undefined };
  const still = (command: Command): void => {
    command.exitOverride().configureOutput(silent);
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(still);
  };
  const made = buildProgram(() => undefined);
  still(made);
  return made;
}

/** @throws if the words after `coppice` are no complete command: an argument or an option is missing, unknown or wrong */
function assertComplete(words: readonly string[], line: string): void {
  if (['help', '--help', '-h', '--version', '-V', ''].includes(words[0] ?? '') || words.includes('--help')) return;
  try {
    reader().parse(words, { from: 'user' });
    const [kind] = words;
    if (!isKind(kind)) return;
    const job: AnyJob = JOBS[kind];
    const { record: _, part: _part, ...options } = optionsFromWords(job, withoutPart(words));
    completeOptions(job, options);
  } catch (error) {
    assert.fail(`${line}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `--part` is no option of a job. */
const withoutPart = (words: readonly string[]): string[] =>
  words.filter((word, at) => word !== '--part' && words[at - 1] !== '--part');

for (const document of DOCUMENTS) {
  describe(document, () => {
    const text = textOf(document);
    const code = codeIn(text);

    it('npm scripts exist', () => {
      for (const [, name] of code.matchAll(/\bnpm run ([\w:-]+)/g))
        assert.ok(name in manifest.scripts, `npm run ${name}`);
    });

    it('benchmarks exist', () => {
      for (const [, name] of code.matchAll(/\bnpm run bench -- ([a-z-]+)/g)) {
        assert.ok(exists(`bench/${name}.ts`), `npm run bench -- ${name}`);
      }
    });

    it('commands of coppice and their options exist', () => {
      for (const [line, name] of code.matchAll(/(?:\bnpx |^|\$ |`)coppice ([a-z][a-z-]*)[^|>&\n]*/gm)) {
        if (name === 'help') continue; // commander's own
        const command = program.commands.find((each) => each.name() === name);
        assert.ok(command, line);
        for (const [option] of line.matchAll(/(?<=\s)--?[a-z][\w-]*/g)) {
          assert.ok(optionsOf(command).includes(option), `${line}: ${option}`);
        }
      }
    });

    it('files exist', () => {
      for (const [path] of code.matchAll(/(?<![\w./])(?:src|test|bench|webview|media|scripts)\/[\w./-]*\w/g)) {
        if (!path.startsWith('test/out/')) assert.ok(exists(path), path); // tests write there
      }
    });

    it('blocks for the shell say what they need, and their commands are complete', () => {
      const isRun = document.startsWith('docs/');
      for (const { info } of isRun ? fencesIn(text) : []) {
        assert.ok(LANGUAGES.has(info) || /^sh needs=\S+$/.test(info), `\`\`\`${info} is no language of the documents`);
      }
      for (const { needs, commands } of shellBlocks(text)) {
        assert.ok(needs === undefined || NEEDS.has(needs), `needs=${needs}`);
        for (const line of commands) {
          const words = wordsOf(line);
          if (words[0] === 'npx' && words[1] === 'coppice') assertComplete(words.slice(2), line);
          else if (needs === undefined && isRun) assert.ok(PLAIN.has(words[0]), `${line}: say what it needs`);
        }
      }
    });
  });
}

describe('commands of documents', () => {
  it('with a mistake are refused', () => {
    for (const line of [
      'score', // its model
      'score media/sample --no-such-option',
      'score media/sample --criterion none',
      'prune media/sample --blocks 1', // where to
      'no-such-command x',
      'submit slurm score media/sample', // parts
      'inspect',
    ]) {
      assert.throws(() => assertComplete(line.split(' '), line), line);
    }
    assertComplete(wordsOf('generate media/sample --prompt "Once upon a time" --max-new-tokens 8 > text.txt'), '');
    assert.deepEqual(wordsOf(`a "b c" 'd|e' --f="g h" | i`), ['a', 'b c', 'd|e', '--f=g h']);
  });
});

describe('README.extension.md', () => {
  const text = textOf('README.extension.md');

  it('names settings that exist', () => {
    const names = [...text.matchAll(/`(coppice\.[\w.]+)`/g)].map(([, name]) => name);
    assert.ok(names.length > 3);
    for (const name of names) assert.ok(name in settingsOf(manifest), name);
  });

  it('names commands by their titles', () => {
    const titles = Object.values(JSON.parse(textOf('package.nls.json')) as Record<string, string>);
    for (const [, name] of text.matchAll(/(?<!\w)_(?:Coppice: )?([A-Z][^_\n]*)_(?!\w)/g)) {
      assert.ok(titles.includes(name) || name.startsWith('Shortened LLaMA'), name);
    }
  });
});

describe('the documents together', () => {
  it('name every benchmark', () => {
    const text = [...new Set([...DOCUMENTS, ...documents()])].map(textOf).join('\n');
    const benchmarks = filesIn('bench').filter((file) => file.endsWith('.ts') && file !== 'run.ts');
    for (const file of benchmarks) assert.ok(text.includes(`npm run bench -- ${file.replace('.ts', '')}`), file);
  });

  it('say that all benchmarks make one table, so each is in the suite and notes ratios', () => {
    const made = filesIn('bench').filter((file) => file.endsWith('.ts') && !['run.ts', 'all.ts'].includes(file));
    assert.deepEqual(made.map((file) => file.replace('.ts', '')).sort(), SUITE.map(({ name }) => name).sort());
    for (const file of made) assert.ok(textOf(`bench/${file}`).includes('noteRatio('), file);
  });
});
