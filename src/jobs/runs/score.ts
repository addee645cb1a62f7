/** Scores the importance of every block. */
import { removalsOf } from '../../engine/evaluate/curve';
import { comparedCurve, type Within, withinDivergence } from '../../engine/evaluate/within';
import { isSized } from '../../engine/importance/criteria';
import { runCriterion, type Scored, withoutRows } from '../../engine/importance/run-criterion';
import { keepList } from '../../engine/importance/select';
import { overAll, scoredBlocks } from '../../engine/iterate/scores';
import { scoreReport, subjectOf, type ScoreSummary } from '../../engine/importance/score-report';
import { openForComputing, type OpenedModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import type { ShareInfo } from '../results/score';
import { score } from '../definitions/score';
import type { OptionsOf } from '../define';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';
import { requireKept } from './keep';
import { chosenShares } from './score-shares';

export async function runScore(
  options: OptionsOf<typeof score>,
  context: JobContext,
): Promise<RunEnd<ScoreSummary & { readonly within?: Within; readonly shares?: readonly ShareInfo[] }>> {
  const start = performance.now();
  const { criterion, granularity, cost, count, keep } = options;
  const precision = options.precision === 'int4' ? 'auto' : options.precision; // the definition refuses int4
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, architecture, removed, view, changes, inputs } = opened;
  const { length } = architecture.layers;
  // A limit or a share may take any number of parts, so the whole order must be exact.
  const exact = (options.maxKl ?? options.ratios) === undefined ? options.exact : 2 * length;
  if (keep) requireKept(keep, length);
  // Modules that go in turn stop at the limit; of blocks, it is counted afterwards how many keep to it.
  const limit = granularity === 'module' ? options.maxKl : undefined;
  const scored = await runCriterion(
    checkpoint,
    criterion,
    { ...options, ...modelOptions(options, context), precision },
    context.job,
    {
      count: limit === undefined ? count : (count ?? length),
      view,
      granularity,
      cost,
      maxKl: limit,
      changes,
      exact,
      isExactAsked: options.exact !== undefined,
      ...(keep && { kept: new Set(keep) }),
    },
  );
  scored.warnings.forEach(context.warn);
  const within = granularity === 'module' ? undefined : await withinLimit(options, opened, scored, context);
  const calibration = scored.calibration ? withoutRows(scored.calibration) : null;
  const { summary, results } = scoreReport(
    subjectOf(opened, criterion),
    { ...scored, calibration },
    { seconds: secondsSince(start) },
  );
  const kept = keepList(architecture.layers, { keepEnds: options.keepEnds, keep });
  const shares = options.ratios && chosenShares(options.ratios, architecture, scored, kept);
  const chosen = { ...(within && { within }), ...(shares && { shares }) };
  return {
    result: { ...summary, ...chosen },
    results: { ...results, ...chosen },
    run: detailsOf(checkpoint, options, {
      inputs: [...scored.inputs, ...inputs],
      settings: {
        ...recordedOptions(score, options),
        removed: removedJson(removed),
        ...(limit !== undefined && { maxKl: limit }),
        ...scored.settings,
      },
      seed: scored.seed,
      device: scored.device,
      precision: scored.precision,
    }),
  };
}

/** As many blocks as keep to the limit of the divergence; undefined without one. */
async function withinLimit(
  { maxKl, keepEnds, keep = [], criterion, ...options }: OptionsOf<typeof score>,
  opened: OpenedModel,
  { ranking, calibration, result }: Scored,
  context: JobContext,
): Promise<Within | undefined> {
  if (maxKl === undefined || !calibration) return undefined;
  const { layers } = opened.architecture;
  // Criteria that choose blocks have kept what they were told to.
  const kept = isSized(criterion) ? new Set(keep) : keepList(layers, { keepEnds, keep });
  const gone = opened.removed.map(({ block }) => block);
  const all = ranking.kind === 'scores' ? overAll(scoredBlocks(result), ranking, layers.length) : ranking;
  const removals = removalsOf(all, layers.length, new Set([...kept, ...gone]));
  const { rows } = calibration;
  const compute = modelOptions(options, context);
  return comparedCurve(opened, rows, removals, compute, context.job, (points) =>
    Promise.resolve(withinDivergence(points, maxKl)),
  );
}
