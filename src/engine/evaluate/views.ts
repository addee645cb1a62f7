/**
 * Losses of many views of a model in one pass over its weights. Views share a state up to their first difference, so a
 * view costs only the steps after it. For nested removals that is often little.
 */
import { partName, Work, type JobOptions } from '../progress';
import { Forward, type TokenRows } from '../model/forward';
import { headWork } from '../model/cost';
import { tokenLosses } from '../model/head';
import type { Model } from '../model/model';
import { releaseState, retainState, type State } from '../model/states';
import type { View } from '../model/view';

/** Views that are equal so far, and their position. */
interface Branch {
  readonly views: readonly number[];
  readonly state: State;
}

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
  const perGroup = Math.max(1, Math.floor(model.memory / (stateBytes * (views.length + 1))));
  const applications = countApplications(views);
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
    const states = await lastStates(forward, model.architecture.layers.length, group, views, work, part);
    work.step(`${part}step 2 of 2: losses`);
    const found = await tokenLosses(model, states, group, work);
    found.forEach((l, i) => losses[i].set(l, at * (length - 1)));
    states.forEach(releaseState);
  }
  return losses;
}

/** The last hidden states of every view; equal views share them. */
async function lastStates(
  forward: Forward,
  blocks: number,
  rows: TokenRows,
  views: readonly View[],
  work: Work,
  part: string,
): Promise<State[]> {
  let branches: Branch[] = [{ views: [...views.keys()], state: await forward.embed(rows) }];
  for (let block = 0; block < blocks; block++) {
    work.step(`${part}step 1 of 2: block ${block + 1} of ${blocks}`);
    const next: Branch[] = [];
    for (const [attention, ffn] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ]) {
      const takes = (v: number): boolean => views[v].attention[block] === attention && views[v].ffn[block] === ffn;
      const coming = branches
        .map(({ views: members, state }) => ({ views: members.filter(takes), state }))
        .filter(({ views: members }) => members.length > 0);
      if (coming.length === 0) continue;
      if (!attention && !ffn) {
        next.push(...coming.map((branch) => ({ ...branch, state: retainState(branch.state) })));
        continue;
      }
      const open = await forward.open({ block, attention, ffn }, false);
      try {
        for (const branch of coming) {
          const state = [];
          for (const chunk of branch.state) {
            state.push(await open.run(chunk));
            work.advance(chunk.rows);
          }
          next.push({ views: branch.views, state });
        }
      } finally {
        await open.close();
      }
    }
    branches.forEach(({ state }) => releaseState(state));
    branches = next;
  }
  return views.map((_, v) => {
    const { state, views: members } = branches.find((branch) => branch.views.includes(v))!;
    return v === members[0] ? state : retainState(state);
  });
}

/** The number of applications of a block to a row. */
function countApplications(views: readonly View[]): number {
  const keyUpTo = (view: View, block: number): string =>
    Array.from({ length: block + 1 }, (_, b) => `${view.attention[b]}${view.ffn[b]}`).join();
  let applications = 0;
  for (let block = 0; block < views[0].attention.length; block++) {
    const computing = views.filter((view) => view.attention[block] || view.ffn[block]);
    applications += new Set(computing.map((view) => keyUpTo(view, block))).size;
  }
  return applications;
}
