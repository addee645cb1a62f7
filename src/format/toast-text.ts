/**
 * A text for a notification: short, one paragraph, without stack, absolute paths and regular expressions. A notification is read
 * in passing; the log has the whole text.
 */
import { withoutLinks } from './no-links';

/** A longer text is cut: VS Code shows five lines or so. */
const MOST = 400;
/** Parts of a path that are kept: a file and its folder tell which one it is. */
const LAST_PARTS = 2;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/g;
/** What only regular expressions have: classes, groups, sets. */
const PATTERN = /\\[pPsSdDwWbB]|\(\?|\[\^|\[[^\]\s]*-[^\]\s]*\][+*{]/;
/** Two parts at least, and nothing before them that would make them an address or a rate: "https://…", "tokens/s". */
const PATH = /(?<![\w.:/\\~<*}\]-])(?:[A-Za-z]:|…|~)?(?:[/\\]+[^\s/\\"'“”‘’:,;()<>|]+){2,}[/\\]?/g;

export interface KnownFolders {
  /** Of the workspace: files are named from there. */
  readonly workspace: readonly string[];
  /** Others whose names may have blanks: the user's, the extension's, the one for temporary files. */
  readonly others: readonly string[];
}

export function toastText(text: string, { workspace, others }: KnownFolders): string {
  const [head] = text.split(/\n\s+at /, 1);
  const withoutPatterns = head.replace(QUOTED, (quoted) => (PATTERN.test(quoted) ? '“…”' : quoted));
  const named = shortened(
    shortened(withoutPatterns.replaceAll(/file:\/\/(?=[/\\])/g, ''), workspace, ''),
    others,
    '…/',
  );
  const words = withoutLinks(named.replace(PATH, lastParts)).replaceAll(/\s+/g, ' ').trim();
  if (words.length <= MOST) return words;
  const cut = words.slice(0, MOST);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), MOST / 2)).replace(/[\s.,:;]+$/, '')} …`;
}

/** The longest folder first: one may lie in another. */
function shortened(text: string, folders: readonly string[], by: string): string {
  const longestFirst = [...folders].filter((folder) => folder.length > 1).sort((a, b) => b.length - a.length);
  return longestFirst.reduce(
    (shorter, folder) => shorter.replaceAll(`${folder}/`, by).replaceAll(`${folder}\\`, by),
    text,
  );
}

/** "/home/me/models/smol/tokenizer.json" → "…/smol/tokenizer.json". The full stop behind a path stays with the sentence. */
function lastParts(path: string): string {
  const [, body, end] = /^(.*?)([./\\]*)$/s.exec(path)!;
  const parts = body.split(/[/\\]+/).filter((part) => part !== '' && part !== '…');
  return `…/${parts.slice(-LAST_PARTS).join('/')}${end.replaceAll(/[/\\]/g, '')}`;
}
