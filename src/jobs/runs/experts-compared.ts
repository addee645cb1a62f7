/** The loss of the original on some rows, and of the model with fewer experts, which is not written for that. */
import type { KeptExperts } from '../../engine/checkpoint/kept-experts';
import { likenessOfViews } from '../../engine/evaluate/likeness';
import { scoreExperts } from '../../engine/importance/experts/score';
import { summariseLosses } from '../../engine/importance/losses';
import type { TokenRows } from '../../engine/model/forward';
import { LastStates } from '../../engine/model/last-states';
import type { Model } from '../../engine/model/model';
import { fullView, viewWithout } from '../../engine/model/view';
import type { JobOptions, Phase } from '../../engine/progress';
import { checkpointWeights } from '../../engine/weights/checkpoint';
import { FewerExperts } from '../../engine/weights/fewer-experts';
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
  readonly measure: (kept: KeptExperts, phases: readonly JobOptions[]) => Promise<Compared>;
  readonly close: () => Promise<void>;
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
    measure: async (kept, [first, second]) => {
      known ??= (await scoreExperts(model, rows, fullView(blocks), first, original)).losses;
      const fewer = await model.withWeights(new FewerExperts(checkpointWeights(model.checkpoint), kept));
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

/** Phases of the job: scores, the original, the model with fewer experts, and writing. */
export const phasesOf = (given: {
  readonly scores: boolean;
  readonly judged: boolean;
  readonly sharesPass: boolean;
  readonly writes: boolean;
}): Phase[] => {
  const { scores, judged, sharesPass, writes } = given;
  const passes = [scores, judged && !sharesPass, judged];
  return [...passes.map((isMade) => ({ share: isMade ? 1 : 0 })), { share: writes ? WRITING : 0 }];
};
