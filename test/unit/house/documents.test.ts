/** The documents speak of what is there: commands, options, scripts, benchmarks, files. */
import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { buildProgram } from '../../../src/cli/program';
import { type SettingGroup, settingsOf } from '../../../src/jobs/settings';
import { exists, filesIn, textOf } from './repository';

const DOCUMENTS = [
  'README.md',
  'README.extension.md',
  'README.npm.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/peers/README.md',
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
      for (const [line, name] of code.matchAll(/(?:\bnpx |^|\$ |`)coppice ([a-z-]+)[^|>&\n]*/gm)) {
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
      for (const [, link] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        assert.ok(exists(document.includes('/') ? `${document.replace(/[^/]*$/, '')}${link}` : link), link);
      }
    });
  });
}

describe('README.extension.md', () => {
  const text = textOf('README.extension.md');

  it('names settings that exist', () => {
    const names = [...text.matchAll(/`(coppice\.[\w.]+)`/g)].map(([, name]) => name);
    assert.ok(names.length > 3);
    for (const name of names) assert.ok(name in settingsOf(manifest), name);
  });

  it('names commands by their titles', () => {
    const titles = Object.values(JSON.parse(textOf('package.nls.json')) as Record<string, string>);
    for (const [, name] of text.matchAll(/_(?:Coppice: )?([A-Z][^_\n]*)_/g)) {
      assert.ok(titles.includes(name) || name.startsWith('Shortened LLaMA'), name);
    }
  });
});

describe('README.md: completeness', () => {
  const text = textOf('README.md');

  it('names every command', () => {
    for (const command of program.commands) assert.ok(text.includes(`coppice ${command.name()}`), command.name());
  });

  it('names every benchmark', () => {
    const benchmarks = filesIn('bench').filter((file) => file.endsWith('.ts') && file !== 'run.ts');
    for (const file of benchmarks) assert.ok(text.includes(`npm run bench -- ${file.replace('.ts', '')}`), file);
  });
});
