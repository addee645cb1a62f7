/**
 * Texts of a page. Each one is an English literal in a call of `t`, as with `vscode.l10n.t`. The host puts the bundle of
 * VS Code into the page (src/editors/page-document.ts). A page without a bundle, such as a report, stays English.
 */

type Argument = string | number | boolean;

/** A text that needs a hint for translators: where it is shown, or which part of speech it is. */
interface Commented {
  readonly message: string;
  readonly args?: readonly Argument[];
  readonly comment: string | readonly string[];
}

type Bundle = Readonly<Record<string, string>>;

type Translate = (message: string | Commented, ...args: Argument[]) => string;

/** Translates by a bundle of VS Code. Its key is the message, followed by "/" and the comments where there are some. */
export function translator(bundle: Bundle): Translate {
  return (text, ...args) => {
    if (typeof text === 'string') return insert(bundle[text] ?? text, args);
    const { message, comment, args: own = [] } = text;
    const words = typeof comment === 'string' ? comment : comment.join('');
    return insert(bundle[words === '' ? message : `${message}/${words}`] ?? message, own);
  };
}

const insert = (text: string, args: readonly Argument[]): string =>
  text.replace(/\{(\d+)\}/g, (all, index: string) => String(args[Number(index)] ?? all));

/** The part of the browser that this module uses. Unit tests load the module without a document. */
interface Browser {
  readonly document?: { getElementById(id: string): { readonly textContent: string | null } | null };
}

function readBundle(): Bundle {
  const json = (globalThis as Browser).document?.getElementById('l10n')?.textContent;
  return json ? (JSON.parse(json) as Bundle) : {};
}

/** The text in the user's language, with `{0}`, `{1}` … replaced by the arguments. */
export const t: Translate = translator(readBundle());
