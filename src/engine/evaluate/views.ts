/**
 * Losses of many views of a model in one pass over its weights. Views share a state up to their first difference, so a
 * view costs only the steps after it. For nested removals that is often little.
 */
import { partName, Work, type JobOptions } from '../progress';
import { Forward, type TokenRows } from '../model/forward';
import { headWork, rowsPerGroup } from '../model/cost';
import { tokenLosses } from '../model/head';
import type { Model } from '../model/model';
import { releaseState } from '../model/states';
import type { View } from '../model/view';
import { sharedApplications } from '../model/shared-applications';
import { statesOfViews } from '../model/view-states';

/**
 * Token losses of each view, (rows · (length − 1)) in nats, in the order of `views`.
 * @param rows tokens, all of one length
 * @throws CancelledError
 */
export async function lossesOfViews(
  model: Model,
  rows: TokenRows,
  views: readonly View[],
  job: JobOptions = {},
): Promise<Float64Array[]> {
  const { length } = rows[0];
  const stateBytes = length * model.architecture.hidden * 4;
  const perGroup = rowsPerGroup(Math.floor(model.memory / (stateBytes * (views.length + 1))), length);
  const applications = sharedApplications(views);
  const work = new Work(
    job,
    rows.length * (applications + headWork(model.architecture) * views.length),
    'row-blocks',
    'reading',
  );
  const losses = views.map(() => new Float64Array(rows.length * (length - 1)));
  const forward = new Forward(model, length);
  for (let at = 0; at < rows.length; at += perGroup) {
    const group = rows.slice(at, at + perGroup);
    const part = partName(at / perGroup, Math.ceil(rows.length / perGroup));
    const states = await statesOfViews(
      forward,
      group,
      views,
      work,
      (block, blocks) => `${part}step 1 of 2: block ${block + 1} of ${blocks}`,
    );
    work.step(`${part}step 2 of 2: losses`);
    const found = await tokenLosses(model, states, group, work);
    found.forEach((l, i) => losses[i].set(l, at * (length - 1)));
    states.forEach(releaseState);
  }
  return losses;
}
