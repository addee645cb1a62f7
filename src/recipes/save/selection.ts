/**
 * How removed blocks can be chosen again: by the scores and the number that gave exactly these, or by their numbers.
 * Nothing is guessed: scores count only if they choose the same blocks.
 */
import { choiceSettings } from '../../engine/importance/choice';
import { blocksToRemove } from '../../engine/importance/count';
import { selectByScores } from '../../engine/importance/ranking';
import { scoresIn } from '../../engine/importance/scores-file';
import { keepList } from '../../engine/importance/select';
import { UserError } from '../../engine/errors';
import { entries, finite, text } from '../../engine/records/fields';
import { isObject, type JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import { isOnModel, sameParts, type StepRun } from './runs';
import type { SaveRequest } from './request';

/** Scores and the options of `prune` with which they choose the blocks. */
export interface ByScores {
  readonly run: StepRun;
  readonly count: number;
  /** In place of the count, if it gives the same. */
  readonly ratio?: number;
  readonly keepEnds: boolean;
  readonly keep: readonly number[];
}

export interface SavedSelection {
  readonly scores?: ByScores;
  /** How they were chosen, for a comment. */
  readonly words: string;
}

interface Keep {
  readonly keepEnds: boolean;
  readonly keep: readonly number[];
}

/** @param removed whole blocks */
export function selectionOf(
  request: SaveRequest,
  runs: readonly StepRun[],
  removed: readonly number[],
): SavedSelection {
  const told = toldChoices(request, runs, removed);
  for (const choice of told.filter(({ chosen }) => chosen === 'by criterion')) {
    for (const run of candidates(request, runs, choice)) {
      const scores = choosing(request, run, removed, choice);
      if (scores) return { scores, words: wordsOf(choice, removed) };
    }
  }
  const [first] = told;
  if (!first) return { words: 'named by hand' };
  const unknown = first.chosen === 'by criterion' ? '; no run of scores is known that chooses exactly these' : '';
  return { words: `${wordsOf(first, removed)}${unknown}` };
}

/** The choices of these blocks, as settings of records: that of the plan, and those of runs, newest first. */
function toldChoices({ plan }: SaveRequest, runs: readonly StepRun[], removed: readonly number[]): JsonObject[] {
  const own = plan && sameParts(plan.removed, removed) ? [choiceSettings(plan.choice, removed)] : [];
  const told = runs
    .toReversed()
    .filter((run) => sameParts(run.removed, removed) && run.record.settings.chosen !== undefined)
    .map(({ record }) => record.settings);
  return [...own, ...told];
}

/** Runs that may have given the scores, the likeliest first. */
function candidates({ model }: SaveRequest, runs: readonly StepRun[], choice: JsonObject): StepRun[] {
  const name = text(choice.scores);
  const named = runs.find(({ id }) => id === name);
  const behind = named?.options.scores ?? named?.file; // a curve may have read them
  const sha256 = isObject(choice.calibration) ? text(choice.calibration.sha256) : undefined;
  const all = runs.filter(
    (run) =>
      JOBS[run.kind].givesScores &&
      run.options.criterion === choice.criterion &&
      isOnModel(run, model.identity) &&
      (sha256 === undefined || run.record.inputs.some((input) => input.sha256 === sha256)),
  );
  const first = all.filter(({ file }) => file === behind);
  return [...first, ...all.toReversed().filter((run) => !first.includes(run))];
}

function choosing(
  { plan, model }: SaveRequest,
  run: StepRun,
  removed: readonly number[],
  choice: JsonObject,
): ByScores | undefined {
  const scored = entries(run.options.keep).map(Number);
  const keeps: Keep[] = [
    ...(plan ? [{ keepEnds: plan.keepEnds, keep: plan.keep }] : []),
    ...[true, false].flatMap((keepEnds) => [scored, []].map((keep) => ({ keepEnds, keep }))),
  ];
  const keep = keeps.find((each) => chooses(run, model, removed, each));
  if (!keep) return undefined;
  const ratio = finite(choice.ratio);
  const isSame = ratio !== null && blocksToRemove({ kind: 'ratio', ratio }, model.size) === removed.length;
  return { run, count: removed.length, ...(isSame && { ratio }), ...keep };
}

/** Whether `prune` with these scores removes these blocks. */
export function chooses(
  { record, id }: StepRun,
  { identity, blocks }: SaveRequest['model'],
  removed: readonly number[],
  keep: Keep,
): boolean {
  try {
    const { ranking } = scoresIn({ results: record.results }, id, { identity }, blocks);
    return sameParts(selectByScores(ranking, blocks, removed.length, keepList(blocks, keep)), removed);
  } catch (error) {
    if (error instanceof UserError) return false; // scores of a view, or too few blocks may go
    throw error;
  }
}

function wordsOf({ chosen, criterion, suggested, ...more }: JsonObject, removed: readonly number[]): string {
  if (chosen === 'by hand' || typeof criterion !== 'string') return 'named by hand';
  const limit = finite(more.maxKl);
  const within = limit === null ? '' : `, as many as kept the KL divergence below ${limit}`;
  const rounds = Array.isArray(more.rounds) ? `, in ${more.rounds.length} rounds with healing between them` : '';
  const list = entries(suggested);
  if (list.length === 0) return `chosen by ${criterion}${within}${rounds}`;
  const added = removed.filter((block) => !list.includes(block));
  const kept = list.filter((block) => !removed.some((each) => each === block));
  const edits = [
    ...(added.length > 0 ? [`${added.join(', ')} also removed`] : []),
    ...(kept.length > 0 ? [`${kept.join(', ')} kept`] : []),
  ];
  return `${criterion} suggested ${list.join(', ')}${within}; then by hand: ${edits.join('; ')}`;
}
