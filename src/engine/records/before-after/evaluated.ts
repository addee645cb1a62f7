/** Which models runs have measured on given rows, so that nothing is measured twice. */
import type { RunDigest } from '../digest-types';
import { factsOf } from './facts';
import { isWhole } from './models';

/**
 * @param identity of the model's files @param rowsKey of the rows (records/rows-key.ts)
 * @param compared it must have been compared with the unpruned model too
 */
export function isEvaluated(runs: readonly RunDigest[], identity: string, rowsKey: string, compared: boolean): boolean {
  const own = runs
    .flatMap(factsOf)
    .filter(({ model, condition }) => model.identity === identity && isWhole(model) && condition === `rows ${rowsKey}`);
  return own.some(({ measure }) => measure === (compared ? 'kl' : 'ppl'));
}
