/**
 * Texts that the user sees, in files of the host that plain Node loads too: the editor's description of a file, the
 * client of the sidecar. In VS Code they go through `vscode.l10n`, in tests they stay as they are written.
 */

/** `vscode.l10n.t` is one. */
type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

let translate: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (all, index: string) => String(args[Number(index)] ?? all));

export const l10n: { readonly t: Translate } = { t: (message, ...args) => translate(message, ...args) };

/** From now on texts are translated by `by`. */
export function translateBy(by: Translate): void {
  translate = by;
}
