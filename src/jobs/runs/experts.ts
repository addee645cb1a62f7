/** Scores experts, rescales those that stay, measures the model without the others, and writes it. */
import type { Calibration } from '../../engine/importance/calibration';
import { scoreExperts, sumExperts } from '../../engine/importance/experts/score';
import { withModel } from '../../engine/model/opened';
import { inPhases, type JobOptions } from '../../engine/progress';
import { checkLikeSource } from '../file-target';
import type { OptionsFor } from '../kinds';
import type { ExpertsResult } from '../results/experts';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { compareExperts, type Compared, phasesOf } from './experts-compared';
import { factorsOf, requireRescaleRows, type Rescaled, rescaleExperts } from './experts-rescaled';
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

/** Scores, factors, and the loss of the original where the same pass gave it. */
interface Found {
  readonly blocks: readonly BlockExperts[];
  readonly rescale?: Rescaled;
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
  if (options.rescale) requireRescaleRows(routed!.rows); // without it, there is a fault
  const other = options.text === undefined ? undefined : await rowsOf(options.text, options, checkpoint, context);
  const judged = options.measure ? (other ?? routed) : undefined;
  const sharesPass = read === undefined && plan.removed.length === 0 && judged !== undefined && judged === routed;
  const [scoring, fitting, judging, measuring, comparing, writing] = inPhases(
    context.job,
    phasesOf({
      scores: read === undefined,
      rescales: options.rescale === true,
      judged: judged !== undefined,
      sharesPass,
      writes: options.out !== undefined,
    }),
  );
  const found: Found =
    read && !judged && !options.rescale
      ? { blocks: read.blocks, scoringSeconds: 0 }
      : await compute(
          { options, subject, blocks: read?.blocks, routed, judged, sharesPass },
          { scoring, rescaling: [fitting, judging], measuring: [measuring, comparing] },
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

interface Phases {
  readonly scoring: JobOptions;
  readonly rescaling: readonly JobOptions[];
  readonly measuring: readonly JobOptions[];
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
  { scoring, rescaling, measuring }: Phases,
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
      const kept = keptOfBlocks(blocks, plan.keep);
      const rescale = options.rescale
        ? await rescaleExperts(model, routed!.rows, kept, viewOfPlan(subject), rescaling)
        : undefined;
      const compared = await comparing?.measure(kept, factorsOf(rescale), measuring);
      return { blocks, rescale, compared, provider: model.device.provider, scoringSeconds };
    } finally {
      await comparing?.close();
    }
  });
}
