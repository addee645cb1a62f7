/**
 * The last hidden states of many views of a model, in one pass over its weights. Views share a state up to their first
 * difference, so a view costs only the steps after it. A block is opened once for all views that have it.
 */
import type { Work } from '../progress';
import type { Forward, TokenRows } from './forward';
import { retainState, type State } from './states';
import type { View } from './view';

/** Views that are equal so far, and their position. */
interface Branch {
  readonly views: readonly number[];
  readonly state: State;
}

/** What a view can have of a block. */
const KINDS = [
  [true, true],
  [true, false],
  [false, true],
  [false, false],
] as const;

/**
 * @param rows tokens, all of the length of `forward`
 * @param work advanced by one for each application of a block to a row: `sharedApplications` for each row
 * @param step names the step while block k computes
 * @returns a state for each view, which the caller releases; equal views share their chunks
 * @throws CancelledError
 */
export async function statesOfViews(
  forward: Forward,
  rows: TokenRows,
  views: readonly View[],
  work: Work,
  step: (block: number, blocks: number) => string,
): Promise<State[]> {
  const blocks = views[0].attention.length;
  let branches: Branch[] = [{ views: [...views.keys()], state: await forward.embed(rows) }];
  for (let block = 0; block < blocks; block++) {
    work.step(step(block, blocks));
    branches = await throughBlock(forward, block, branches, views, work);
  }
  return views.map((_, v) => {
    const { state, views: members } = branches.find((branch) => branch.views.includes(v))!;
    return v === members[0] ? state : retainState(state);
  });
}

/** Takes over the branches' states. */
async function throughBlock(
  forward: Forward,
  block: number,
  branches: readonly Branch[],
  views: readonly View[],
  work: Work,
): Promise<Branch[]> {
  const next: Branch[] = [];
  for (const [k, [attention, ffn]] of KINDS.entries()) {
    const takes = (v: number): boolean => views[v].attention[block] === attention && views[v].ffn[block] === ffn;
    const coming = branches.flatMap((branch) => {
      const members = branch.views.filter(takes);
      if (members.length === 0) return [];
      // A state that no later kind needs ends with this one, so that no more states exist than views.
      const isLast = !branch.views.some((v) => kindOf(views[v], block) > k);
      return [{ views: members, state: isLast ? branch.state : retainState(branch.state) }];
    });
    if (coming.length === 0) continue;
    if (!attention && !ffn) {
      next.push(...coming);
      continue;
    }
    const open = await forward.open({ block, attention, ffn }, false);
    try {
      const after = await open.runAll(
        coming.flatMap(({ state }) => state),
        ({ rows }) => work.advance(rows),
      );
      for (const { views: members, state } of coming)
        next.push({ views: members, state: after.splice(0, state.length) });
    } finally {
      await open.close();
    }
  }
  return next;
}

const kindOf = (view: View, block: number): number =>
  KINDS.findIndex(([attention, ffn]) => attention === view.attention[block] && ffn === view.ffn[block]);
