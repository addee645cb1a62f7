/** Copy Code to Load It: copies a few lines that load a model and continue a text, for a library of the user's choice. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../engine/errors';
import { loadablesAt } from '../engine/write/loadables';
import { type Loadable, loadingCode } from '../engine/write/loading-code';
import type { OnnxKind } from '../engine/write/onnx/kinds';
import { shellOf } from '../format/shell';
import type { Command, CommonArguments } from '../host/command';
import { choosePath } from '../host/choose-checkpoint';

export interface LoadingCodeArguments extends CommonArguments {
  /** Of the models in an ONNX folder; undefined asks if there are several. */
  readonly kind?: OnnxKind;
  /** The library, as the list names it; undefined asks. */
  readonly library?: string;
}

export const copyLoadingCodeCommand: Command<LoadingCodeArguments> = {
  id: 'coppice.copyLoadingCode',
  async run(coppice, args) {
    const title = vscode.l10n.t('Copy Code to Load It');
    const path = args.checkpoint ?? (await choosePath(coppice, title, coppice.library.entries()));
    const codes = loadingCode(await chooseLoadable(path, args, title), shellOf(vscode.env.shell));
    const items = codes.map((code) => ({ label: code.library, description: code.runs, detail: code.install, code }));
    const picked =
      items.find(({ label }) => label === args.library) ??
      (await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Select a library') }));
    if (!picked) throw new CancelledError();
    const { code } = picked.code;
    await vscode.env.clipboard.writeText(code);
    vscode.window.setStatusBarMessage(vscode.l10n.t('$(check) Code copied'), 5000);
    return code;
  },
};

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
