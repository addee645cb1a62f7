/**
 * Which texts scored the blocks of a model: perplexity on them flatters what they chose. Texts are told by their bytes,
 * so that a copy is the same and a file that was changed is another.
 */
import type { Coppice } from './coppice';
import { UserError } from '../engine/errors';
import { calibrationsOf } from '../engine/records/calibrations';
import { hashFile, withFile } from '../engine/files/regular-file';
import { l10n } from '../l10n';
import type { Chosen } from './choose-checkpoint';

/** Larger files are not hashed: they are not calibration texts. */
const MAX_BYTES = 64 * 2 ** 20;

/** SHA-256 of texts, by what they did. */
export interface ScoringTexts {
  /** Texts that chose the blocks that the checkpoint, or one that it was made from, has lost. */
  readonly chose: ReadonlySet<string>;
  /** Texts that scored its own blocks. */
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

/** A warning that perplexity on the text flatters the model; undefined for a text that scored nothing. */
export async function flatteryOf(file: string, { chose, scored }: ScoringTexts): Promise<string | undefined> {
  if (chose.size + scored.size === 0) return undefined;
  const hash = await withFile(file, ({ bytes }) => (bytes > MAX_BYTES ? Promise.resolve('') : hashFile(file))).catch(
    (error: unknown) => {
      if (error instanceof UserError) return ''; // who measures on it is told what is wrong
      throw error;
    },
  );
  if (chose.has(hash)) return l10n.t('used to choose the removed blocks: perplexity looks better than it is');
  return scored.has(hash)
    ? l10n.t('used to score the blocks: perplexity of the plan looks better than it is')
    : undefined;
}
