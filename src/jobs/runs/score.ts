/** Scores the importance of every block. */
import { runCriterion } from '../../engine/importance/run-criterion';
import { scoreReport, type ScoreSummary } from '../../engine/importance/score-report';
import { openForComputing } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import { score } from '../definitions/score';
import type { OptionsOf } from '../define';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince } from '../run';
import { requireKept } from './keep';

export async function runScore(options: OptionsOf<typeof score>, context: JobContext): Promise<RunEnd<ScoreSummary>> {
  const start = performance.now();
  const { criterion, granularity, count, keep } = options;
  const opened = await openForComputing(options.checkpoint, options, context.job);
  const { checkpoint, architecture, removed, view, changes, inputs } = opened;
  if (keep) requireKept(keep, architecture.layers.length);
  const scored = await runCriterion(
    checkpoint,
    criterion,
    { ...options, ...modelOptions(options, context) },
    context.job,
    { count, view, granularity, changes, ...(keep && { kept: new Set(keep) }) },
  );
  scored.warnings.forEach(context.warn);
  const { summary, results } = scoreReport(opened, criterion, scored, secondsSince(start));
  return {
    result: summary,
    results,
    run: detailsOf(checkpoint, options, {
      inputs: [...scored.inputs, ...inputs],
      settings: { ...recordedOptions(score, options), removed: removedJson(removed), ...scored.settings },
      seed: scored.seed,
      device: scored.device,
    }),
  };
}
