/** What a run of experts is about: the model, what stays of it, the texts; and its result, from the scores. */
import { withShare } from '../../format/text-share';
import { defined } from '../../format/defined';
import { counted } from '../../format/words';
import { expertBlocks } from '../../engine/checkpoint/kept-experts';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { parametersOf } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { OptionError, UserError } from '../../engine/errors';
import { type Calibration, calibrationWarnings, loadCalibration } from '../../engine/importance/calibration';
import {
  type ExpertPlan,
  fewerExperts,
  planExperts,
  routingWarnings,
  someExperts,
  unroutedIn,
} from '../../engine/importance/experts/plan';
import { expertScores, keptExperts } from '../../engine/importance/experts/select';
import { type ExpertSums, meansOf } from '../../engine/importance/experts/sums';
import { withoutRows } from '../../engine/importance/run-criterion';
import { viewWithout, type View } from '../../engine/model/view';
import { detailsOf, type RunDetails } from '../../engine/records/details';
import { modelName, type RunInput } from '../../engine/records/record';
import { fewerExpertsBytes } from '../../engine/write/experts';
import { requireRescalable } from '../../engine/write/rescaled-experts';
import { option } from '../../engine/option-token';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { experts as definition } from '../definitions/experts';
import type { OptionsFor } from '../kinds';
import type { ExpertsResult } from '../results/experts';
import { type JobContext, recordedOptions } from '../run';
import type { Compared } from './experts-compared';
import type { Rescaled } from './experts-rescaled';
import type { BlockExperts } from './experts-scores';

type Options = OptionsFor<'experts'>;

export interface ExpertsSubject {
  readonly checkpoint: Checkpoint;
  readonly plan: ExpertPlan;
  /** What the result says of the model and of what is asked for, before anything is scored. JSON. */
  readonly facts: ExpertsFacts;
}

/** The part of a result that is known before experts are scored. */
export type ExpertsFacts = Pick<
  ExpertsResult,
  'model' | 'criterion' | 'experts' | 'removed' | 'parameters' | 'parametersBefore' | 'bytesBefore' | 'bytesAfter'
>;

/** @throws UserError for a model without experts, and for what cannot be kept of it */
export async function expertsSubject(options: Options, { warn }: Pick<JobContext, 'warn'>): Promise<ExpertsSubject> {
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  if (options.rescale && expertBlocks(architecture).length > 0) await requireRescalable(checkpoint);
  const keep = options.keep ?? (await keptForFiles(checkpoint, options));
  const plan = planExperts(architecture, modelName(checkpoint), { ...options, keep });
  plan.warnings.forEach(warn);
  const { count, chosen, removed } = plan;
  const facts: ExpertsFacts = {
    model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
    criterion: options.criterion,
    experts: { before: count, after: plan.keep, perToken: chosen },
    removed,
    parameters: parametersOf(fewerExperts(architecture, plan.keep, removed)),
    parametersBefore: parametersOf(architecture),
    bytesBefore: checkpoint.size.all,
    ...defined({ bytesAfter: await bytesToTell(checkpoint, plan, options) }),
  };
  return { checkpoint, plan, facts };
}

/** Undefined where no file can be written, and none is asked for. @throws UserError where one is */
const bytesToTell = (
  checkpoint: Checkpoint,
  { keep, removed }: Pick<ExpertPlan, 'keep' | 'removed'>,
  { out }: Options,
): Promise<number | undefined> =>
  bytesWith(checkpoint, keep, removed).catch((error: unknown) => {
    if (out === undefined && error instanceof UserError) return undefined;
    throw error;
  });

/** Bytes of the files with so many experts in each block. */
const bytesWith = (checkpoint: Checkpoint, keep: number, removed: readonly number[]): Promise<number> =>
  fewerExpertsBytes(checkpoint, { kept: someExperts(requireArchitecture(checkpoint), keep), removed });

/** As many experts as files of the size that is asked for have room for. @throws OptionError where not even those of a token do */
async function keptForFiles(checkpoint: Checkpoint, { fit, remove = [] }: Options): Promise<number | undefined> {
  if (fit === undefined) return undefined;
  const architecture = requireArchitecture(checkpoint);
  const [first] = expertBlocks(architecture);
  // One expert less can always be planned; a model without experts is refused.
  const asked = { remove, ...(first && { keep: first.experts.count - 1 }) };
  const { removed, count, chosen } = planExperts(architecture, modelName(checkpoint), asked);
  const most = await bytesWith(checkpoint, count, removed);
  if (most <= fit) {
    const why = `with all experts the files have ${most} bytes`;
    throw new OptionError(`${option('fit', fit)} drops no expert`, why, 'Give a smaller size.');
  }
  const least = await bytesWith(checkpoint, chosen, removed);
  if (least > fit) {
    throw new OptionError(
      `${option('fit', fit)} drops too many experts`,
      `a token has ${counted(chosen, 'expert')}, and with so many in each block the files have ${least} bytes`,
      `Give at least that, or leave out blocks with ${option('remove')}.`,
    );
  }
  let [keep, tooMany] = [chosen, count];
  while (tooMany - keep > 1) {
    const middle = (keep + tooMany) >> 1;
    if ((await bytesWith(checkpoint, middle, removed)) <= fit) keep = middle;
    else tooMany = middle;
  }
  return keep;
}

/** The model without the blocks that are left out. */
export const viewOfPlan = ({ checkpoint, plan }: ExpertsSubject): View =>
  viewWithout(
    requireArchitecture(checkpoint).layers.length,
    plan.removed.map((block) => ({ block })),
  );

export async function rowsOf(
  path: string,
  { samples, length, seed, share, bos }: Options,
  checkpoint: Checkpoint,
  { job, warn }: Pick<JobContext, 'job' | 'warn'>,
): Promise<Calibration> {
  const { vocabulary, context, bosTokenId } = requireArchitecture(checkpoint);
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  const drawing = { samples, length, seed, share, vocabulary, bos, bosTokenId };
  const found = await loadCalibration(path, drawing, tokenizer);
  calibrationWarnings(found, { samples, length }, context).forEach(warn);
  return found;
}

export const rowsIn = ({ source, sha256, samples, length }: Calibration) => ({
  name: source,
  sha256,
  rows: samples,
  length,
});

/** What was read and computed, besides the scores. */
export interface ExpertsRead {
  /** The rows that are routed. */
  readonly routed?: Calibration;
  /** Scores of an earlier run. */
  readonly read?: RunInput;
  /** Another text to measure on. */
  readonly other?: Calibration;
  readonly provider: string | undefined;
}

/** The record's part besides the results. */
export const expertsDetails = (
  { checkpoint, plan }: ExpertsSubject,
  options: Options,
  { routed, read, other, provider }: ExpertsRead,
): RunDetails =>
  detailsOf(checkpoint, options, {
    inputs: [
      ...(read ? [read] : []),
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
    device: provider === undefined ? undefined : { provider },
  });

const inputOf = (role: string, { source, sha256, share }: Calibration): RunInput => ({
  role,
  name: source,
  sha256,
  ...withShare(share),
});

/** What was found. */
export interface ExpertsFound {
  readonly blocks: readonly BlockExperts[];
  readonly rescale?: Rescaled;
  readonly compared?: Compared;
  /** The rows that were routed, unless scores were read. */
  readonly calibration: ExpertsResult['calibration'];
  readonly text: ExpertsResult['text'];
  readonly provider?: string;
  readonly scoringSeconds: number;
}

/** What a run returns, but for what it wrote. */
export type ExpertsMeasured = Omit<ExpertsResult, 'out' | 'seconds'>;

/** The result from the scores, with what the user should know of the text. */
export function expertsMeasured(
  facts: ExpertsFacts,
  { blocks, rescale, compared, calibration, text, provider, scoringSeconds }: ExpertsFound,
): { readonly measured: ExpertsMeasured; readonly warnings: readonly string[] } {
  const { before: count, after: keep, perToken: chosen } = facts.experts;
  const kept = keptOfBlocks(blocks, keep);
  const tokens = blocks.map((block) => block.tokens);
  const measured: ExpertsMeasured = {
    model: facts.model,
    criterion: facts.criterion,
    experts: facts.experts,
    removed: facts.removed,
    blocks: blocks.map((block) => ({ ...block, kept: kept.get(block.index)! })),
    unrouted: unroutedIn(tokens),
    parameters: facts.parameters,
    parametersBefore: facts.parametersBefore,
    ...defined({ bytesBefore: facts.bytesBefore, bytesAfter: facts.bytesAfter, rescale }),
    calibration,
    text,
    before: compared?.before ?? null,
    after: compared?.after ?? null,
    scoringSeconds,
    device: provider ?? null,
    precision: 'float32',
  };
  return { measured, warnings: routingWarnings(tokens, { count, chosen }) };
}

/** What stays in every block. */
export const keptOfBlocks = (blocks: readonly BlockExperts[], keep: number) =>
  keptExperts(new Map(blocks.map(({ index, scores }) => [index, scores])), keep);

/** @throws UserError for scores that are not finite */
export function scoredBlock(sums: ExpertSums, { criterion, seed }: Pick<Options, 'criterion' | 'seed'>): BlockExperts {
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
