/** What would be written into a project, before anything is. */
import { realpath } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { quoted } from '../../../format/shell';
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

/** Each is for the folder of the project, in a shell of any system. */
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
const usualFolder = (kind: ProjectKind): string => (kind === 'python' ? 'ask_model' : 'ask-model');

/** Of the model within its folder. */
const COPY = 'model';

/** @throws UserError when no library of that kind loads the model, or the folder is not in the project */
export async function planExample(facts: ProjectFacts, model: ProjectModel, wish: ProjectWish): Promise<ProjectPlan> {
  const { kind, copy = false } = wish;
  const library = requireLibrary(model, kind);
  const project = facts.folder;
  const folder = resolve(wish.out ?? join(project, usualFolder(kind)));
  if (folder === project || !isInside(folder, project)) throw outside(folder, project);
  const chats = model.chats && library.chats;
  const ownPackages = library.node && !facts.hasPackages ? packageJson(pinned(...library.node)) : undefined;
  const commands = commandsOf(
    kind,
    relative(project, folder).split(sep).join('/'),
    library,
    chats,
    ownPackages !== undefined,
  );
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
    ...{ project, kind, model, library: library.name, chats, folder, commands },
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

function commandsOf(
  kind: ProjectKind,
  folder: string,
  { install }: Library,
  chats: boolean,
  hasOwnPackages: boolean,
): ProjectCommands {
  const at = (name: string): string => quoted(name === '' ? folder : `${folder}/${name}`, 'posix');
  const question = JSON.stringify(questionFor({ chats }));
  if (kind === 'python') {
    return { install, run: `python ${at('ask.py')} ${question}`, test: `python -m unittest discover -s ${at('')}` };
  }
  return {
    install: hasOwnPackages ? `npm install --prefix ${at('')}` : install,
    run: kind === 'browser' ? `node ${at('serve.mjs')}` : `node ${at('ask.mjs')} ${question}`,
    test: `node --test ${at('ask.test.mjs')}`,
  };
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
