/** The commands that install, run and test the example, and the lines that use it. */
import { quoted, type Shell } from '../../../../format/shell';
import type { ProjectKind } from '../../project/kinds';
import { questionFor } from './example';

/** Each is for the folder of the project. */
export interface ProjectCommands {
  readonly install: string;
  /** Asks a question; of a page, serves it. */
  readonly run: string;
  readonly test: string;
}

export function commandsOf(
  { kind, folder, install: words, chats, hasOwnPackages }: Commanded,
  shell: Shell,
): ProjectCommands {
  const line = (...all: readonly string[]): string => all.map((word) => quoted(word, shell)).join(' ');
  const question = JSON.stringify(questionFor({ chats })); // these quotes are right in every shell
  const install = hasOwnPackages ? line('npm', 'install', '--prefix', folder) : line(...words);
  if (kind === 'python') {
    const test = line('python', '-m', 'unittest', 'discover', '-s', folder);
    return { install, run: `${line('python', `${folder}/ask.py`)} ${question}`, test };
  }
  const test = line('node', '--test', `${folder}/ask.test.mjs`);
  const page = kind === 'browser';
  return {
    install,
    run: page ? line('node', `${folder}/serve.mjs`) : `${line('node', `${folder}/ask.mjs`)} ${question}`,
    test,
  };
}

/** What commands and imports depend on. */
export interface Commanded {
  readonly kind: ProjectKind;
  /** Of the example, from the project's folder, with "/". */
  readonly folder: string;
  /** The words of the command that installs the library. */
  readonly install: readonly string[];
  readonly chats: boolean;
  /** The folder has a package.json of its own. */
  readonly hasOwnPackages: boolean;
}

/** How the project's own code imports the function. */
export function useOf({ kind, folder, chats }: Commanded): { readonly use: string; readonly language: string } {
  const question = questionFor({ chats });
  if (kind === 'python') {
    const use = `from ${folder.split('/').join('.')}.ask import ask

print(ask(${JSON.stringify(question)}))`;
    return { use, language: 'python' };
  }
  const from = JSON.stringify(`./${folder}/ask.mjs`).slice(1, -1);
  const use = `import { ask } from '${from}'; // in CommonJS: const { ask } = await import('${from}');

console.log(await ask('${question}'));`;
  return { use, language: 'js' };
}
