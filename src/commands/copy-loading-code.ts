/** Copy Code to Load It: copies a few lines that load a model and continue a text, for a library of the user's choice. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../engine/errors';
import { pairIn } from '../engine/draft/pair-file';
import { pairCode } from '../engine/write/programs/pair';
import { loadablesAt } from '../engine/write/loadables';
import { type Loadable, type LoadingCode, loadingCode } from '../engine/write/loading-code';
import type { OnnxKind } from '../engine/write/onnx/kinds';
import { shellOf } from '../format/shell';
import type { Command, CommonArguments } from '../host/command';
import { choosePath } from '../host/ask/choose-checkpoint';
import type { Coppice } from '../host/coppice';
import { writtenPair } from '../host/jobs/draft-forecast';
import { exportedPath } from '../host/jobs/exported-path';
import type { Entry } from '../state/library';

export interface LoadingCodeArguments extends CommonArguments {
  /** Of the models in an ONNX folder; undefined asks if there are several. */
  readonly kind?: OnnxKind;
  /** The library, as the list names it; undefined asks. */
  readonly library?: string;
  /** Id of the recorded run that wrote a pair: code that runs both. */
  readonly pair?: string;
}

export const copyLoadingCodeCommand: Command<LoadingCodeArguments> = {
  id: 'coppice.copyLoadingCode',
  async run(coppice, args) {
    if (args.pair !== undefined) return copied(await codeOfPair(coppice, args.pair));
    const title = vscode.l10n.t('Copy Code to Load It');
    const path = (await exportedPath(args)) ?? (await choosePath(coppice, title, await exportsFirst(coppice)));
    const isGiven = (args.kind ?? args.library) !== undefined;
    const loadables = isGiven ? [await chooseLoadable(path, args, title)] : await allLoadables(coppice, path);
    const groups = loadables.map((loadable) => ({ loadable, codes: loadingCode(loadable, shellOf(vscode.env.shell)) }));
    const given = groups.flatMap(({ codes }) => codes).find(({ library }) => library === args.library);
    return copied(given ?? (await chooseCode(title, groups)));
  },
};

async function copied({ code }: LoadingCode): Promise<string> {
  await vscode.env.clipboard.writeText(code);
  vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Code copied'), 5000);
  return code;
}

/** Set as the pair was written. @throws UserError where it has gone */
async function codeOfPair(coppice: Coppice, run: string): Promise<LoadingCode> {
  const folder = await writtenPair(coppice, run);
  const pair = await pairIn(folder);
  if (pair) return pairCode(pair.runtime, folder, pair, shellOf(vscode.env.shell));
  throw new UserError(
    vscode.l10n.t('{0} is not a pair now', folder),
    vscode.l10n.t('it was moved, or its record has gone'),
    vscode.l10n.t('Write the pair again.'),
  );
}

/** All models that can be loaded, what was exported last at the top. */
export async function exportsFirst({ tree, library }: Coppice): Promise<Entry[]> {
  const exported = (await tree.exportsOf()).map(({ path }) => path);
  const others = library.entries().filter(({ path }) => !exported.includes(path));
  return [...exported.map((path): Entry => ({ path, origin: 'workspace' })), ...others];
}

/** What an application loads is what was exported: it comes before the model itself, the last one first. */
async function allLoadables({ tree, library }: Coppice, path: string): Promise<readonly Loadable[]> {
  const identity = library.peek(path)?.identity;
  const exported = identity === undefined ? [] : await tree.exportsOf(identity);
  const places = [...exported.map((each) => each.path), path];
  return (await Promise.all(places.map(loadablesAt))).flat();
}

interface CodeGroup {
  readonly loadable: Loadable;
  readonly codes: readonly LoadingCode[];
}

/** One list: below the name of each model the libraries that load it. */
async function chooseCode(title: string, groups: readonly CodeGroup[]): Promise<LoadingCode> {
  const items = groups.flatMap(({ loadable, codes }) => [
    ...(groups.length === 1
      ? []
      : [{ label: nameOf(loadable), kind: vscode.QuickPickItemKind.Separator, code: undefined }]),
    ...codes.map((code) => ({ label: code.library, description: code.runs, detail: code.install, code })),
  ]);
  const placeHolder = vscode.l10n.t('Select a library');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder });
  if (!picked?.code) throw new CancelledError();
  return picked.code;
}

/** "sample-9-onnx · q8" */
const nameOf = (loadable: Loadable): string =>
  [basename(loadable.path), ...(loadable.format === 'onnx' ? [loadable.kind] : [])].join(' · ');

async function chooseLoadable(path: string, { kind }: LoadingCodeArguments, title: string): Promise<Loadable> {
  const found = await loadablesAt(path);
  const [first] = found;
  if (first.format !== 'onnx') return first;
  const kinds = found.flatMap((each) => (each.format === 'onnx' ? [each] : []));
  if (kind !== undefined) {
    const known = kinds.find((each) => each.kind === kind);
    if (!known) throw noSuchKind(path, kind, kinds);
    return known;
  }
  if (kinds.length === 1) return first;
  const items = kinds.map((each) => ({ label: each.kind, each }));
  const placeHolder = vscode.l10n.t('Select the type of the weights');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder });
  if (!picked) throw new CancelledError();
  return picked.each;
}

const noSuchKind = (path: string, kind: string, kinds: readonly { readonly kind: OnnxKind }[]): UserError =>
  new UserError(
    vscode.l10n.t('{0} has no {1} model', basename(path), kind),
    vscode.l10n.t('these are there: {0}', kinds.map((each) => each.kind).join(', ')),
    vscode.l10n.t('Select one of them.'),
  );
