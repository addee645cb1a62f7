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
import { full, itFull } from './shared';

/**
 * Registers them.
 * @param alike what else has these tests, so that some of them are left to test:full: a checkpoint of another "family", or
 *   the same weights in other "files"
 */
export function testGoldenNumbers(model: () => Model, name: GoldenName, alike?: 'family' | 'files'): void {
  const screened = alike === undefined ? it : itFull;
  const scored = alike === 'files' ? itFull : it;
  // What a family has of its own is in every tensor's name, and in every token's step.
  const some = alike === 'family' && !full;
  // Of a family, the sweep over modules meets every sum of the block; the other scores are made of the same streams.
  const streamed = screened;
  it('logits, log-sum-exp and arg max', () => checkLogits(model(), name));
  streamed('residual norms', () => checkResidualNorms(model(), name));
  (alike === 'family' ? itFull : it)('perplexity of every block', () => checkBlockPerplexity(model(), name));
  scored('perplexity of every module', () => checkModulePerplexity(model(), name));
  screened('both, screened in int8', () => checkScreenedScores(model(), name));
  scored('magnitude', () => checkMagnitude(model(), name, some ? 'default' : 'all'));
  streamed('block influence', () => checkBlockInfluence(model(), name));
  streamed('angular distance of every window', () => checkAngular(model(), name));
  streamed('greedy removals', () => checkGreedyRemovals(model(), name));
  screened('greedy removals, screened in int8', () => checkScreenedRemovals(model(), name));
  scored('greedy text, full and pruned', () =>
    checkGreedyIds(model(), name, { nearTie: 1e-3, prompts: some ? 1 : Infinity }),
  );
}
