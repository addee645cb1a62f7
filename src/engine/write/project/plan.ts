/** What would be written into a project, before anything is. */
import { realpath } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { Shell } from '../../../format/shell';
import { UserError } from '../../errors';
import { isInside } from '../../files/paths';
import { browserFiles } from '../programs/ask/browser';
import { type Commanded, commandsOf, type ProjectCommands, useOf } from '../programs/ask/commands';
import { type Example, type ExampleFile, type ModelPlace } from '../programs/ask/example';
import { nodeFiles } from '../programs/ask/node';
import { pythonFiles } from '../programs/ask/python';
import { exampleReadme } from '../programs/ask/readme';
import { packageJson, pinned } from '../programs/versions';
import { KIND_WORDS, type ProjectFacts, type ProjectKind } from './kinds';
import { requireLibrary } from './libraries';
import { type ModelFile, modelFiles, type ProjectModel } from './model';

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
    ...{ kind, chats, install: library.install, hasOwnPackages: ownPackages !== undefined },
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
    ...useOf(commanded),
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

const outside = (folder: string, project: string): UserError =>
  new UserError(
    `${folder} cannot be the example’s folder`,
    `it is not in the project ${project}, whose packages it needs`,
    'Name a new folder in the project.',
  );
