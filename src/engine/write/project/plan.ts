/** What would be written into a project, before anything is. */
import { realpath } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { quoted, type Shell } from '../../../format/shell';
import { UserError } from '../../errors';
import { isInside } from '../../files/paths';
import { browserFiles } from '../programs/ask/browser';
import { type Example, type ExampleFile, type ModelPlace, questionFor } from '../programs/ask/example';
import { nodeFiles } from '../programs/ask/node';
import { pythonFiles } from '../programs/ask/python';
import { exampleReadme } from '../programs/ask/readme';
import { packageJson, pinned } from '../programs/versions';
import { KIND_WORDS, type ProjectFacts, type ProjectKind } from './kinds';
import { type Library, requireLibrary } from './libraries';
import { type ModelFile, modelFiles, type ProjectModel } from './model';

/** Each is for the folder of the project. */
export interface ProjectCommands {
  readonly install: string;
  /** Asks a question; of a page, serves it. */
  readonly run: string;
  readonly test: string;
}

export interface ProjectPlan {
  readonly project: string;
  readonly kind: ProjectKind;
  readonly model: ProjectModel;
  readonly library: string;
  /** Questions are put in a conversation; else the model continues them. */
  readonly chats: boolean;
  /** The new folder, absolute. */
  readonly folder: string;
  readonly files: readonly ExampleFile[];
  /** Files of the model that are copied into the folder. */
  readonly copied: readonly ModelFile[];
  /** The file to look at first, absolute. */
  readonly program: string;
  readonly commands: ProjectCommands;
}

export interface ProjectWish {
  readonly kind: ProjectKind;
  /** The new folder; of the usual name in the project when undefined. */
  readonly out?: string;
  /** The model is copied into it. */
  readonly copy?: boolean;
}

/** A package of Python has a name that can be imported. */
export const usualFolder = (kind: ProjectKind): string => (kind === 'python' ? 'ask_model' : 'ask-model');

/** Of the model within its folder. */
const COPY = 'model';

/**
 * @param shell that the commands of the plan are for
 * @throws UserError when no library of that kind loads the model, or the folder is not in the project
 */
export async function planExample(
  facts: ProjectFacts,
  model: ProjectModel,
  wish: ProjectWish,
  shell: Shell = 'posix',
): Promise<ProjectPlan> {
  const { kind, copy = false } = wish;
  const library = requireLibrary(model, kind);
  const project = facts.folder;
  const folder = resolve(wish.out ?? join(project, usualFolder(kind)));
  if (folder === project || !isInside(folder, project)) throw outside(folder, project);
  const chats = model.chats && library.chats;
  const ownPackages = library.node && !facts.hasPackages ? packageJson(pinned(...library.node)) : undefined;
  const commanded: Commanded = {
    ...{ kind, library, chats, hasOwnPackages: ownPackages !== undefined },
    folder: relative(project, folder).split(sep).join('/'),
  };
  const commands = commandsOf(commanded, 'posix');
  const example: Example = {
    ...{
      model: model.loadable,
      name: model.name.replace(/\s+/g, ' '),
      library: library.name,
      chats,
      install: commands.install,
    },
    place: copy ? copyPlace(model) : await placeOf(model.loadable.path, project, folder),
  };
  const program = kind === 'python' ? 'ask.py' : 'ask.mjs';
  const readme = exampleReadme(example, {
    ...{ kind: KIND_WORDS[kind], program, commands: [commands.install, commands.run, commands.test], isCopy: copy },
    placed: kind === 'browser' ? 'model.mjs' : program,
    ...useOf(kind, relative(project, folder), questionFor(example)),
  });
  return {
    ...{ project, kind, model, library: library.name, chats, folder },
    commands: commandsOf(commanded, shell),
    files: [
      ...filesOf(kind, example, facts.isTyped, model.context),
      ...(ownPackages === undefined ? [] : [{ name: 'package.json', text: ownPackages }]),
      { name: 'README.md', text: readme },
    ],
    copied: copy ? await copiesOf(model) : [],
    program: join(folder, program),
  };
}

function filesOf(kind: ProjectKind, example: Example, isTyped: boolean, context: number | undefined): ExampleFile[] {
  if (kind === 'python') return pythonFiles(example, context);
  if (kind === 'browser') return browserFiles(example as Example<'onnx'>, isTyped);
  return nodeFiles(example as Example<'onnx'>, isTyped);
}

/** @param folder from the project, with "/" */
function commandsOf({ kind, folder, library, chats, hasOwnPackages }: Commanded, shell: Shell): ProjectCommands {
  const line = (...words: readonly string[]): string => words.map((word) => quoted(word, shell)).join(' ');
  const question = JSON.stringify(questionFor({ chats })); // these quotes are right in every shell
  const install = hasOwnPackages ? line('npm', 'install', '--prefix', folder) : line(...library.install);
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

/** What the commands depend on. */
interface Commanded {
  readonly kind: ProjectKind;
  readonly folder: string;
  readonly library: Library;
  readonly chats: boolean;
  readonly hasOwnPackages: boolean;
}

/** Relative where the model is in the project, so that both can move. */
async function placeOf(path: string, project: string, folder: string): Promise<ModelPlace> {
  const real = await realpath(project);
  const isRelative = isInside(path, project) || isInside(await realpath(path), real);
  if (!isRelative) return { path, isRelative };
  const from = isInside(path, project) ? folder : join(real, relative(project, folder));
  const to = isInside(path, project) ? path : await realpath(path);
  return { path: relative(from, to).split(sep).join('/'), isRelative };
}

const copyPlace = ({ loadable: { format, path } }: ProjectModel): ModelPlace => ({
  path: format === 'gguf' ? `${COPY}/${basename(path)}` : COPY,
  isRelative: true,
});

const copiesOf = async ({ loadable }: ProjectModel): Promise<ModelFile[]> =>
  (await modelFiles(loadable)).map(({ file, name }) => ({ file, name: `${COPY}/${name}` }));

/** How the project's own code imports the function. */
function useOf(
  kind: ProjectKind,
  folder: string,
  question: string,
): { readonly use: string; readonly language: string } {
  if (kind === 'python') {
    const use = `from ${folder.split(sep).join('.')}.ask import ask

print(ask(${JSON.stringify(question)}))`;
    return { use, language: 'python' };
  }
  const from = JSON.stringify(`./${folder.split(sep).join('/')}/ask.mjs`).slice(1, -1);
  const use = `import { ask } from '${from}'; // in CommonJS: const { ask } = await import('${from}');

console.log(await ask('${question}'));`;
  return { use, language: 'js' };
}

const outside = (folder: string, project: string): UserError =>
  new UserError(
    `${folder} cannot be the example’s folder`,
    `it is not in the project ${project}, whose packages it needs`,
    'Name a new folder in the project.',
  );
