/**
 * Log-likelihoods of the choices of many questions. The rows of a question share their beginning (token-tree.ts);
 * questions of all tasks go through the model together, in groups that memory allows, each group in one pass over the
 * weights.
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

/** Cuts questions into groups for one pass each. */
export function groupsOf<Q extends Question>(questions: readonly Q[], model: Model): Q[][] {
  const groups: Q[][] = [];
  let [bytes, tokens] = [Infinity, 0];
  for (const question of questions) {
    // The states that are scored are copied for the head.
    const own = treeBytes(question.tree, model) + 4 * model.architecture.hidden * targetsOf(question);
    if (bytes + own > model.memory || tokens > TOKENS_PER_GROUP) {
      groups.push([]);
      [bytes, tokens] = [0, 0];
    }
    groups.at(-1)!.push(question);
    bytes += own;
    tokens += question.tree.ids.length;
  }
  return groups;
}

/** Work of `scoreQuestions`, in applications of a block to a token. */
export const questionsWork = (questions: readonly Question[], model: Model, view: View): number =>
  computedTokens(questions.map(({ tree }) => tree)) * stepsOf(view).length +
  questions.reduce((sum, question) => sum + targetsOf(question), 0) * headWork(model.architecture);

const targetsOf = ({ rows }: Question): number => rows.reduce((sum, { targets }) => sum + targets.length, 0);

/**
 * @param questions of one group
 * @param work advanced by `questionsWork`
 * @param part names the group, from `partName`
 * @returns for each question a score of each row
 * @throws CancelledError
 */
export async function scoreQuestions(
  model: Model,
  view: View,
  questions: readonly Question[],
  work: Work,
  part = '',
): Promise<RowScore[][]> {
  const { hidden } = model.architecture;
  const states = await treeStates(
    model,
    stepsOf(view),
    questions.map(({ tree }) => tree),
    work,
    part,
  );
  work.step(`${part}log-likelihoods`);
  const targets = questions.flatMap(({ rows }) => rows.flatMap((row) => row.targets));
  const x = new Float32Array(targets.length * hidden);
  let at = 0;
  for (const [q, { rows, tree }] of questions.entries()) {
    for (const [r, row] of rows.entries()) {
      const nodes = tree.rows[r].slice(-row.targets.length); // the token before each target
      for (const node of nodes) x.set(states[q].subarray(node * hidden, (node + 1) * hidden), hidden * at++);
    }
  }
  const { logProbabilities, isTop } = await targetScores(model, x, targets, work);
  at = 0;
  return questions.map(({ rows }) =>
    rows.map(({ targets: own }) => {
      const [from, to] = [at, (at += own.length)];
      return {
        loglik: logProbabilities.subarray(from, to).reduce((sum, each) => sum + each, 0),
        greedy: isTop.subarray(from, to).every((each) => each === 1),
      };
    }),
  );
}
