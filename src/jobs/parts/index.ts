/** The jobs whose work can be cut. */
import type { CutJob } from './cut';
import type { CutKind } from './part-record';
import { cutScore } from './score';
import { cutTasks } from './tasks';

export const CUT_JOBS: { readonly [K in CutKind]?: CutJob<K> } = { score: cutScore, tasks: cutTasks };

/** @throws Error for a kind that is not in the list */
export function cutJob<K extends CutKind>(kind: K): CutJob<K> {
  const found = CUT_JOBS[kind];
  if (!found) throw new Error(`${kind} cannot be cut`);
  return found;
}
