/** Whether an output fits on its disk. Does not use VS Code. */
import { statfsSync } from 'node:fs';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { systemErrorCode, UserError } from '../../engine/errors';
import { formatBytes } from '../../format/numbers';
import { prunedBytes } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import { nearestParent } from './output-path';

/** Room beside the output: for what others write meanwhile, and for blocks that are not full. */
const SHARE = 1.05;
const MORE = 32 * 2 ** 20;

/** Free bytes on the disk of a path that need not exist; undefined if the system does not tell. */
export function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(nearestParent(path));
    return bavail * bsize;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Bytes of a checkpoint that is written without some blocks, at most: single modules that are left out count as kept. */
export const checkpointBytes = (checkpoint: Checkpoint, remove: readonly (number | string)[]): Promise<number> =>
  prunedBytes(
    checkpoint,
    remove.filter((entry) => typeof entry === 'number'),
  );

/** "Takes 226.5 MB of 12.4 GB that are free." */
export function spaceWords(bytes: number, free: number | undefined): string {
  if (free === undefined) return l10n.t('Takes {0}.', formatBytes(bytes));
  return l10n.t('Takes {0} of {1} that are free.', formatBytes(bytes), formatBytes(free));
}

/** Why an output of this size does not fit; undefined if it does, or the system does not tell. */
export function spaceFault(bytes: number, free: number | undefined): string | undefined {
  if (free === undefined || bytes * SHARE + MORE <= free) return undefined;
  return l10n.t('It takes {0}, and this disk has {1} free.', formatBytes(bytes), formatBytes(free));
}

/** For callers that are asked nothing. @throws UserError before anything is computed */
export function requireSpace(path: string, bytes: number | undefined, free = freeBytes(path)): void {
  const why = bytes === undefined ? undefined : spaceFault(bytes, free);
  if (why === undefined) return;
  throw new UserError(
    l10n.t('{0} does not fit on its disk', path),
    why,
    l10n.t('Free some space, or choose a folder on another disk.'),
  );
}
