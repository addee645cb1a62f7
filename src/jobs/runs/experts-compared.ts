/** The loss of the original on some rows, and of the model with fewer experts, which is not written for that. */
import type { ExpertFactors, KeptExperts } from '../../engine/checkpoint/kept-experts';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { likenessOfViews } from '../../engine/evaluate/likeness';
import { HELD_OUT_EVERY } from '../../engine/importance/experts/criteria';
import { scoreExperts } from '../../engine/importance/experts/score';
import { summariseLosses } from '../../engine/importance/losses';
import type { TokenRows } from '../../engine/model/forward';
import { LastStates } from '../../engine/model/last-states';
import type { Model } from '../../engine/model/model';
import { fullView, viewWithout } from '../../engine/model/view';
import type { JobOptions, Phase } from '../../engine/progress';
import { checkpointWeights } from '../../engine/weights/checkpoint';
import { FewerExperts } from '../../engine/weights/fewer-experts';
import { writtenFactors } from '../../engine/weights/scaled-experts';
import type { WeightSource } from '../../engine/weights/source';
import type { ExpertPlan } from '../../engine/importance/experts/plan';

export interface Compared {
  readonly before: { readonly meanNll: number; readonly ppl: number };
  readonly after: { readonly meanNll: number; readonly ppl: number; readonly kl: number; readonly top1: number };
}

export interface Comparison {
  /** The original's last states, which a pass that scores may fill. */
  readonly original: LastStates;
  /** Takes the original's losses of that pass. */
  readonly keep: (losses: Float64Array) => void;
  /** @param phases the original, unless it is known; then the model with fewer experts */
  readonly measure: (
    kept: KeptExperts,
    factors: ExpertFactors | undefined,
    phases: readonly JobOptions[],
  ) => Promise<Compared>;
  readonly close: () => Promise<void>;
}

/** The model with fewer experts, as it would be written. @param factors of the kept ones, if they have some */
export function fewerExpertsWeights(checkpoint: Checkpoint, kept: KeptExperts, factors?: ExpertFactors): WeightSource {
  const fewer = new FewerExperts(checkpointWeights(checkpoint), kept);
  return factors ? writtenFactors(fewer, factors) : fewer;
}

/** Share of the memory budget that the original's last states may take. */
const ORIGINAL_SHARE = 1 / 4;

/** @throws UserError when a temporary file is needed and cannot be written */
export async function compareExperts(model: Model, { removed }: ExpertPlan, rows: TokenRows): Promise<Comparison> {
  const blocks = model.architecture.layers.length;
  const original = await LastStates.empty(model, rows, model.memory * ORIGINAL_SHARE);
  let known: Float64Array | undefined;
  return {
    original,
    keep: (losses) => {
      known = losses;
    },
    measure: async (kept, factors, [first, second]) => {
      known ??= (await scoreExperts(model, rows, fullView(blocks), first, original)).losses;
      const fewer = await model.withWeights(fewerExpertsWeights(model.checkpoint, kept, factors));
      try {
        const view = viewWithout(
          blocks,
          removed.map((block) => ({ block })),
        );
        const [after] = await likenessOfViews(fewer, original, rows, [view], second);
        const { meanNll, ppl } = summariseLosses(known, rows[0].length - 1);
        return { before: { meanNll, ppl }, after };
      } finally {
        await fewer.close();
      }
    },
    close: () => original.close(),
  };
}

/** Writing beside a pass over rows. */
const WRITING = 0.1;

/** Of calibration rows, the share that factors are fitted on, twice: with all experts, and with those that stay. */
const FITTING = 2 * (1 - 1 / HELD_OUT_EVERY);
/** The original, and the model with fewer experts without factors and with them. */
const JUDGING = 3 / HELD_OUT_EVERY;

/** Phases of the job: scores, factors, what these do, the original, the model with fewer experts, and writing. */
export const phasesOf = (given: {
  readonly scores: boolean;
  readonly rescales: boolean;
  readonly judged: boolean;
  readonly sharesPass: boolean;
  readonly writes: boolean;
}): Phase[] => {
  const { scores, rescales, judged, sharesPass, writes } = given;
  const shares = [
    [scores, 1],
    [rescales, FITTING],
    [rescales, JUDGING],
    [judged && !sharesPass, 1],
    [judged, 1],
    [writes, WRITING],
  ] as const;
  return shares.map(([isMade, share]) => ({ share: isMade ? share : 0 }));
};
