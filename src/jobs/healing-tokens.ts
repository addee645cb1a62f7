/** How much text the healing before a training fits. Pure: the run does it, and estimates say before what it takes. */
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import { trainedRows } from '../engine/retrain/amounts';
import { DEFAULTS } from '../engine/retrain/defaults';
import type { JsonObject } from '../format/json';
import { numberIn } from './amounts';
import { SELF } from './healing-amounts';

/** A healing takes this many rows beside those that it fits, to judge by. */
const JUDGED = 1 / (1 - HEAL_DEFAULTS.heldOut);

/**
 * Tokens of the original's own text that healing fits before a training on such text. Both read one text, so healing leaves out
 * the rows at its end that the training holds out.
 * @param options of the retraining
 * @param length tokens of a row
 */
export function healingTokens(options: JsonObject, length: number): number {
  const { data } = options;
  if (!Array.isArray(data) || !data.includes(SELF)) return HEAL_DEFAULTS.tokens;
  const rows = Math.ceil((numberIn(options, 'selfTokens') ?? DEFAULTS.selfTokens) / length);
  const fitted = Math.floor((trainedRows(rows, numberIn(options, 'heldOut')) - 1) / JUDGED);
  return Math.min(HEAL_DEFAULTS.tokens, Math.max(1, fitted) * length);
}
