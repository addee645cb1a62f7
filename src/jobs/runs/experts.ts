/** Scores experts, measures the model without the lowest, and writes it. */
import { withShare } from '../../format/text-share';
import { withLayers } from '../../engine/checkpoint/architecture';
import { keptBlocks } from '../../engine/checkpoint/block-list';
import { type KeptExperts, withKeptExperts } from '../../engine/checkpoint/kept-experts';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { parametersOf } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import { type Calibration, calibrationWarnings, loadCalibration } from '../../engine/importance/calibration';
import { scoreExperts } from '../../engine/importance/experts/score';
import { expertScores, keptExperts } from '../../engine/importance/experts/select';
import { type ExpertSums, meansOf } from '../../engine/importance/experts/sums';
import { withoutRows } from '../../engine/importance/run-criterion';
import { withModel } from '../../engine/model/opened';
import { viewWithout } from '../../engine/model/view';
import { inPhases, type JobOptions } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import { modelName, type RunInput } from '../../engine/records/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { experts as definition } from '../definitions/experts';
import { checkLikeSource } from '../file-target';
import type { OptionsFor } from '../kinds';
import type { ExpertsResult } from '../results/experts';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';
import { compareExperts, type Compared, phasesOf } from './experts-compared';
import { type ExpertPlan, planExperts, routingWarnings, unroutedIn } from '../../engine/importance/experts/plan';
import { type BlockExperts, readExperts } from './experts-scores';
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
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const plan = planExperts(architecture, modelName(checkpoint), options);
  plan.warnings.forEach(context.warn);
  if (options.out !== undefined) await checkLikeSource(checkpoint, options.out);
  const read =
    options.scores === undefined ? undefined : await readExperts(options.scores, checkpoint, plan, options.criterion);
  const routed =
    options.calibration === undefined ? undefined : await rowsOf(options.calibration, options, checkpoint, context);
  const other = options.text === undefined ? undefined : await rowsOf(options.text, options, checkpoint, context);
  const judged = options.measure ? (other ?? routed) : undefined;
  const sharesPass = read === undefined && plan.removed.length === 0 && judged === routed;
  const [scoring, measuring, comparing, writing] = inPhases(
    context.job,
    phasesOf({
      scores: read === undefined,
      judged: judged !== undefined,
      sharesPass,
      writes: options.out !== undefined,
    }),
  );
  const choose = (blocks: readonly BlockExperts[]): KeptExperts =>
    keptExperts(new Map(blocks.map(({ index, scores }) => [index, scores])), plan.keep);
  const found =
    read && !judged
      ? { blocks: read.blocks, scoringSeconds: 0 }
      : await compute(
          { options, checkpoint, plan, blocks: read?.blocks, routed, judged, sharesPass, choose },
          [scoring, measuring, comparing],
          context,
        );
  const { blocks, compared } = found;
  routingWarnings(
    blocks.map(({ tokens }) => tokens),
    plan,
  ).forEach(context.warn);
  const kept = choose(blocks);
  const parameters = parametersOf(
    withLayers(withKeptExperts(architecture, kept), keptBlocks(architecture.layers.length, plan.removed)),
  );
  const facts: Omit<ExpertsResult, 'out' | 'seconds'> = {
    model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
    criterion: options.criterion,
    experts: { before: plan.count, after: plan.keep, perToken: plan.chosen },
    removed: plan.removed,
    blocks: blocks.map((block) => ({ ...block, kept: kept.get(block.index)! })),
    unrouted: unroutedIn(blocks.map(({ tokens }) => tokens)),
    parameters,
    parametersBefore: parametersOf(architecture),
    calibration: read || !routed ? null : rowsIn(routed),
    text: judged ? rowsIn(judged) : null,
    before: compared?.before ?? null,
    after: compared?.after ?? null,
    scoringSeconds: found.scoringSeconds,
    device: found.provider ?? null,
    precision: 'float32',
  };
  const details = detailsOf(checkpoint, options, {
    inputs: [
      ...(read ? [read.input] : []),
      ...(routed ? [inputOf('calibration', routed)] : []),
      ...(other ? [inputOf('text', other)] : []),
    ],
    settings: {
      ...recordedOptions(definition, options),
      keep: plan.keep,
      removed: plan.removed,
      ...(routed && { calibration: withoutRows(routed) }),
    },
    seed: options.seed,
    device: found.provider === undefined ? undefined : { provider: found.provider },
  });
  const text = read?.text ?? routed?.source;
  const written = await writeExperts(
    { checkpoint, plan, kept, facts, details, text, out: options.out },
    { ...context, job: writing },
  );
  return { result: { ...facts, ...written, seconds: secondsSince(start) }, run: details };
}

const inputOf = (role: string, { source, sha256, share }: Calibration): RunInput => ({
  role,
  name: source,
  sha256,
  ...withShare(share),
});

const rowsIn = ({ source, sha256, samples, length }: Calibration) => ({ name: source, sha256, rows: samples, length });

async function rowsOf(
  path: string,
  { samples, length, seed, share, bos }: Options,
  checkpoint: Checkpoint,
  { job, warn }: JobContext,
): Promise<Calibration> {
  const { vocabulary, context, bosTokenId } = requireArchitecture(checkpoint);
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  const drawing = { samples, length, seed, share, vocabulary, bos, bosTokenId };
  const found = await loadCalibration(path, drawing, tokenizer);
  calibrationWarnings(found, { samples, length }, context).forEach(warn);
  return found;
}

interface Asked {
  readonly options: Options;
  readonly checkpoint: Checkpoint;
  readonly plan: ExpertPlan;
  /** Known scores. */
  readonly blocks: readonly BlockExperts[] | undefined;
  readonly routed: Calibration | undefined;
  readonly judged: Calibration | undefined;
  /** The pass that scores is that of the original over the rows that are measured on. */
  readonly sharesPass: boolean;
  readonly choose: (blocks: readonly BlockExperts[]) => KeptExperts;
}

/** Everything that needs an open model. The pass that scores the original's experts also gives its loss. */
async function compute(
  { options, checkpoint, plan, blocks: known, routed, judged, sharesPass, choose }: Asked,
  [scoring, ...measuring]: readonly JobOptions[],
  context: JobContext,
): Promise<Found> {
  return withModel(checkpoint, modelOptions(options, context), async (model) => {
    const comparing = judged && (await compareExperts(model, plan, judged.rows));
    try {
      const clock = performance.now();
      let blocks = known;
      if (blocks === undefined) {
        const view = viewWithout(
          model.architecture.layers.length,
          plan.removed.map((block) => ({ block })),
        );
        const last = sharesPass ? comparing?.original : undefined;
        const pass = await scoreExperts(model, routed!.rows, view, scoring, last);
        blocks = pass.sums.map((sums) => scored(sums, options));
        if (last) comparing?.keep(pass.losses);
      }
      const scoringSeconds = known === undefined ? secondsSince(clock) : 0;
      const compared = await comparing?.measure(choose(blocks), measuring);
      return { blocks, compared, provider: model.device.provider, scoringSeconds };
    } finally {
      await comparing?.close();
    }
  });
}

/** @throws UserError for scores that are not finite */
function scored(sums: ExpertSums, { criterion, seed }: Pick<Options, 'criterion' | 'seed'>): BlockExperts {
  const scores = expertScores(sums, criterion, seed);
  if (!scores.every(Number.isFinite)) {
    throw new UserError(
      'The experts have no order',
      `scores of block ${sums.block} are not finite: a weight is broken, or numbers grow beyond float32`,
      'Look for the block with `coppice inspect`, or get the file again.',
    );
  }
  return {
    index: sums.block,
    scores,
    tokens: Array.from(sums.tokens),
    gateMean: meansOf(sums.gates, sums.tokens),
  };
}
