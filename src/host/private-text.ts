/** Takes out of a text what tells who and where somebody is: paths, names of the user and the machine, keys. Does not use VS Code. */
import { escapeRegExp } from '../format/words';

export interface PrivateNames {
  /** Folders and files that the user works with, absolute: they may have blanks. */
  readonly paths: readonly string[];
  /** Of the user and of the machine. */
  readonly names: readonly string[];
}

/** Rates, such as "tokens/s", are not paths. */
const RATE = /^[("]?[\w.%]+\/(s|step|token|block|min|h)[).,;:]*$/;
/** Too short a name would take letters out of words. */
const LEAST_NAME = 3;

/** The text with `<path>`, `<name>` and `<key>` in place of what is private. More is taken out than must be, never less. */
export function withoutPrivate(text: string, { paths, names }: PrivateNames): string {
  const known = [...paths]
    .filter((path) => path.length > 1)
    .sort((a, b) => b.length - a.length)
    .flatMap((path) => [path, path.replaceAll('\\', '/'), path.replaceAll('\\', '\\\\')]);
  let clean = text;
  for (const path of known)
    clean = clean.replaceAll(new RegExp(`(file:/*)?${escapeRegExp(path)}[^\\s"'“”<>|,;)]*`, 'gi'), '<path>');
  clean = clean
    .replace(/\b(hf|ghp|gho|github_pat|sk)[_-]\w{8,}/g, '<key>')
    .replace(/\bBearer \S+/gi, '<key>')
    .replace(/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '<name>')
    // Whatever else has a slash, with the blanks of quoted paths.
    .replace(/(["'“])([^"'“”\n]*[/\\][^"'“”\n]*)(["'”])/g, '$1<path>$3')
    .replace(/\S*[/\\]\S*/g, (word) => (RATE.test(word) || word.includes('<path>') ? word : `<path>${endOf(word)}`));
  for (const name of names) {
    if (name.length >= LEAST_NAME)
      clean = clean.replaceAll(new RegExp(`(?<![\\w])${escapeRegExp(name)}(?![\\w])`, 'gi'), '<name>');
  }
  return clean;
}

/** The full stop or colon behind a path belongs to the sentence. */
const endOf = (word: string): string => /[.,:;)]*$/.exec(word)![0];
