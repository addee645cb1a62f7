/** Texts for a language model, as long as it may be: tables lose their least important rows, and say so. */
import { formatCounted } from '../format/words';
import type { TextBudget } from './tool';

/** A table. Columns whose name starts with ">" are right-aligned. */
export interface TablePiece {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Numbers of the rows from most to least important; their order if absent. */
  readonly importance?: readonly number[];
}

/** A text of a model, which may be cut at its end. */
export interface LongPiece {
  readonly long: string;
}

/** Lines, tables and long texts, from top to bottom. */
export type Piece = string | TablePiece | LongPiece;

/** Steps in which pieces get shorter. */
const STEPS = 32;
const CUT = '… (cut: the answer may not be longer)';

/** The pieces as one text of at most the budget. */
export async function answerText(pieces: readonly Piece[], budget: TextBudget): Promise<string> {
  const whole = joined(pieces, 1);
  if ((await budget.count(whole)) <= budget.most) return whole;
  let [fits, over] = [0, STEPS];
  while (over - fits > 1) {
    const middle = Math.floor((fits + over) / 2);
    if ((await budget.count(joined(pieces, middle / STEPS))) <= budget.most) fits = middle;
    else over = middle;
  }
  return cutTo(joined(pieces, fits / STEPS), budget);
}

/** Cuts at the end where nothing else helps. */
async function cutTo(text: string, budget: TextBudget): Promise<string> {
  let kept = text;
  while (kept !== '' && (await budget.count(`${kept}\n${CUT}`)) > budget.most) {
    if (kept === text && (await budget.count(text)) <= budget.most) return text;
    kept = kept.slice(0, Math.floor(kept.length * 0.8));
  }
  return kept === text ? text : `${kept}\n${CUT}`;
}

const joined = (pieces: readonly Piece[], share: number): string =>
  pieces.flatMap((piece) => shortened(piece, share)).join('\n');

function shortened(piece: Piece, share: number): string[] {
  if (typeof piece === 'string') return [piece];
  if ('long' in piece) return [shortText(piece.long, share)];
  const { names, rows } = piece;
  const importance: readonly number[] = piece.importance ?? [...rows.keys()];
  const count = Math.ceil(rows.length * share);
  const kept = new Set(importance.slice(0, count));
  const left = rows.length - kept.size;
  return [
    ...tableText(
      names,
      rows.filter((_, i) => kept.has(i)),
    ),
    ...(left > 0 ? [`(${formatCounted(left, 'row')} left out, the least important ones)`] : []),
  ];
}

function shortText(text: string, share: number): string {
  const kept = Math.ceil(text.length * share);
  const left = text.length - kept;
  return left > 0 ? `${text.slice(0, kept)}… (${formatCounted(left, 'character')} left out)` : text;
}

/** Columns of equal width. */
function tableText(names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const head = names.map((name) => name.replace(/^>/, ''));
  const width = head.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (names[c].startsWith('>') ? cell.padStart(width[c]) : cell.padEnd(width[c])))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** A name or a path from outside in a line of an answer: it cannot start a line of its own. */
export const inLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();

/** Characters of a token of English text, where nothing can count. */
const CHARACTERS_PER_TOKEN = 4;

/** A budget where the host cannot count. */
export const roughBudget = (most: number): TextBudget => ({
  most,
  count: (text) => Promise.resolve(Math.ceil(text.length / CHARACTERS_PER_TOKEN)),
});
