/**
 * Open from Hugging Face…: opens a model that the cache of Hugging Face has, or downloads one by its name. Nothing goes to the
 * network before the user has chosen to look up a name, and nothing is downloaded before its size was confirmed.
 */
import { statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { nearestFolder } from '../engine/files/target';
import { formatBytes } from '../format/numbers';
import type { Command, CommonArguments } from '../host/command';
import { requireTrusted } from '../host/restricted';
import { pick } from '../host/ask/steps';
import { type CachedModel, cachedModels, hubCacheFolder } from '../hub/cache';
import {
  describeModel,
  downloadModel,
  type HubModel,
  type HubPlace,
  hubPlace,
  isModelId,
  withGguf,
} from '../hub/download';
import { openCheckpointCommand } from './open-checkpoint';
import { withProgress } from './progress-notification';

export interface OpenFromHubArguments extends CommonArguments {
  /** "org/name"; one that is not in the cache is downloaded, after a confirmation unless the caller handles errors itself. */
  readonly model?: string;
}

export const openFromHubCommand: Command<OpenFromHubArguments> = {
  id: 'coppice.openFromHub',
  async run(coppice, args, settle) {
    const cache = hubCacheFolder();
    const known = await cachedModels(cache);
    const wanted = args.model ?? (await choose(known, cache));
    settle({ ...args, model: wanted });
    const there = known.find(({ id }) => id === wanted);
    const folder = there?.folder ?? (await download(wanted, cache, !args.throws));
    return openCheckpointCommand.run(coppice, { checkpoint: folder }, settle);
  },
};

type Item = vscode.QuickPickItem & { readonly id?: string };

/** Lists the models of the cache. A name that is typed and not among them can be downloaded. */
function choose(known: readonly CachedModel[], cache: string): Promise<string> {
  const { t } = vscode.l10n;
  const box = vscode.window.createQuickPick<Item>();
  box.title = t('Open from Hugging Face');
  box.placeholder = t('Select a downloaded model, or enter a name such as HuggingFaceTB/SmolLM2-135M');
  box.ignoreFocusOut = true;
  const cached = known.map(({ id, bytes }): Item => ({
    id,
    label: `$(database) ${id}`,
    description: formatBytes(bytes),
  }));
  const fill = (): void => {
    const name = box.value.trim();
    const isNew = isModelId(name) && !known.some(({ id }) => id === name);
    const found = { id: name, label: t('$(cloud-download) Look up {0} on huggingface.co', name), alwaysShow: true };
    const none = { label: t('No model in {0}', shortPath(cache)), alwaysShow: true };
    box.items = [...cached, ...(isNew ? [found] : cached.length === 0 ? [none] : [])];
  };
  fill();
  return new Promise<string>((resolve, reject) => {
    box.onDidChangeValue(fill);
    box.onDidAccept(() => {
      const id = box.selectedItems[0]?.id;
      if (id !== undefined) resolve(id);
    });
    box.onDidHide(() => reject(new CancelledError()));
    box.show();
  }).finally(() => box.dispose());
}

/** @param asks whether the user confirms the download @throws UserError, CancelledError */
async function download(id: string, cache: string, asks: boolean): Promise<string> {
  const { t } = vscode.l10n;
  requireTrusted(vscode.workspace.isTrusted);
  const place = await hubPlace(cache);
  const described = await withProgress(t('Looking up {0}', id), (job) => describeModel(id, place, job));
  const model = await chooseGguf(described);
  if (asks) await confirm(model, place);
  return withProgress(t('Downloading {0}', id), (job) => downloadModel(model, place, job));
}

async function chooseGguf(model: HubModel): Promise<HubModel> {
  if (model.gguf.length < 2) return model;
  const choices = model.gguf.map((file) => ({ label: file.path, description: formatBytes(file.bytes), value: file }));
  const place = { title: vscode.l10n.t('Open from Hugging Face'), step: 1 };
  const file = await pick(place, vscode.l10n.t('Select a file of {0}', model.id), choices);
  return typeof file === 'symbol' ? model : withGguf(model, file);
}

/** @throws CancelledError */
async function confirm({ id, files, bytes }: HubModel, { address, cache }: HubPlace): Promise<void> {
  const { t } = vscode.l10n;
  const { bavail, bsize } = await statfs(await nearestFolder(cache));
  const detail = [
    files.length === 1
      ? t('1 file, {0}, from {1}', formatBytes(bytes), new URL(address).host)
      : t('{0} files, {1}, from {2}', files.length, formatBytes(bytes), new URL(address).host),
    t(
      'They go to {0}, which other programs use too; {1} are free there.',
      shortPath(cache),
      formatBytes(bavail * bsize),
    ),
  ].join('\n');
  const go = t('Download');
  const answer = await vscode.window.showInformationMessage(t('Download {0}?', id), { modal: true, detail }, go);
  if (answer !== go) throw new CancelledError();
}

const shortPath = (path: string): string => (path.startsWith(homedir()) ? `~${path.slice(homedir().length)}` : path);
