/** Score Blocks…: scores every block by one criterion. */
import { withShare } from '../format/text-share';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import {
  type Criterion,
  criterionInfo,
  isSized,
  needsCalibration,
  objectiveSetting,
} from '../engine/importance/criteria';
import type { ScoreSpec } from '../protocol/jobs';
import type { ScoreResult } from '../jobs/results/score';
import { checkpointName } from '../jobs/titles';
import { requireProtection } from '../state/protection';
import type { Scores } from '../state/scores';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { inform, nextCommand } from '../host/inform';
import { criterionChoices, pickCriterion } from '../host/ask/criteria';
import { scoringTime, settingsOptions } from '../host/ask/job-time';
import { choosingShare, sharedWords } from '../host/ask/judging-text';
import { recall, remember } from '../host/ask/remembered';
import { settingsText } from '../host/ask/settings-text';
import { type Finished, runJob } from '../host/jobs/run-job';
import { ask, askAll, type Step, when } from '../host/ask/steps';
import { wholeNumberFault } from '../host/ask/numbers';

/** `keep`, for criteria that choose a number of blocks: undefined uses the blocks that the settings protect. */
export type ScoreArguments = CommonArguments &
  JobArguments<
    'score',
    | 'criterion'
    | 'calibration'
    | 'samples'
    | 'length'
    | 'seed'
    | 'share'
    | 'norm'
    | 'reduction'
    | 'objective'
    | 'count'
    | 'maxKl'
    | 'keep'
    | 'exact'
    | 'granularity'
    | 'cost'
  >;

export const scoreBlocksCommand: Command<ScoreArguments> = {
  id: 'coppice.scoreBlocks',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Score Blocks');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const complete = await askScore(coppice, args, chosen, title);
    settle({ ...complete, checkpoint: chosen.path });
    return score(coppice, chosen, complete);
  },
};

/**
 * Runs the scoring and keeps its scores.
 * @param suggested whether a suggestion follows anyway, so that it is not offered
 * @returns the result as the command line prints it
 */
export async function score(
  coppice: Coppice,
  chosen: Chosen,
  args: ScoreArguments,
  suggested = false,
): Promise<ScoreResult> {
  const spec = scoreSpec(coppice, chosen, await sharing(coppice, chosen, args));
  const finished = await runJob(coppice, spec, { device: args.device });
  return tellScored(coppice, chosen, args, finished, suggested);
}

/** The job, with the settings for what the arguments leave open. */
export function scoreSpec(coppice: Coppice, { path, architecture }: Chosen, args: ScoreArguments): ScoreSpec {
  const { criterion = coppice.config.criterion, norm, reduction, granularity, cost } = args;
  return {
    kind: 'score',
    checkpoint: path,
    criterion,
    ...(needsCalibration(criterion) && calibrationOf(coppice, args, architecture.context)),
    ...objectiveSetting(criterion, args.objective ?? coppice.config.objective),
    ...(isSized(criterion) && sizeOf(coppice, args, architecture.layers.length)),
    ...(criterion === 'magnitude' && { norm, reduction }),
    ...(granularity === 'module' && { granularity, cost }),
    ...(criterionInfo(criterion).screens && !isSized(criterion) && args.exact !== undefined && { exact: args.exact }),
  };
}

/**
 * Tells of the scores of a finished job.
 * @param suggested whether a suggestion follows anyway, so that it is not offered
 * @returns the result as the command line prints it
 */
export function tellScored(
  coppice: Coppice,
  { path, architecture }: Chosen,
  args: CommonArguments,
  { result, unwatched }: Finished<'score'>,
  suggested = false,
): ScoreResult {
  const { criterion } = result;
  if (unwatched) {
    const next = { checkpoint: path };
    inform(
      args,
      architecture.layers.length === 1
        ? vscode.l10n.t('Scored the block of {0} by {1}.', checkpointName(path), criterion)
        : vscode.l10n.t(
            'Scored {0} blocks of {1} by {2}.',
            architecture.layers.length,
            checkpointName(path),
            criterion,
          ),
      ...(suggested
        ? []
        : [nextCommand(vscode.l10n.t('Suggest Blocks…'), 'coppice.suggestBlocks', { ...next, criterion })]),
      nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', next),
    );
  }
  coppice.log.info(`scored ${path} by ${criterion} in ${result.seconds.toFixed(1)} s`);
  return result;
}

/** From the arguments or the settings, with rows no longer than the model's context. */
function calibrationOf(
  { config }: Coppice,
  args: ScoreArguments,
  context: number,
): Pick<ScoreSpec, 'calibration' | 'samples' | 'length' | 'seed' | 'share'> {
  const settings = config.calibration;
  return {
    calibration: args.calibration ?? settings.file,
    samples: args.samples ?? settings.samples,
    length: Math.min(args.length ?? settings.length, context),
    seed: args.seed ?? settings.seed,
    ...withShare(args.share),
  };
}

/** Leaves a part of the only text to judge what comes of the scores. What a caller asks for stays as it is. */
export async function sharing(coppice: Coppice, { path }: Chosen, args: ScoreArguments): Promise<ScoreArguments> {
  const { criterion = coppice.config.criterion, calibration = coppice.config.calibration.file, throws } = args;
  if (args.share !== undefined || throws || !needsCalibration(criterion)) return args;
  const share = await choosingShare(coppice, calibration, [path]);
  if (share) coppice.log.info(`${calibration} is the only text here: its first part chooses blocks, the rest judges`);
  return { ...args, ...withShare(share) };
}

/** Limits the number of blocks to the blocks that are not protected. */
function sizeOf(
  { config }: Coppice,
  { count, keep, maxKl }: ScoreArguments,
  blocks: number,
): Pick<ScoreSpec, 'count' | 'keep' | 'maxKl'> {
  const kept = keep ?? [...requireProtection(blocks, config).kept];
  const room = Math.max(1, blocks - kept.length);
  return {
    ...(maxKl === undefined
      ? { count: count ?? Math.min(room, Math.max(1, Math.floor(blocks / 4))) }
      : { count, maxKl }),
    ...(kept.length > 0 && { keep: kept }),
  };
}

/**
 * The newest scores by a criterion, or the shown scores, if the model has not changed since. Scores by another objective
 * than that of the settings do not count.
 */
export function scoresOf({ scores, config }: Coppice, { subject }: Chosen, criterion?: Criterion): Scores | undefined {
  if (criterion === undefined) return scores.shown(subject);
  const found = scores.latest(subject, criterion);
  const { objective } = objectiveSetting(criterion, config.objective);
  return objective === undefined || (found?.objective ?? 'ppl') === objective ? found : undefined;
}

/** Asks for what the arguments leave open. @param further questions that follow, if it asks any @throws CancelledError */
export async function askScore<A extends ScoreArguments>(
  coppice: Coppice,
  args: A,
  chosen: Chosen,
  title: string,
  further: readonly Step<A>[] = [],
): Promise<A> {
  const { architecture } = chosen;
  const { config } = coppice;
  // With a criterion, the settings give the rest.
  if (args.criterion !== undefined) return args;
  const criterionStep: Step<ScoreArguments> = async (_, place) => {
    const active = recall<string>(coppice, 'score', 'criterion', config.criterion, config.criterion) as Criterion;
    const choices = criterionChoices(architecture, (criterion) => scoringTime(coppice, chosen, criterion));
    const { samples, length } = settingsOptions(coppice, chosen);
    const rows = vscode.l10n.t('{0} samples of {1} tokens', samples!, length!);
    const question = vscode.l10n.t('Select how to score blocks; the times are for {0}', rows);
    return { criterion: await pickCriterion(place, question, choices, active) };
  };
  const textStep = when<ScoreArguments>(
    ({ criterion }) => args.calibration === undefined && criterion && needsCalibration(criterion),
    (_, place) => askCalibration(coppice, chosen, place),
  );
  const countStep = when<ScoreArguments>(
    ({ criterion }) => args.count === undefined && criterion && isSized(criterion),
    (_, place) => askRemovals(place, architecture.layers.length),
  );
  const own = [criterionStep, textStep, countStep] as unknown as Step<A>[];
  const complete = await askAll(title, args, [...own, ...further]);
  const { criterion, calibration } = complete;
  const under = { criterion: config.criterion, calibration: config.calibration.file };
  await remember(
    coppice,
    'score',
    { criterion, calibration: args.calibration === undefined ? calibration : undefined },
    under,
  );
  return complete;
}

async function askCalibration(
  coppice: Coppice,
  { path }: Chosen,
  place: Parameters<Step<unknown>>[1],
): Promise<{ calibration: string }> {
  const { file } = coppice.config.calibration;
  const placeholder = vscode.l10n.t('Which text should blocks be scored on? Best: text like what your app sends.');
  const last = recall<string>(coppice, 'score', 'calibration', file, file);
  const describe = async (text: string): Promise<string | undefined> =>
    (await choosingShare(coppice, text, [path])) && sharedWords();
  const question = { placeholder, use: 'calibration', fixed: [settingsText(coppice)], active: last, describe } as const;
  return { calibration: await chooseFile(coppice, place, question) };
}

async function askRemovals(place: Parameters<Step<unknown>>[1], blocks: number): Promise<{ count: number }> {
  const answer = await ask(place, {
    prompt: vscode.l10n.t('Number of blocks to remove'),
    value: String(Math.max(1, Math.floor(blocks / 4))),
    fault: (text) => wholeNumberFault(text, 1, blocks - 1),
  });
  return { count: Number(answer) };
}
