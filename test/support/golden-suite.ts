/** The tests that every checkpoint with golden numbers has: all that scoring and generating answer for. */
import type { Model } from '../../src/engine/model/model';
import type { GoldenName } from './golden';
import {
  checkAngular,
  checkBlockInfluence,
  checkBlockPerplexity,
  checkGreedyIds,
  checkGreedyRemovals,
  checkLogits,
  checkMagnitude,
  checkModulePerplexity,
  checkResidualNorms,
  checkScreenedRemovals,
  checkScreenedScores,
} from './golden-checks';
import { itFull } from './shared';

/**
 * Registers them.
 * @param alike what else has these tests, so that some of them are left to test:full: a checkpoint of another "family", or
 *   the same weights in other "files"
 */
export function testGoldenNumbers(model: () => Model, name: GoldenName, alike?: 'family' | 'files'): void {
  const screened = alike === undefined ? it : itFull;
  const scored = alike === 'files' ? itFull : it;
  it('logits, log-sum-exp and arg max', () => checkLogits(model(), name));
  scored('residual norms', () => checkResidualNorms(model(), name));
  it('perplexity of every block', () => checkBlockPerplexity(model(), name));
  scored('perplexity of every module', () => checkModulePerplexity(model(), name));
  screened('both, screened in int8', () => checkScreenedScores(model(), name));
  it('magnitude', () => checkMagnitude(model(), name));
  scored('block influence', () => checkBlockInfluence(model(), name));
  scored('angular distance of every window', () => checkAngular(model(), name));
  scored('greedy removals', () => checkGreedyRemovals(model(), name));
  screened('greedy removals, screened in int8', () => checkScreenedRemovals(model(), name));
  scored('greedy text, full and pruned', () => checkGreedyIds(model(), name, { nearTie: 1e-3 }));
}
