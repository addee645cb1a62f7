/**
 * Save as Recipe…: what was clicked together becomes a file, which makes the same again. Without runs, those that lead to
 * the plan become its steps.
 */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { modelSize } from '../engine/checkpoint/parameters';
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import { openCheckpoint } from '../engine/checkpoint/open';
import { UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { hashFile } from '../engine/files/regular-file';
import { writeWhole } from '../engine/files/whole-file';
import { InputWatch } from '../engine/records/changes';
import { modelInput, modelName } from '../engine/records/record';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { formatBytes } from '../format/numbers';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { recordFolders } from '../host/jobs/record-folders';
import { RECIPE_SUFFIX } from '../recipes/recipe';
import { copyPlaces, textsFolder } from '../recipes/save/copies';
import { savedRuns } from '../recipes/save/read-runs';
import type { SaveRequest } from '../recipes/save/request';
import type { SavedRun } from '../recipes/save/runs';
import { recipeOf, type SavedRecipe } from '../recipes/save/save';
import { protectionOf } from '../state/protection';

export interface SaveRecipeArguments extends CommonArguments {
  /** File names of the runs that become steps, with what they need; undefined for those that lead to the plan. */
  readonly runs?: readonly string[];
  /** The recipe's file, which must not exist; undefined asks. */
  readonly out?: string;
}

export interface SavedFile extends Pick<SavedRecipe, 'steps' | 'left'> {
  readonly file: string;
}

export const saveAsRecipeCommand: Command<SaveRecipeArguments> = {
  id: 'coppice.saveAsRecipe',
  async run(coppice, args): Promise<SavedFile | undefined> {
    const chosen = await chooseCheckpoint(coppice, args, vscode.l10n.t('Save as Recipe'), { prefers: 'plan' });
    const runs = await savedRuns(recordFolders(coppice));
    const draft = requestOf(coppice, chosen, args, runs, join(usualFolder(), `model${RECIPE_SUFFIX}`));
    const { runs: used, gives } = recipeOf(draft); // before any question: there may be nothing to save
    if (args.out === undefined && !(await wantsIt(await bytesOf(gives), chosen.checkpoint.size.all))) return undefined;
    const file = args.out === undefined ? await askFile() : resolve(args.out);
    if (file === undefined) return undefined;
    await requirePlace(file, chosen, args.out !== undefined);
    const changed = await changesOf(runs, used, chosen);
    const request = { ...draft, file, runs: runs.map((run) => ({ ...run, changed: changed.get(run.id) })) };
    const instead = await copies(coppice, recipeOf(request).reads, file);
    const { text, steps, left } = recipeOf({ ...request, instead });
    await writeWhole(file, text);
    if (instead.size > 0) await mkdir(textsFolder(file), { recursive: true });
    for (const [from, to] of instead) await copyFile(from, to);
    await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
    coppice.log.info(`saved ${steps.length} steps as ${file}`);
    return { file, steps, left };
  },
};

function requestOf(
  { plans, config, context }: Coppice,
  { path, checkpoint, architecture, subject }: Chosen,
  { runs: chosen }: SaveRecipeArguments,
  runs: readonly SavedRun[],
  file: string,
): SaveRequest {
  const { length: blocks } = architecture.layers;
  const { keepEnds } = config;
  return {
    file,
    installation: context.extensionUri.fsPath,
    runs,
    chosen,
    model: {
      path,
      name: modelName(checkpoint),
      identity: checkpoint.identity,
      blocks,
      size: modelSize(architecture),
      quantized: isQuantizedGguf(checkpoint),
    },
    plan: {
      removed: plans.removed(subject),
      choice: plans.choice(subject),
      keepEnds,
      keep: [...protectionOf(blocks, config).locked],
    },
  };
}

/** Of what the runs made; 0 where nothing is known of it. */
async function bytesOf(gives: SavedRecipe['gives']): Promise<number> {
  if (gives === undefined || gives.bytes !== undefined) return gives?.bytes ?? 0;
  const made = await openCheckpoint(gives.path).catch(() => undefined); // it may be gone
  return made?.size.all ?? 0;
}

/** A recipe whose result is larger than the model is asked about before it is written. */
async function wantsIt(gives: number, now: number): Promise<boolean> {
  if (gives <= now) return true;
  const { t } = vscode.l10n;
  const save = t('Save All the Same');
  const question = t('What this recipe makes is larger than the model');
  const detail = t(
    'The last of its runs wrote {0}, and the model has {1}. An export to smaller types, or with the types of a GGUF file, makes it smaller.',
    formatBytes(gives),
    formatBytes(now),
  );
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, save)) === save;
}

const usualFolder = (): string => vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';

/** The dialog asks before it replaces a file. */
async function askFile(): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, `model${RECIPE_SUFFIX}`) }),
    filters: { [vscode.l10n.t('Recipes')]: [RECIPE_SUFFIX.slice(1), 'json'] },
    title: vscode.l10n.t('Save as Recipe'),
  });
  return target?.fsPath;
}

/** @throws UserError for a place inside a checkpoint, and for a file that is there and that nobody agreed to replace */
async function requirePlace(file: string, { checkpoint }: Chosen, isNew: boolean): Promise<void> {
  const refuse = (why: string): UserError =>
    new UserError(vscode.l10n.t('{0} cannot be written', file), why, vscode.l10n.t('Choose another location.'));
  if (isInside(dirname(file), checkpoint.folder)) {
    throw refuse(vscode.l10n.t('it would be inside the checkpoint, and Coppice never writes there'));
  }
  if (isNew && (await stat(file).catch(() => undefined))) throw refuse(vscode.l10n.t('it exists already'));
}

/** Inputs of the used runs that have changed since, by run, in words. */
async function changesOf(
  runs: readonly SavedRun[],
  used: readonly string[],
  { checkpoint }: Chosen,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const watch = new InputWatch();
  const given = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const found = new Map<string, readonly string[]>();
  for (const { id, file, record } of runs.filter((run) => used.includes(run.id))) {
    const known = [modelInput(checkpoint)];
    found.set(id, (await watch.check(record.inputs, dirname(file), { known, given })).changed);
  }
  return found;
}

/**
 * Bundled texts move with every version of the extension, so the recipe gets copies in a folder of its own. A file that is
 * there and has other bytes stays, and the bundled one is named.
 */
async function copies({ context }: Coppice, reads: readonly string[], file: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [from, to] of copyPlaces(reads, context.extensionUri.fsPath, file)) {
    const there = await stat(to).catch(() => undefined);
    if (there === undefined || (there.isFile() && (await hashFile(to)) === (await hashFile(from)))) found.set(from, to);
  }
  return found;
}
