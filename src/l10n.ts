/**
 * Texts that the user sees, in files of the host that plain Node loads too: the editor's description of a file, the
 * client of the sidecar. In VS Code they go through `vscode.l10n`, in tests they stay as they are written.
 */

/** `vscode.l10n.t` is one. */
type Translate = (message: string, ...args: (string | number | boolean)[]) => string;

let translate: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (all, index: string) => String(args[Number(index)] ?? all));

let language = 'en';

export const l10n: { readonly t: Translate; readonly language: string } = {
  t: (message, ...args) => translate(message, ...args),
  get language() {
    return language;
  },
};

/** From now on texts are translated by `by` into a language, such as "en". */
export function translateBy(by: Translate, to = 'en'): void {
  translate = by;
  language = to;
}
