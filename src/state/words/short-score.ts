/** Scores as the views write them, the same number as in the results panel. */
import { parseJsonNumber, type JsonNumber } from '../../format/json';
import { shortNumber } from '../../format/numbers';

/** A score with as many digits as tell it from its neighbours: 8.306, 0.00312, 62,074, 1.09e65, ∞, NaN. */
export function shortScore(score: JsonNumber): string {
  const value = parseJsonNumber(score) ?? NaN;
  return Number.isNaN(value) ? 'NaN' : shortNumber(value);
}
