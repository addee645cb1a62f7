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

/** Registers them. */
export function testGoldenNumbers(model: () => Model, name: GoldenName): void {
  it('logits, log-sum-exp and arg max', () => checkLogits(model(), name));
  it('residual norms', () => checkResidualNorms(model(), name));
  it('perplexity of every block', () => checkBlockPerplexity(model(), name));
  it('perplexity of every module', () => checkModulePerplexity(model(), name));
  it('both, screened in int8', () => checkScreenedScores(model(), name));
  it('magnitude', () => checkMagnitude(model(), name));
  it('block influence', () => checkBlockInfluence(model(), name));
  it('angular distance of every window', () => checkAngular(model(), name));
  it('greedy removals', () => checkGreedyRemovals(model(), name));
  it('greedy removals, screened in int8', () => checkScreenedRemovals(model(), name));
  it('greedy text, full and pruned', () => checkGreedyIds(model(), name, { nearTie: 1e-3 }));
}
