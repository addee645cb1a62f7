/** Which blocks to remove, from an agent's input: named, or chosen by the scores of an earlier job. */
import { basename } from 'node:path';
import { modelSize } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import type { Choice, Goal } from '../engine/importance/choice';
import { blocksToRemove, type SizeGoal } from '../engine/importance/count';
import { selectByScores } from '../engine/importance/ranking';
import { readScores, scoresIn, type ScoresFile } from '../engine/importance/scores-file';
import { keepList, selectExplicit } from '../engine/importance/select';
import { uncertainWarning } from '../engine/importance/uncertain';
import { option } from '../engine/option-token';
import { formatBytes } from '../format/numbers';
import { prunedBytes } from '../estimates/written-bytes';
import { JOBS } from '../jobs/definitions';
import type { Opened } from './confirm';
import type { AgentContext } from './tool';

export interface SelectionInput {
  readonly blocks?: readonly number[];
  /** Id of a job, or a file. */
  readonly scores?: string;
  readonly count?: number;
  readonly ratio?: number;
  readonly targetParams?: number;
  readonly targetBytes?: number;
  readonly keep?: readonly number[];
  readonly keepEnds?: boolean;
}

export interface Selection {
  /** Ascending. */
  readonly removed: readonly number[];
  readonly choice: Choice;
  readonly warnings: readonly string[];
}

type Found = Omit<ScoresFile, 'sha256'> & {
  /** Name of the record. */
  readonly run?: string;
};

/** @throws UserError when the input does not choose, or these blocks cannot be removed */
export async function selectionOf(
  model: Opened,
  input: SelectionInput,
  context: Pick<AgentContext, 'desk' | 'paths'>,
): Promise<Selection> {
  const blocks = model.architecture.layers.length;
  if (input.blocks !== undefined) {
    return { removed: selectExplicit(input.blocks, blocks, input.keep), choice: 'hand', warnings: [] };
  }
  if (input.scores === undefined) throw unclear();
  const found = await scoresOf(input.scores, model, context);
  const { ranking, criterion, calibration, run, screened } = found;
  const kept = keepList(model.architecture.layers, input);
  const count = await countOf(model, input, (n) => selectByScores(ranking, blocks, n, kept));
  const removed = selectByScores(ranking, blocks, count, kept);
  const uncertain = screened && uncertainWarning(ranking, removed, screened);
  return {
    removed,
    choice: {
      ...{ criterion, goal: goalOf(input, count), blocks: removed },
      ...(calibration && { calibration }),
      ...(run !== undefined && { run }),
    },
    warnings: uncertain === undefined ? [] : [uncertain],
  };
}

/** How many blocks go. @param chosen the blocks for a number of them */
async function countOf(model: Opened, input: SelectionInput, chosen: (count: number) => number[]): Promise<number> {
  const { architecture } = model;
  if (input.targetBytes !== undefined) return countForBytes(model, input.targetBytes, chosen);
  const goal = sizeGoal(input);
  if (goal === undefined) throw unclear();
  return blocksToRemove(goal, modelSize(architecture));
}

/** The fewest blocks without which the written model has at most these bytes. */
async function countForBytes(
  { checkpoint, architecture }: Opened,
  most: number,
  chosen: (count: number) => number[],
): Promise<number> {
  let least = await prunedBytes(checkpoint, []);
  if (least <= most) {
    throw new UserError(
      'Nothing has to be removed',
      `the model has ${formatBytes(least)} and the target is ${formatBytes(most)}`,
      'Give a smaller target.',
    );
  }
  for (let count = 1; count < architecture.layers.length; count++) {
    least = await prunedBytes(checkpoint, removable(count, chosen, least, most));
    if (least <= most) return count;
  }
  throw tooSmall(least, most);
}

/** The blocks; where so many may not go, the target is out of reach. */
function removable(count: number, chosen: (count: number) => number[], least: number, most: number): number[] {
  try {
    return chosen(count);
  } catch (error) {
    if (error instanceof UserError && count > 1) throw tooSmall(least, most, error);
    throw error;
  }
}

const tooSmall = (least: number, most: number, cause?: UserError): UserError =>
  new UserError(
    `The model cannot be made as small as ${formatBytes(most)} by removing blocks`,
    cause ? `at ${formatBytes(least)}, ${cause.texts.why}` : `the smallest has ${formatBytes(least)}`,
    `Give a larger target, set ${option('keepEnds')} to false, or export in a smaller type such as q8_0.`,
    { cause },
  );

/** The size that is asked for; undefined if none is. */
export function sizeGoal({ count, ratio, targetParams }: SelectionInput): SizeGoal | undefined {
  if (count !== undefined) return { kind: 'count', count };
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  return targetParams === undefined ? undefined : { kind: 'target', parameters: targetParams };
}

const goalOf = (input: SelectionInput, count: number): Goal => sizeGoal(input) ?? { kind: 'count', count };

const unclear = (): UserError =>
  new UserError(
    'it is not clear which blocks to remove',
    'that takes "blocks", or "scores" with one of "count", "ratio", "targetParams" and "targetBytes"',
    'Run coppice_score first and give its id as "scores", or name the blocks.',
  );

/** Scores by the id of a job, or from a file. @throws UserError */
async function scoresOf(
  name: string,
  { checkpoint, architecture }: Opened,
  { desk, paths }: Pick<AgentContext, 'desk' | 'paths'>,
): Promise<Found> {
  const blocks = architecture.layers.length;
  const job = desk.jobs.find(({ id }) => id === name);
  if (!job) {
    if (/^[a-z]+-\d+$/.test(name)) throw noScores(name, 'there is no such job', desk);
    const file = await paths.read(name);
    return { ...(await readScores(file, checkpoint, blocks)), run: basename(file) };
  }
  if (!JOBS[job.spec.kind].givesScores) throw noScores(name, 'it is not a job of coppice_score', desk);
  if (!job.outcome) {
    throw new UserError(
      `${name} has no scores`,
      job.state === 'running' ? 'it is still running' : `it ${job.state === 'failed' ? 'failed' : 'was cancelled'}`,
      job.state === 'running' ? 'Wait for it with coppice_job_result.' : 'Run coppice_score again.',
    );
  }
  const { result, record } = job.outcome;
  return { ...scoresIn(result, name, checkpoint, blocks), ...(record !== null && { run: basename(record) }) };
}

function noScores(name: string, why: string, { jobs }: Pick<AgentContext['desk'], 'jobs'>): UserError {
  const scored = jobs.filter(({ spec }) => JOBS[spec.kind].givesScores).map(({ id }) => id);
  const action = scored.length > 0 ? `Use one of ${scored.join(', ')}.` : 'Run coppice_score first.';
  return new UserError(`${name} cannot be used as scores`, why, action);
}
