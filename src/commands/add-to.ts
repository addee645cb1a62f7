/** Add to…: puts an exported model where a program of this machine looks for models, after it has said what it writes and where. */
import { basename, sep } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../engine/errors';
import type { JobOptions } from '../engine/progress';
import { formatBytes } from '../format/numbers';
import type { Command, CommonArguments } from '../host/command';
import { choosePath } from '../host/ask/choose-checkpoint';
import { exportedPath } from '../host/jobs/exported-path';
import { inform, type NextStep } from '../host/inform';
import { shortText, toast } from '../host/toast';
import { add, around, type Done, planFor } from '../places/add';
import type { Addition } from '../places/additions';
import { modelAt, nameOf, type PlacedModel, requireName } from '../places/model';
import type { Change, Place, PlaceName, Plan } from '../places/place';
import { PLACES } from '../places/places';
import { undo } from '../places/undo';
import { choosePlace } from './choose-place';
import { exportsFirst } from './copy-loading-code';
import { withProgress } from './progress-notification';

export interface AddToArguments extends CommonArguments {
  /** Undefined asks. */
  readonly place?: PlaceName;
  /** Of the model there; undefined asks. */
  readonly name?: string;
  /** The folder in which the program looks; else the usual one. */
  readonly folder?: string;
}

export const addToCommand: Command<AddToArguments> = {
  id: 'coppice.addTo',
  needsTrust: true,
  async run(coppice, args) {
    const title = vscode.l10n.t('Add to…');
    const path = (await exportedPath(args)) ?? (await choosePath(coppice, title, await exportsFirst(coppice)));
    const model = await modelAt(path);
    const folderFor = (place: Place): string | undefined => args.folder ?? taskFolder(place, path);
    const place = args.place === undefined ? await choosePlace(model, folderFor, title) : PLACES[args.place];
    const name = args.name ?? (args.throws ? undefined : await askName(model, place));
    const where = around(folderFor(place));
    const quietly = {
      location: vscode.ProgressLocation.Window,
      title: vscode.l10n.t('Looking at {0}', basename(path)),
    };
    const plan = await vscode.window.withProgress(quietly, () => planFor(place, path, where, { name }, {}));
    if (!args.throws) await confirm(plan, place);
    const adding = vscode.l10n.t('Adding {0} to {1}', plan.name, place.title);
    const run = (job: JobOptions): Promise<Done> => add(plan, where, job);
    const { addition } = await (bytesOf(plan.change) < LONG_BYTES
      ? vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: adding }, () => run({}))
      : withProgress(adding, run));
    inform(
      args,
      vscode.l10n.t('{0} is in {1} now. {2}', plan.name, place.title, plan.use),
      ...stepsAfter(plan, addition),
    );
    return addition;
  },
};

/** Copying so many takes long enough to be watched, and ended. */
const LONG_BYTES = 64 * 2 ** 20;

const bytesOf = (change: Change): number =>
  change.kind === 'folder' ? change.files.reduce((sum, each) => sum + ('file' in each ? each.bytes : 0), 0) : 0;

/** A task belongs to the folder of the model, or to the first one. */
function taskFolder({ name }: Place, path: string): string | undefined {
  if (name !== 'llama-server') return undefined;
  const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  return folders.find((folder) => path.startsWith(folder + sep)) ?? folders.at(0);
}

async function askName({ path }: PlacedModel, { title }: Place): Promise<string> {
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Add to {0}', title),
    prompt: vscode.l10n.t('The name of the model there'),
    value: nameOf(path),
    validateInput: (text) => {
      try {
        requireName(text);
        return undefined;
      } catch (error) {
        if (error instanceof UserError) return error.why;
        throw error;
      }
    },
  });
  if (name === undefined) throw new CancelledError();
  return name;
}

/** @throws CancelledError */
async function confirm({ name, change, notes }: Plan, { title }: Place): Promise<void> {
  const question = vscode.l10n.t('Add {0} to {1}?', name, title);
  const detail = [changeWords(change), ...notes, vscode.l10n.t('Nothing is overwritten, and you can undo it.')].join(
    '\n\n',
  );
  const yes = vscode.l10n.t('Add');
  if ((await vscode.window.showInformationMessage(question, { modal: true, detail }, yes)) !== yes)
    throw new CancelledError();
}

function changeWords(change: Change): string {
  switch (change.kind) {
    case 'folder': {
      const bytes = bytesOf(change);
      return vscode.l10n.t(
        'Writes {0} to {1} (files: {2}). Large files on the same disk are linked and take no room twice.',
        formatBytes(bytes),
        shortText(change.out),
        change.files.length,
      );
    }
    case 'task':
      return vscode.l10n.t('Writes the task “{0}” into {1}.', change.task.label, shortText(change.file));
    case 'ollama':
      return (
        vscode.l10n.t('Runs `ollama create`, which copies the file into Ollama’s own store, with this Modelfile:') +
        `\n\n${change.modelfile}`
      );
  }
}

function stepsAfter({ copies }: Plan, addition: Addition): NextStep[] {
  const taken = async (): Promise<void> => {
    const { left } = await undo(addition, process.env, {});
    if (left.length === 0) void toast.info(vscode.l10n.t('Took {0} back.', addition.name));
    else {
      const [{ path, why }] = left;
      void toast.warning(vscode.l10n.t('Took {0} back; {1} is left: {2}.', addition.name, path, why));
    }
  };
  return [
    { label: vscode.l10n.t('Undo'), run: () => taken().catch(tellFailure) },
    ...(copies === undefined
      ? []
      : [{ label: vscode.l10n.t('Copy Command'), run: () => vscode.env.clipboard.writeText(copies) }]),
  ];
}

function tellFailure(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
  void toast.error(`${error.what}: ${error.why}. ${error.action}`);
}

/** A button after an export, where a program that loads it is on this machine. */
export async function addToStep(path: string): Promise<NextStep[]> {
  const model = await modelAt(path).catch(() => undefined); // some folders no program of these loads
  const fitting = Object.values(PLACES).filter(({ takes }) => takes === model?.kind);
  const found = await Promise.all(fitting.map((place) => place.find(around(taskFolder(place, path)))));
  if (!found.some(({ at }) => at !== undefined)) return [];
  return [
    {
      label: vscode.l10n.t('Add to…'),
      run: () => vscode.commands.executeCommand('coppice.addTo', { checkpoint: path }),
    },
  ];
}
