/** The small checkpoints against every golden number that the engine answers for. */
import { FAMILIES, checkpointFolder, type GoldenName } from '../support/golden';
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
} from '../support/golden-checks';
import { describedModel } from '../support/model';
import { describeShared, shared } from '../support/shared';

const CHECKPOINTS: readonly { title: string; name: GoldenName; folder: () => string }[] = [
  ...FAMILIES.map((family) => {
    const name = `families/${family}` as const;
    return { title: family, name, folder: () => checkpointFolder(name) };
  }),
  { title: 'stories260K', name: 'stories260K', folder: () => checkpointFolder('stories260K') },
  { title: 'stories260K, sharded', name: 'stories260K', folder: () => shared('models/stories260K-f32-sharded') },
];

describeShared('golden numbers of small checkpoints', () => {
  for (const { title, name, folder } of CHECKPOINTS) {
    describe(title, () => {
      const model = describedModel(folder);
      it('logits, log-sum-exp and arg max', () => checkLogits(model(), name));
      it('residual norms', () => checkResidualNorms(model(), name));
      it('perplexity of every block', () => checkBlockPerplexity(model(), name));
      it('perplexity of every module', () => checkModulePerplexity(model(), name));
      it('magnitude', () => checkMagnitude(model(), name));
      it('block influence', () => checkBlockInfluence(model(), name));
      it('angular distance of every window', () => checkAngular(model(), name));
      it('greedy removals', () => checkGreedyRemovals(model(), name));
      it('greedy text, full and pruned', () => checkGreedyIds(model(), name, { nearTie: 1e-3 }));
    });
  }
});
