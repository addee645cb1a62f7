/**
 * Texts that scored the blocks of a model: perplexity on them is too low for blocks that they chose. Texts are
 * identified by their bytes, so that a copy counts as the same and a changed file as another.
 */
import type { Coppice } from '../coppice';
import { UserError } from '../../engine/errors';
import { calibrationsOf } from '../../engine/records/calibrations';
import { hashFile, withFile } from '../../engine/files/regular-file';
import { l10n } from '../../l10n';
import type { Chosen } from './choose-checkpoint';

/** Larger files are not hashed: they are not calibration texts. */
const MAX_BYTES = 64 * 2 ** 20;

/** SHA-256 hashes of texts by their use. */
export interface ScoringTexts {
  /** Texts that chose the removed blocks of the checkpoint or of its ancestors. */
  readonly chose: ReadonlySet<string>;
  /** Texts that scored the blocks of the checkpoint. */
  readonly scored: ReadonlySet<string>;
}

export async function scoringTextsOf(
  { scores, plans }: Pick<Coppice, 'scores' | 'plans'>,
  { subject, checkpoint }: Pick<Chosen, 'subject' | 'checkpoint'>,
): Promise<ScoringTexts> {
  const chose = (await calibrationsOf(checkpoint)).map(({ sha256 }) => sha256);
  const plan = plans.choice(subject);
  const scored = [
    ...scores.all(subject).map(({ calibration }) => calibration?.sha256),
    ...(plan === 'hand' ? [] : [plan.calibration?.sha256]),
  ];
  const known = (hashes: readonly (string | undefined)[]): Set<string> =>
    new Set(hashes.filter((hash) => hash !== undefined));
  return { chose: known(chose), scored: known(scored) };
}

/** A warning that perplexity on the text looks too good; undefined for a text that scored no blocks. */
export async function flatteryOf(file: string, { chose, scored }: ScoringTexts): Promise<string | undefined> {
  if (chose.size + scored.size === 0) return undefined;
  const hash = await withFile(file, ({ bytes }) => (bytes > MAX_BYTES ? Promise.resolve('') : hashFile(file))).catch(
    (error: unknown) => {
      if (error instanceof UserError) return ''; // the evaluation reports the error
      throw error;
    },
  );
  if (chose.has(hash)) return l10n.t('used to choose the removed blocks: perplexity looks better than it is');
  return scored.has(hash)
    ? l10n.t('used to score the blocks: perplexity of the plan looks better than it is')
    : undefined;
}
