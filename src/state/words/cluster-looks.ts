/** How far a run on a cluster is, in words, and why it failed. Does not use VS Code. */
import type { ClusterStatus } from '../../cluster/status';
import { messageOf, UserError } from '../../engine/errors';
import { numberRanges } from '../../format/ranges';
import { l10n } from '../../l10n';
import type { ProgressInfo } from '../../protocol/jobs';

/** Between two questions to the scheduler: soon after the start, where most faults show, then rarely. */
const FIRST_ASK_MS = 4000;
const MAX_ASK_MS = 60_000;
/** A shared folder may be away for a while: so many looks in a row may fail. */
const MAX_FAILED_LOOKS = 30;

/** Looks at a run again and again: at its folder often, and at the scheduler's queue, which many users share, rarely. */
export class Looks {
  private asked = -Infinity;
  private patience = FIRST_ASK_MS;
  private failures = 0;
  /** By the folder alone nothing goes on any more. */
  private seemsOver = false;
  /** Whether the last look was one at the queue too. */
  isSure = false;

  constructor(private readonly folder: string) {}

  /** @returns undefined if the folder is away for the moment @throws the error if it stays so */
  async next(warn: (why: string) => void): Promise<ClusterStatus | undefined> {
    const now = performance.now();
    this.isSure = this.seemsOver || now - this.asked > this.patience;
    if (this.isSure) {
      this.asked = now;
      this.patience = Math.min(MAX_ASK_MS, 2 * this.patience);
    }
    const { statusOf } = await import('../../cluster/status');
    try {
      const status = await statusOf(this.folder, this.isSure);
      this.failures = 0;
      this.seemsOver = !this.isSure && status.counts.running + status.counts.waiting === 0;
      return status;
    } catch (error) {
      if (++this.failures > MAX_FAILED_LOOKS) throw error;
      warn(messageOf(error));
      return undefined;
    }
  }
}

/** Parts of a run failed. Running it again runs these again. */
export class PartsFailed extends UserError {}

export function failedParts(folder: string, { parts }: ClusterStatus): PartsFailed {
  const failed = parts.filter(({ state }) => state === 'failed');
  const numbers = numberRanges(failed.map(({ number }) => number));
  const why = failed.find(({ error }) => error !== undefined)?.error ?? l10n.t('no reason is known');
  return new PartsFailed(
    failed.length === 1
      ? l10n.t('Part {0} of {1} failed on the cluster', numbers, parts.length)
      : l10n.t('Parts {0} of {1} failed on the cluster', numbers, parts.length),
    why.replace(/\.$/, ''),
    l10n.t('Run the failed parts again, or look into {0}.', folder),
  );
}

/** "3 of 8 parts, 2 running". */
export function progressOf({
  counts,
  parts,
  progress,
}: Pick<ClusterStatus, 'counts' | 'parts' | 'progress'>): ProgressInfo {
  const { done, running, failed } = counts;
  const words = [
    l10n.t('{0} of {1} parts', done, parts.length),
    ...(running > 0 ? [l10n.t('{0} running', running)] : []),
    ...(failed > 0 ? [l10n.t('{0} failed', failed)] : []),
  ];
  return { label: words.join(', '), done: progress, total: 1, unit: 'share' };
}
