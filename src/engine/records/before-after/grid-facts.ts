/** Throughputs over batches as facts: of the smallest and the largest batch that was measured. */
import { type Range, speedText } from '../../../format/speeds';
import type { RunDigest } from '../digest-types';
import type { Fact } from './facts';
import { completeModel, computed } from './run-models';

export function gridFacts(run: RunDigest): Fact[] {
  const { grid, started } = run;
  if (!grid) return [];
  const newTokens = grid.newTokens.at(-1);
  const batches = [...new Set([grid.batches[0], grid.batches.at(-1)])];
  const way = grid.inTurns ? 'in turns' : 'one after the other';
  return grid.models.flatMap(({ of, cells }) =>
    cells.flatMap(({ batch, newTokens: length, measured }): Fact[] => {
      const { mean = null, sd = null } = measured?.throughput ?? {};
      if (!of || mean === null || length !== newTokens || !batches.includes(batch)) return [];
      const range: Range | undefined = sd === null ? undefined : [mean - sd, mean + sd];
      return [
        {
          model: completeModel(of),
          measure: `throughput ${batch}`,
          value: mean,
          text: speedText({ value: mean, range }),
          range,
          condition: `grid ${started}`,
          of: `${length} new tokens, ${grid.runs} runs (mean ± deviation), ${way}; ${computed(run)}`,
          started,
        },
      ];
    }),
  );
}
