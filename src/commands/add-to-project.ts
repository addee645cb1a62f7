/** Add to Project…: writes an example that asks an exported model into the user's project, in its own language. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../engine/errors';
import {
  KIND_WORDS,
  PROJECT_KINDS,
  type ProjectFacts,
  type ProjectKind,
  projectFacts,
} from '../engine/write/project/kinds';
import { libraryFor } from '../engine/write/project/libraries';
import { type ProjectModel, projectModel } from '../engine/write/project/model';
import { planExample, type ProjectPlan, usualFolder } from '../engine/write/project/plan';
import { writeExample } from '../engine/write/project/write';
import { type Shell, shellOf } from '../format/shell';
import { choosePath } from '../host/ask/choose-checkpoint';
import { pick } from '../host/ask/steps';
import type { Command, CommonArguments } from '../host/command';
import { inform } from '../host/inform';
import { exportedPath } from '../host/jobs/exported-path';
import { exportsFirst } from './copy-loading-code';

/** `checkpoint` is what was exported; else the user is asked. */
export interface AddToProjectArguments extends CommonArguments {
  /** The folder of the project; that of the window when undefined. */
  readonly project?: string;
  readonly kind?: ProjectKind;
  /** The new folder; a free one of the usual name when undefined. */
  readonly out?: string;
  /** Whether the model is copied; undefined shows the files and asks. */
  readonly copy?: boolean;
}

export const addToProjectCommand: Command<AddToProjectArguments> = {
  id: 'coppice.addToProject',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Add to Project');
    const path = (await exportedPath(args)) ?? (await choosePath(coppice, title, await exportsFirst(coppice)));
    const model = await projectModel(path);
    const facts = await projectFacts(args.project ?? (await chooseProject(title)));
    const kind = args.kind ?? (await chooseKind(title, facts, model));
    const out = args.out ?? freeFolder(join(facts.folder, usualFolder(kind)), kind);
    const shell = shellOf(vscode.env.shell);
    const plan = await planExample(facts, model, { kind, out, copy: args.copy }, shell);
    const copy = args.copy ?? (args.throws ? false : await askCopy(title, plan));
    settle({ ...args, checkpoint: path, project: facts.folder, kind, out, copy });
    const settled = copy ? await planExample(facts, model, { kind, out, copy }, shell) : plan;
    await writeExample(settled);
    await vscode.window.showTextDocument(vscode.Uri.file(settled.program));
    inform(args, wroteWords(settled), {
      label: vscode.l10n.t('Install and Test'),
      run: () => installAndTest(settled, shell),
    });
    return { folder: settled.folder, kind, library: settled.library, ...settled.commands };
  },
};

/** The folder of the window, the one that the user picks of several, or any. */
async function chooseProject(title: string): Promise<string> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (folders.length === 1) return folders[0].uri.fsPath;
  const picked =
    folders.length > 1
      ? (await vscode.window.showWorkspaceFolderPick({ placeHolder: vscode.l10n.t('Select the project') }))?.uri
      : (await vscode.window.showOpenDialog({ title, canSelectFiles: false, canSelectFolders: true }))?.[0];
  if (!picked) throw new CancelledError();
  return picked.fsPath;
}

/** Without a question where the files say it. What cannot load the model is shown with the reason. */
async function chooseKind(title: string, { folder, kinds }: ProjectFacts, model: ProjectModel): Promise<ProjectKind> {
  const known = kinds.filter(({ kind }) => libraryFor(model, kind) !== undefined);
  if (known.length === 1) return known[0].kind;
  if (known.length === 0 && kinds.length > 0) return kinds[0].kind; // the plan says what to export
  const choices = PROJECT_KINDS.filter((kind) => known.length === 0 || known.some((each) => each.kind === kind)).map(
    (kind) => {
      const library = libraryFor(model, kind);
      return {
        label: KIND_WORDS[kind],
        description: library?.name,
        detail: kinds.find((each) => each.kind === kind)?.file,
        value: kind,
        ...(!library && { refused: vscode.l10n.t('No library of this kind loads the model.') }),
      };
    },
  );
  const question =
    kinds.length === 0
      ? vscode.l10n.t('No file of {0} says what it is. Select its kind', basename(folder))
      : vscode.l10n.t('Select the kind of the example');
  return pick({ title, step: 1 }, question, choices, choices[0].value);
}

/** Shows what would be written. @returns whether the model is copied too */
function askCopy(title: string, { project, folder, files, model, library }: ProjectPlan): Promise<boolean> {
  const { t } = vscode.l10n;
  const names = files.map(({ name }) => name).join(', ');
  const question = t('New folder {0}, with {1}: {2}', relative(project, folder), library, names);
  return pick(
    { title, step: 1 },
    question,
    [
      {
        label: t('Write the Files'),
        description: t('the model stays where it is'),
        detail: shownPlace(project, model.loadable.path),
        value: false,
      },
      {
        label: t('Write the Files and Copy the Model'),
        description: t('into the new folder'),
        detail: t('A copy on the same disk takes no space of its own.'),
        value: true,
      },
    ],
    false,
  );
}

const shownPlace = (project: string, path: string): string => {
  const way = relative(project, path);
  return way.startsWith('..') ? path : way;
};

/** The folder, or with -2, -3 and so on; a package of Python has no hyphen. */
function freeFolder(usual: string, kind: ProjectKind): string {
  for (let at = 1; at <= MOST_FOLDERS; at++) {
    const folder = at === 1 ? usual : `${usual}${kind === 'python' ? '_' : '-'}${at}`;
    if (!existsSync(folder)) return folder;
  }
  throw new UserError(
    vscode.l10n.t('{0} cannot be used', basename(usual)),
    vscode.l10n.t('there are {0} folders of this name', MOST_FOLDERS),
    vscode.l10n.t('Delete those that you do not need.'),
  );
}

const MOST_FOLDERS = 99;

const wroteWords = ({ project, folder, library }: ProjectPlan): string =>
  vscode.l10n.t(
    'Wrote {0}, an example with {1}. Nothing else was changed; to undo it, delete the folder.',
    relative(project, folder),
    library,
  );

/** Puts the commands into a terminal. They install from the network, so the user presses Enter. */
function installAndTest({ project, commands: { install, test } }: ProjectPlan, shell: Shell): void {
  const terminal = vscode.window.createTerminal({ cwd: project, name: vscode.l10n.t('Install and Test') });
  terminal.show();
  terminal.sendText(`${install}${shell === 'powershell' ? '; ' : ' && '}${test}`, false);
}
