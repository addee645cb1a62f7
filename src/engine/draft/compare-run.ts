/** Whether what a pair wrote is the text of the model alone, and whether it took the passes that were forecast. */
import { sameIds } from '../same-ids';
import { SURE } from '../verify/consumers/consumers';
import type { RanText } from '../verify/consumers/pairs';
import type { PairText } from './pair-file';

export interface ComparedRun {
  readonly texts: number;
  /** Those that are the model's own. */
  readonly textsEqual: number;
  /** Those that the model writes otherwise in this program: the passes that were forecast are of another text. */
  readonly textsOther: number;
  /** Passes of the model, and those that were forecast, in the texts that are the expected ones. */
  readonly rounds: number;
  readonly forecastRounds: number;
}

export function compareRun(expected: readonly PairText[], ran: readonly RanText[]): ComparedRun {
  const result = { texts: ran.length, textsEqual: 0, textsOther: 0, rounds: 0, forecastRounds: 0 };
  for (const [i, text] of ran.entries()) {
    const { ids, rounds } = expected[i];
    if (!sameIds(text.ids, ids)) {
      result.textsOther++;
      if (isOwn(text)) result.textsEqual++;
      continue;
    }
    result.textsEqual++;
    if (rounds === null) continue;
    result.rounds += text.rounds;
    result.forecastRounds += rounds;
  }
  return result;
}

/** Whether a text that was not expected is what the model writes alone, up to a token that it is not sure of. */
function isOwn({ ids, alone, lead }: RanText): boolean {
  if (alone === undefined || ids.length === 0) return false;
  if (sameIds(ids, alone)) return true;
  return lead !== undefined && lead < SURE;
}
