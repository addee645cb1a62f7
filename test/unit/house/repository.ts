/** The repository as the tests of the house look at it: its tracked files, and what each module of it imports. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');

/** Text of a file of the repository. */
export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Whether a file or folder of the repository exists. */
export const exists = (file: string): boolean => existsSync(join(root, file));

/** Names in a folder of the repository. */
export const filesIn = (folder: string): string[] => readdirSync(join(root, folder));

/** TypeScript files below a folder, with forward slashes. */
export const sourcesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.split(sep).join('/')}`);

/** Tracked files that exist, with forward slashes; undefined outside a git checkout. */
export function trackedFiles(): string[] | undefined {
  if (!exists('.git')) return undefined;
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  return list.split('\0').filter((file) => file !== '' && exists(file));
}

/** One import of a module. */
export interface Import {
  readonly file: string;
  /** What is imported: a package, or for a relative import the path inside the repository, without ending. */
  readonly target: string;
  /** Types only, which are gone at run time. */
  readonly typeOnly: boolean;
}

const IMPORT =
  /(?:^|\n)\s*(?<statement>(?:import|export)\s+(?<type>type\s)?[^;'"]*?from\s*|import\s*)['"](?<from>[^'"\n]+)['"]|\b(?:import|require)\(\s*['"](?<called>[^'"\n]+)['"]/g;

/** Everything that `file` imports, statically or by a call with a literal name. */
export function importsOf(file: string): Import[] {
  return [...textOf(file).matchAll(IMPORT)].map(({ groups = {} }) => {
    const name = groups.from ?? groups.called;
    const target = name.startsWith('.')
      ? relative(root, resolve(root, dirname(file), name))
          .split(sep)
          .join('/')
      : name;
    return { file, target, typeOnly: groups.type !== undefined };
  });
}
