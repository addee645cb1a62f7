/** Runs jobs of agents in the sidecar, as commands do: with the settings, in the status bar, with what they find in the view. */
import type { Coppice } from '../host/coppice';
import { keepGivenFiles } from '../host/given-files';
import { textName } from '../host/ask/text-name';
import type { JobRunner } from '../jobs/runner';
import type { JobOutcome, JobSpec } from '../protocol/jobs';
import { subjectOf } from '../state/subject';

export function sidecarRunner(coppice: Coppice): JobRunner {
  return async (spec, { signal, onProgress } = {}) => {
    const complete = { ...coppice.config.compute, ...spec };
    void keepGivenFiles(coppice, complete as JobSpec);
    const outcome = await coppice.sidecar.run(complete as JobSpec, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
    await showEnd(coppice, complete as JobSpec, outcome);
    return outcome; // of this kind, which the client's type does not say of a spec of any kind
  };
}

/** Scores colour the blocks in the view, and a new checkpoint is listed. */
async function showEnd(coppice: Coppice, spec: JobSpec, outcome: JobOutcome): Promise<void> {
  const { library, scores, plans } = coppice;
  if (spec.kind !== 'score') {
    if ('out' in spec && spec.out !== undefined) library.rescanSoon();
    return;
  }
  const path = await library.resolve(spec.checkpoint);
  const { result, record } = outcome as JobOutcome<'score'>;
  const subject = subjectOf(path, await library.load(path));
  const choice = subject ? plans.choice(subject) : 'hand';
  // Colours by another criterion than the plan's would contradict the plan.
  const shows = choice === 'hand' || choice.criterion === result.criterion;
  const { calibration: file } = spec;
  scores.add(path, result, record, { file, ...(file !== undefined && { name: textName(coppice, file) }), shows });
}
