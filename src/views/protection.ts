/** Which blocks of a model are not to be suggested, and which the user has locked altogether, by the settings. */
import { parseBlockList } from '../engine/prune/blocklist';
import { keepList } from '../engine/prune/select';

export interface Protection {
  /** Never suggested: the first four blocks and the last two unless switched off, and the user's list. */
  readonly kept: ReadonlySet<number>;
  /** The user's list, which no plan may contradict. */
  readonly locked: ReadonlySet<number>;
  /** What is wrong with the list, in words. */
  readonly fault?: string;
}

/** @param keep the setting, "5,12-14"; blocks that this model doesn't have don't count, for it serves other models too */
export function protectionOf(
  blocks: number,
  { plus, keep }: { readonly plus: boolean; readonly keep: string },
): Protection {
  const none = new Set<number>();
  if (keep === '') return { kept: keepList(blocks, { plus }), locked: none };
  try {
    const locked = parseBlockList(keep, MOST_BLOCKS, 'coppice.keep').filter((block) => block < blocks);
    return { kept: keepList(blocks, { plus, keep: locked }), locked: new Set(locked) };
  } catch (error) {
    return {
      kept: keepList(blocks, { plus }),
      locked: none,
      fault: error instanceof Error ? error.message : String(error),
    };
  }
}

/** More blocks than any model has. */
const MOST_BLOCKS = 10_000;
