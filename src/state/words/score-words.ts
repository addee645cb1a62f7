/** Formats scores of a block for lines, hovers and warnings. Does not use VS Code. */
import { objectiveOf } from '../../engine/importance/criteria';
import { shortNumber } from '../../format/numbers';
import { l10n } from '../../l10n';
import type { Scores } from '../scores';
import { shortScore } from './short-score';

/**
 * "ppl 34.2"; "ppl ~34.2" of a screened block; "kl 0.12 nats"; "greedy rank 3" for greedy, which has no score per block (1 = removed first); "search removes it" for a set. Undefined without scores.
 */
export function scoreWords({ criterion, blocks, screened, removals, set }: Scores, block: number): string | undefined {
  if (blocks?.[block] !== undefined) {
    // "~" marks a number that is not float32's beside others that are.
    const score = `${screened?.includes(block) ? '~' : ''}${shortScore(blocks[block])}`;
    return objectiveOf(criterion) === 'kl' ? l10n.t('{0} {1} nats', criterion, score) : `${criterion} ${score}`;
  }
  if (set?.includes(block)) return l10n.t('{0} removes it', criterion);
  const place = removals?.indexOf(block) ?? -1;
  return place < 0 ? undefined : l10n.t('{0} rank {1}', criterion, place + 1);
}

/** "34.2", "~34.2", "rank 3": the score on a line whose view names the criterion elsewhere. Undefined without scores. */
export function scoreValue(scores: Scores, block: number): string | undefined {
  const { criterion, blocks, screened, removals, set } = scores;
  if (blocks?.[block] !== undefined) return `${screened?.includes(block) ? '~' : ''}${shortScore(blocks[block])}`;
  if (set?.includes(block)) return l10n.t('{0} removes it', criterion);
  const place = removals?.indexOf(block) ?? -1;
  return place < 0 ? undefined : l10n.t('rank {0}', place + 1);
}

/** A block's score by one criterion and its text. Undefined without a score. */
export function scoreSentence(scores: Scores, block: number): string | undefined {
  const words = scoreWords(scores, block);
  if (words === undefined) return undefined;
  const rough = scores.screened?.includes(block) ? [l10n.t('screened in int8')] : [];
  return [words, ...rough, ...wholeModel(scores), ...textOf(scores)].join(', ');
}

/** One scoring: "ppl, whole model 18.1, on calibration.txt, 10 × 128 tokens". */
export const scoringSentence = (scores: Scores): string =>
  [scores.criterion, ...wholeModel(scores), ...textOf(scores)].join(', ');

/** Why scores mean little; undefined for those of a text that the model fits. */
export function unfitWords({ unfit }: Scores): string | undefined {
  if (!unfit) return undefined;
  const { ppl, other, limit } = unfit;
  const own = shortNumber(ppl);
  if (other === undefined)
    return l10n.t(
      'The model does not fit the text that it was scored on: its perplexity is {0}, more than {1}, which is beyond reason for its vocabulary. Score on another text.',
      own,
      shortNumber(limit),
    );
  const better = shortNumber(other.ppl);
  return other.begins
    ? l10n.t(
        'The model does not fit the rows that it was scored on: its perplexity is {0}, with a begin-of-text token before each row {1}. Score again.',
        own,
        better,
      )
    : l10n.t(
        'The model does not fit the rows that it was scored on: its perplexity is {0}, without a begin-of-text token {1}. Score again.',
        own,
        better,
      );
}

/** Its perplexity belongs to scores that are perplexities. */
function wholeModel({ criterion, objective, fullPpl }: Scores): string[] {
  const isPerplexity = objectiveOf(criterion, objective) === 'ppl';
  return fullPpl === undefined || !isPerplexity ? [] : [l10n.t('original {0}', shortScore(fullPpl))];
}

function textOf({ calibration }: Scores): string[] {
  if (!calibration) return [];
  const { source, name = source, samples, length, bos } = calibration;
  const begun = bos === undefined ? [] : [l10n.t('BOS: {0}', bos)];
  return [l10n.t('on {0}, {1} × {2} tokens', name, samples, length), ...begun];
}
