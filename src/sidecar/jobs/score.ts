/** How much every block of a model matters. */
import { needsCalibration, readsWeights } from '../../engine/importance/criterion';
import { runCriterion } from '../../engine/importance/run-criterion';
import { scoreReport } from '../../engine/importance/score-report';
import { UserError } from '../../engine/errors';
import { detailsOf } from '../../engine/records/details';
import { openForComputing, removedJson } from '../../engine/model/opened';
import type { ScoreResult, ScoreSpec } from '../../protocol/scores';
import { type Job, modelOptions, secondsSince, wanted } from './job';
import { criterionSettings } from './settings';

export const score: Job<'score', ScoreSpec> = async (spec, context) => {
  const start = performance.now();
  checkSpec(spec);
  const { criterion, granularity = 'block', count, keep } = spec;
  const opened = await openForComputing(spec.checkpoint, wanted(spec));
  const { checkpoint, removed, view, adapter, inputs } = opened;
  const options = { ...criterionSettings(spec), ...modelOptions(spec, context.hooks) };
  const scored = await runCriterion(checkpoint, criterion, options, context.job, {
    ...{ count, view, granularity, adapter },
    ...(keep && { kept: new Set(keep) }),
  });
  scored.warnings.forEach(context.warn);
  const { summary, results } = scoreReport(opened, criterion, scored, secondsSince(start));
  return {
    result: summary as unknown as ScoreResult,
    results,
    run: detailsOf(checkpoint, spec, {
      inputs: [...scored.inputs, ...inputs],
      settings: { criterion, granularity, count, keep, removed: removedJson(removed), ...scored.settings },
      seed: scored.seed,
      device: scored.device,
    }),
  };
};

function checkSpec({ criterion, granularity, count, calibration, adapter }: ScoreSpec): void {
  const refuse = (what: string, why: string, action: string): never => {
    throw new UserError(what, why, action);
  };
  if (needsCalibration(criterion) && calibration === undefined) {
    refuse(`the criterion ${criterion} needs a calibration text`, 'none is chosen', 'Choose a text file.');
  }
  if (adapter !== undefined && readsWeights(criterion)) {
    refuse(
      `${criterion} cannot score a model with an adapter on top`,
      'it looks at the weights as they are stored',
      'Merge the adapter first.',
    );
  }
  if (granularity === 'module' && criterion !== 'ppl') {
    refuse(`${criterion} cannot score single modules`, 'only ppl can', 'Score whole blocks, or choose ppl.');
  }
  if (criterion === 'greedy' && count === undefined) {
    refuse('greedy needs to know when to stop', 'no count is given', 'Say how many blocks to remove.');
  }
}
