/** Which blocks the settings protect from suggestions, and which they lock. */
import { UserError } from '../engine/errors';
import type { LayerShape } from '../engine/checkpoint/architecture';
import { parseBlockList } from '../engine/checkpoint/block-list';
import { keepList } from '../engine/importance/select';
import { option } from '../engine/option-token';
import { l10n } from '../l10n';

export interface Protection {
  /** Never suggested: the first four blocks and the last two unless switched off, and the user's list. */
  readonly kept: ReadonlySet<number>;
  /** The user's list, which no plan may remove. */
  readonly locked: ReadonlySet<number>;
  /** What is wrong with the list. */
  readonly fault?: string;
}

/**
 * @param blocks of the model, or how many, if all are alike
 * @param keep the setting, "5,12-14"; it may name blocks that this model lacks, since it applies to other models too
 */
export function protectionOf(
  blocks: number | readonly LayerShape[],
  { keepEnds, keep }: { readonly keepEnds: boolean; readonly keep: string },
): Protection {
  const none = new Set<number>();
  if (keep === '') return { kept: keepList(blocks, { keepEnds }), locked: none };
  try {
    const locked = parseBlockList(keep, MAX_BLOCKS, option('keep')).filter((block) => block < countOf(blocks));
    return { kept: keepList(blocks, { keepEnds, keep: locked }), locked: new Set(locked) };
  } catch (error) {
    return {
      kept: keepList(blocks, { keepEnds }),
      locked: none,
      fault: error instanceof UserError ? error.why : String(error),
    };
  }
}

const countOf = (blocks: number | readonly LayerShape[]): number =>
  typeof blocks === 'number' ? blocks : blocks.length;

/** How many blocks can be removed. */
export function roomIn(blocks: number | readonly LayerShape[], settings: Parameters<typeof protectionOf>[1]): number {
  const count = countOf(blocks);
  return Math.max(1, Math.min(count - 1, count - protectionOf(blocks, settings).kept.size));
}

/** As `protectionOf`. @throws UserError when the list cannot be read */
export function requireProtection(
  blocks: number | readonly LayerShape[],
  settings: Parameters<typeof protectionOf>[1],
): Protection {
  const protection = protectionOf(blocks, settings);
  if (protection.fault === undefined) return protection;
  throw new UserError(
    l10n.t('Cannot read the setting coppice.keep'),
    protection.fault,
    l10n.t('Enter block numbers and ranges, such as 5,12-14, or clear it.'),
  );
}

/** More blocks than any model has. */
const MAX_BLOCKS = 10_000;
