/** Whether the scores of a checkpoint still hold: they do until its files, or the text that they were measured on, change. */
import { stat } from 'node:fs/promises';
import { UserError } from '../engine/errors';
import { hashFile } from '../engine/files/regular-file';
import { l10n } from '../l10n';
import type { PlanSubject } from './plan';
import type { Scores, ScoreStore } from './scores';

/** Larger files are not read for this. */
const MAX_BYTES = 64 * 2 ** 20;

/** The scores that the view shows, or would show. */
export interface Freshness {
  readonly scores: Scores;
  /** What has changed since. */
  readonly changed?: 'model' | 'text';
}

export class Freshnesses {
  /** Digests of texts, until the file changes. */
  private readonly digests = new Map<
    string,
    { readonly stamp: string; readonly sha256: Promise<string | undefined> }
  >();

  constructor(private readonly scores: Pick<ScoreStore, 'shown' | 'outdated'>) {}

  /** Reads the text once until it changes. @returns undefined for a checkpoint that was never scored */
  async of(subject: PlanSubject): Promise<Freshness | undefined> {
    const shown = this.scores.shown(subject);
    if (shown) return { scores: shown, ...((await this.hasNewText(shown)) && { changed: 'text' as const }) };
    const before = this.scores.outdated(subject);
    return before && { scores: before, changed: 'model' };
  }

  /** A text that is gone, or unknown, is not a changed one. */
  private async hasNewText({ calibration }: Scores): Promise<boolean> {
    if (calibration?.file === undefined) return false;
    const sha256 = await this.digestOf(calibration.file);
    return sha256 !== undefined && sha256 !== calibration.sha256;
  }

  private async digestOf(file: string): Promise<string | undefined> {
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile() || found.size > MAX_BYTES) return undefined;
    const stamp = `${found.size} ${found.mtimeMs}`;
    const known = this.digests.get(file);
    if (known?.stamp === stamp) return known.sha256;
    const sha256 = hashFile(file).catch((error: unknown) => {
      if (error instanceof UserError) return undefined;
      throw error;
    });
    this.digests.set(file, { stamp, sha256 });
    return sha256;
  }
}

/** "ppl on calibration.txt, 2 days ago"; of scores that no longer hold, why. @param when in words */
export function freshnessWords({ scores: { criterion, calibration }, changed }: Freshness, when: string): string {
  if (changed === 'model') return l10n.t('{0} is stale: the files of the model have changed', criterion);
  const text = calibration?.name ?? calibration?.source;
  if (changed === 'text') return l10n.t('{0} is stale: {1} has changed', criterion, text ?? '');
  return text === undefined ? `${criterion}, ${when}` : l10n.t('{0} on {1}, {2}', criterion, text, when);
}
