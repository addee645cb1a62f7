/** Scores experts, measures the model without the lowest, and writes it. */
import type { Calibration } from '../../engine/importance/calibration';
import { scoreExperts, sumExperts } from '../../engine/importance/experts/score';
import { withModel } from '../../engine/model/opened';
import { inPhases, type JobOptions } from '../../engine/progress';
import { checkLikeSource } from '../file-target';
import type { OptionsFor } from '../kinds';
import type { ExpertsResult } from '../results/experts';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { compareExperts, type Compared, phasesOf } from './experts-compared';
import { type BlockExperts, readExperts } from './experts-scores';
import {
  expertsDetails,
  expertsMeasured,
  expertsSubject,
  type ExpertsSubject,
  keptOfBlocks,
  rowsIn,
  rowsOf,
  scoredBlock,
  viewOfPlan,
} from './experts-subject';
import { writeExperts } from './experts-written';

type Options = OptionsFor<'experts'>;

/** Scores, and the loss of the original where the same pass gave it. */
interface Found {
  readonly blocks: readonly BlockExperts[];
  readonly compared?: Compared;
  readonly provider?: string;
  readonly scoringSeconds: number;
}

export async function runExperts(options: Options, context: JobContext): Promise<RunEnd<ExpertsResult>> {
  const start = performance.now();
  const subject = await expertsSubject(options, context);
  const { checkpoint, plan, facts } = subject;
  if (options.out !== undefined) await checkLikeSource(checkpoint, options.out);
  const read =
    options.scores === undefined ? undefined : await readExperts(options.scores, checkpoint, plan, options.criterion);
  const routed =
    options.calibration === undefined ? undefined : await rowsOf(options.calibration, options, checkpoint, context);
  const other = options.text === undefined ? undefined : await rowsOf(options.text, options, checkpoint, context);
  const judged = options.measure ? (other ?? routed) : undefined;
  const sharesPass = read === undefined && plan.removed.length === 0 && judged !== undefined && judged === routed;
  const [scoring, measuring, comparing, writing] = inPhases(
    context.job,
    phasesOf({
      scores: read === undefined,
      judged: judged !== undefined,
      sharesPass,
      writes: options.out !== undefined,
    }),
  );
  const found: Found =
    read && !judged
      ? { blocks: read.blocks, scoringSeconds: 0 }
      : await compute(
          { options, subject, blocks: read?.blocks, routed, judged, sharesPass },
          [scoring, measuring, comparing],
          context,
        );
  const { measured, warnings } = expertsMeasured(facts, {
    ...found,
    calibration: read || !routed ? null : rowsIn(routed),
    text: judged ? rowsIn(judged) : null,
  });
  warnings.forEach(context.warn);
  const details = expertsDetails(subject, options, { routed, read: read?.input, other, provider: found.provider });
  const text = read?.text ?? routed?.source;
  const kept = keptOfBlocks(found.blocks, plan.keep);
  const written = await writeExperts(
    { checkpoint, plan, kept, facts: measured, details, text, out: options.out },
    { ...context, job: writing },
  );
  return { result: { ...measured, ...written, seconds: secondsSince(start) }, run: details };
}

interface Asked {
  readonly options: Options;
  readonly subject: ExpertsSubject;
  /** Known scores. */
  readonly blocks: readonly BlockExperts[] | undefined;
  readonly routed: Calibration | undefined;
  readonly judged: Calibration | undefined;
  /** The pass that scores is that of the original over the rows that are measured on. */
  readonly sharesPass: boolean;
}

/** Everything that needs an open model. The pass that scores the original's experts also gives its loss. */
async function compute(
  { options, subject, blocks: known, routed, judged, sharesPass }: Asked,
  [scoring, ...measuring]: readonly JobOptions[],
  context: JobContext,
): Promise<Found> {
  const { checkpoint, plan } = subject;
  return withModel(checkpoint, modelOptions(options, context), async (model) => {
    const comparing = judged && (await compareExperts(model, plan, judged.rows));
    try {
      const clock = performance.now();
      const sumsOf = async (view = viewOfPlan(subject)) => {
        if (!sharesPass) return sumExperts(model, routed!.rows, view, scoring);
        const pass = await scoreExperts(model, routed!.rows, view, scoring, comparing?.original);
        comparing?.keep(pass.losses);
        return pass.sums;
      };
      const blocks = known ?? (await sumsOf()).map((sums) => scoredBlock(sums, options));
      const scoringSeconds = known === undefined ? secondsSince(clock) : 0;
      const compared = await comparing?.measure(keptOfBlocks(blocks, plan.keep), measuring);
      return { blocks, compared, provider: model.device.provider, scoringSeconds };
    } finally {
      await comparing?.close();
    }
  });
}
