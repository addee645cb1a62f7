/**
 * Log-likelihoods of the choices of many questions. The rows of a question share their beginning (token-tree.ts);
 * questions of all tasks go through the model together, in groups that memory allows, each group in one pass over the
 * weights. Only questions of one bundle share a run (bundles.ts).
 */
import { headWork } from '../../model/cost';
import type { Architecture } from '../../checkpoint/architecture';
import type { Model } from '../../model/model';
import { lengthClass } from '../../model/rotary';
import { targetScores } from '../../model/target-scores';
import { treeOf, type TokenTree } from '../../model/token-tree';
import { computedTokens, treeBytes, treeStates } from '../../model/tree-forward';
import { stepsOf, type View } from '../../model/view';
import type { Work } from '../../progress';
import type { ScoredRow } from './encode';

/** What a model makes of a row. */
export interface RowScore {
  /** Σ ln p of the targets. */
  readonly loglik: number;
  /** Whether every target is the model's first choice. */
  readonly greedy: boolean;
}

/** The rows of one question. */
export interface Question {
  readonly rows: readonly ScoredRow[];
  readonly tree: TokenTree;
}

/** @param architecture of the model that is asked */
export const questionOf = (rows: readonly ScoredRow[], architecture: Architecture): Question => ({
  rows,
  tree: treeOf(
    rows.map(({ fed }) => fed),
    (length) => lengthClass(architecture, length),
  ),
});

/** Tokens of a group at most: enough that reading the weights costs nothing beside them, few enough to keep often. */
const TOKENS_PER_GROUP = 32_768;

/** Cuts bundles of questions into groups for one pass each. A bundle stays whole, whatever memory there is. */
export function groupsOf<Q extends Question>(bundles: readonly (readonly Q[])[], model: Model): (readonly Q[])[][] {
  const groups: (readonly Q[])[][] = [];
  let [bytes, tokens] = [Infinity, 0];
  for (const bundle of bundles) {
    // The states that are scored are copied for the head.
    const own = bundle.reduce(
      (sum, question) => sum + treeBytes(question.tree, model) + 4 * model.architecture.hidden * targetsOf(question),
      0,
    );
    if (bytes + own > model.memory || tokens > TOKENS_PER_GROUP) {
      groups.push([]);
      [bytes, tokens] = [0, 0];
    }
    groups.at(-1)!.push(bundle);
    bytes += own;
    tokens += bundle.reduce((sum, { tree }) => sum + tree.ids.length, 0);
  }
  return groups;
}

/** Work of `scoreQuestions`, in applications of a block to a token. */
export const questionsWork = (bundles: readonly (readonly Question[])[], model: Model, view: View): number =>
  bundles.reduce((sum, bundle) => {
    const targets = bundle.reduce((count, question) => count + targetsOf(question), 0);
    const tokens = computedTokens(bundle.map(({ tree }) => tree));
    return sum + tokens * stepsOf(view).length + targets * headWork(model.architecture);
  }, 0);

const targetsOf = ({ rows }: Question): number => rows.reduce((sum, { targets }) => sum + targets.length, 0);

/**
 * The last hidden states before each target, (targets, hidden), in the order of the rows.
 * @param bundles of questions, of one group: only those of one bundle share runs
 * @param work advanced by `questionsWork` without the head's
 * @param part names the group, from `partName`
 * @throws CancelledError
 */
export async function statesBeforeTargets(
  model: Model,
  view: View,
  bundles: readonly (readonly Question[])[],
  work: Work,
  part = '',
): Promise<Float32Array> {
  const { hidden } = model.architecture;
  const states = await treeStates(
    model,
    stepsOf(view),
    bundles.map((bundle) => bundle.map(({ tree }) => tree)),
    work,
    part,
  );
  const targets = bundles.reduce((sum, bundle) => sum + bundle.reduce((count, each) => count + targetsOf(each), 0), 0);
  const x = new Float32Array(targets * hidden);
  let at = 0;
  for (const [b, bundle] of bundles.entries()) {
    for (const [q, { rows, tree }] of bundle.entries()) {
      for (const [r, row] of rows.entries()) {
        const nodes = tree.rows[r].slice(-row.targets.length); // the token before each target
        for (const node of nodes) x.set(states[b][q].subarray(node * hidden, (node + 1) * hidden), hidden * at++);
      }
    }
  }
  return x;
}

/** The targets of each bundle. */
export const targetsIn = (bundles: readonly (readonly Question[])[]): number[][] =>
  bundles.map((bundle) => bundle.flatMap(({ rows }) => rows.flatMap((row) => row.targets)));

/**
 * @param work advanced by `questionsWork`
 * @returns for each bundle and question a score of each row
 * @throws CancelledError
 */
export async function scoreQuestions(
  model: Model,
  view: View,
  bundles: readonly (readonly Question[])[],
  work: Work,
  part = '',
): Promise<RowScore[][][]> {
  const x = await statesBeforeTargets(model, view, bundles, work, part);
  work.step(`${part}log-likelihoods`);
  const { logProbabilities, isTop } = await targetScores(model, x, targetsIn(bundles), work);
  let at = 0;
  const scoreOf = ({ targets: own }: ScoredRow): RowScore => {
    const [from, to] = [at, (at += own.length)];
    return {
      loglik: logProbabilities.subarray(from, to).reduce((sum, each) => sum + each, 0),
      greedy: isTop.subarray(from, to).every((each) => each === 1),
    };
  };
  return bundles.map((bundle) => bundle.map(({ rows }) => rows.map(scoreOf)));
}
