/** Copy Code to Load It: copies a few lines that load a model and continue a text, for a library of the user's choice. */
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { type Loadable, loadingCode } from '../engine/write/loading-code';
import type { OnnxKind } from '../engine/write/onnx/kinds';
import { shellOf } from '../format/shell';
import type { Command, CommonArguments } from '../host/command';
import { choosePath } from '../host/choose-checkpoint';

export interface LoadingCodeArguments extends CommonArguments {
  readonly format?: Loadable['format'];
  /** Of an ONNX folder. */
  readonly kind?: OnnxKind;
  /** The library, as the list names it; undefined asks. */
  readonly library?: string;
}

export const copyLoadingCodeCommand: Command<LoadingCodeArguments> = {
  id: 'coppice.copyLoadingCode',
  async run(coppice, args) {
    const title = vscode.l10n.t('Copy Code to Load It');
    const path = args.checkpoint ?? (await choosePath(coppice, title, coppice.library.entries()));
    const codes = loadingCode(loadable(path, args), shellOf(vscode.env.shell));
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

function loadable(path: string, { format, kind = 'fp32' }: LoadingCodeArguments): Loadable {
  if (format === 'onnx') return { format, path, kind };
  return /\.gguf$/i.test(path) ? { format: 'gguf', path } : { format: 'safetensors', path };
}
