/**
 * A view of a model: the attention and FFN modules in use. Pruning means leaving out a part, so Coppice evaluates every
 * what-if model without writing it (Shortened LLaMA, §3.1; single modules: §5.2, Table 6).
 */
import { UserError } from '../errors';

/** Per block, whether its attention and its FFN (each with its norm) are kept. */
export interface View {
  readonly attention: readonly boolean[];
  readonly ffn: readonly boolean[];
}

export type Half = 'attention' | 'ffn';

/** A block to leave out, or one of its two modules. */
export interface RemovedPart {
  readonly block: number;
  readonly part?: Half;
}

/** One step of the residual stream: a block, or its kept part. */
export interface Step {
  readonly block: number;
  readonly attention: boolean;
  readonly ffn: boolean;
}

/** The whole model of `blocks` blocks. */
export function fullView(blocks: number): View {
  return { attention: Array<boolean>(blocks).fill(true), ffn: Array<boolean>(blocks).fill(true) };
}

/** The model without the given parts. */
export function viewWithout(blocks: number, removed: readonly RemovedPart[]): View {
  const gone = (part: Half): boolean[] =>
    Array.from({ length: blocks }, (_, i) => removed.some((r) => r.block === i && (r.part ?? part) === part));
  return { attention: gone('attention').map((g) => !g), ffn: gone('ffn').map((g) => !g) };
}

/** The parts that a view leaves out: whole blocks first, then single modules, each ascending. */
export function removedParts(view: View): RemovedPart[] {
  const indices = view.attention.map((_, block) => block);
  return [
    ...indices.filter((b) => !view.attention[b] && !view.ffn[b]).map((block) => ({ block })),
    ...indices.flatMap((block): RemovedPart[] => {
      if (view.attention[block] === view.ffn[block]) return [];
      return [{ block, part: view.attention[block] ? 'ffn' : 'attention' }];
    }),
  ];
}

/** The parts that `left` lacks of `whole`, in the order of `removedParts`. */
export const partsBetween = (whole: View, left: View): RemovedPart[] =>
  removedParts({
    attention: whole.attention.map((had, block) => !had || left.attention[block]),
    ffn: whole.ffn.map((had, block) => !had || left.ffn[block]),
  });

/** The kept parts in the order of the residual stream; with `split`, attention and FFN are separate steps. */
export function stepsOf(view: View, split = false): Step[] {
  return view.attention.flatMap((attention, block): Step[] => {
    const ffn = view.ffn[block];
    const halves = [
      { block, attention, ffn: false },
      { block, attention: false, ffn },
    ];
    const steps = split ? halves : [{ block, attention, ffn }];
    return steps.filter((s) => s.attention || s.ffn);
  });
}

/**
 * Reads "10,11,20-23,12.ffn,3.attention".
 * @throws UserError for anything else, and for blocks that the model does not have
 */
export function parseRemoved(text: string, blocks: number): RemovedPart[] {
  const parts = text.split(',').flatMap((raw): RemovedPart[] => {
    const piece = raw.trim();
    const match = /^(\d{1,6})(?:-(\d{1,6}))?(?:\.(attention|ffn))?$/.exec(piece);
    if (!match) return unreadable(text, piece, 'is not a block, range or module');
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return unreadable(text, piece, 'ends before it starts');
    if (last >= blocks) return unreadable(text, piece, `is beyond the last block, ${blocks - 1}`);
    const part = match[3] as Half | undefined;
    return Array.from({ length: last - first + 1 }, (_, i) =>
      part ? { block: first + i, part } : { block: first + i },
    );
  });
  return removedParts(viewWithout(blocks, parts));
}

/**
 * Parses whole blocks by number and modules by name, in the form of JSON: [10, "12.ffn"].
 * @throws UserError for anything else, and for blocks that the model lacks
 */
export const removedFrom = (entries: readonly (number | string)[], blocks: number): RemovedPart[] =>
  entries.length === 0 ? [] : parseRemoved(entries.join(','), blocks);

/** The form of JSON: whole blocks as numbers, modules by name. */
export const removedJson = (removed: readonly RemovedPart[]): (number | string)[] =>
  removed.map(({ block, part }) => (part === undefined ? block : `${block}.${part}`));

function unreadable(list: string, piece: string, why: string): never {
  throw new UserError(
    `Cannot read the list of removed blocks "${list}"`,
    `"${piece}" ${why}`,
    'Write 0-based block numbers, ranges or modules, such as 10,20-23,12.ffn,3.attention.',
  );
}
