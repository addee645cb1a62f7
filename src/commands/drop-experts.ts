/**
 * Drop Experts…: scores the experts of a mixture of experts on a text, and writes the model without the lowest of each block, and
 * without the blocks that its plan removes.
 */
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import { parametersOf } from '../engine/checkpoint/parameters';
import { EXPERT_RATIO } from '../engine/importance/experts/criteria';
import { type ExpertPlan, fewerExperts, planExperts } from '../engine/importance/experts/plan';
import { keptCount } from '../engine/importance/experts/select';
import { shortCount } from '../format/numbers';
import { numberRanges } from '../format/ranges';
import { withShare } from '../format/text-share';
import type { GivenFor } from '../jobs/kinds';
import type { ExpertsResult } from '../jobs/results/experts';
import { checkpointName } from '../jobs/titles';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import { requireSpace } from '../host/ask/disk-space';
import { wholeNumberFault } from '../host/ask/numbers';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { settingsText } from '../host/ask/settings-text';
import { ask, askAll, type Step } from '../host/ask/steps';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { hintAtGit } from '../host/git-hint';
import { compareStep, inform, nextCommand } from '../host/inform';
import { runJob } from '../host/jobs/run-job';

type Options = Partial<Omit<GivenFor<'experts'>, 'checkpoint' | 'device'>>;

/** Without `out` it asks where to write; with `scoreOnly` nothing is written. */
export interface DropExpertsArguments extends CommonArguments, Options {
  readonly scoreOnly?: boolean;
}

export const dropExpertsCommand: Command<DropExpertsArguments> = {
  id: 'coppice.dropExperts',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Drop Experts');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const planned = coppice.plans.removed(chosen.subject);
    const { keep, ratio = EXPERT_RATIO, remove = planned.length > 0 ? planned : undefined } = args;
    const plan = planExperts(chosen.architecture, checkpointName(chosen.path), { keep, ratio, remove });
    const open = args.keep === undefined && args.ratio === undefined;
    const complete = await askAll(title, { ...args, remove }, [
      ...(open ? [keepStep(chosen, plan)] : []),
      ...(args.calibration === undefined && args.scores === undefined ? [textStep(coppice)] : []),
      ...(args.out === undefined && args.scoreOnly !== true ? [outStep(coppice, chosen, plan)] : []),
    ]);
    settle({ ...complete, checkpoint: chosen.path });
    const { out } = complete;
    if (out !== undefined) requireSpace(out, chosen.checkpoint.size.all);
    const { result } = await runJob(coppice, specOf(coppice, chosen, complete), { device: args.device });
    if (result.out !== null) void hintAtGit(coppice, args, result.out);
    if (!args.throws) await openResults(coppice, chosen.path, chosen.checkpoint);
    tell(args, chosen, result);
    return result;
  },
};

function keepStep(
  { architecture }: Chosen,
  { count, chosen, removed }: Pick<ExpertPlan, 'count' | 'chosen' | 'removed'>,
): Step<DropExpertsArguments> {
  const { t } = vscode.l10n;
  return async (_, place) => {
    const answer = await ask(place, {
      prompt: t('How many of the {0} experts of each block stay? A token uses {1}.', count, chosen),
      value: String(keptCount(count, EXPERT_RATIO)),
      fault: (text) => wholeNumberFault(text, chosen, count - 1),
      meaning: (text) => {
        const [before, after] = [architecture, fewerExperts(architecture, Number(text), removed)]
          .map(parametersOf)
          .map(shortCount);
        if (removed.length === 0)
          return t('Keeps {0} of {1} experts of each block: {2} of {3} parameters', text, count, after, before);
        return removed.length === 1
          ? t(
              'Keeps {0} of {1} experts, without block {2} of the plan: {3} of {4} parameters',
              text,
              count,
              removed[0],
              after,
              before,
            )
          : t(
              'Keeps {0} of {1} experts, without blocks {2} of the plan: {3} of {4} parameters',
              text,
              count,
              numberRanges(removed),
              after,
              before,
            );
      },
    });
    return { keep: Number(answer) };
  };
}

const textStep =
  (coppice: Coppice): Step<DropExpertsArguments> =>
  async (_, place) => {
    const placeholder = vscode.l10n.t('Which text should experts be scored on? Best: text like what your app sends.');
    const question = { placeholder, use: 'calibration', fixed: [settingsText(coppice)] } as const;
    return { calibration: await chooseFile(coppice, place, question) };
  };

function outStep(
  coppice: Coppice,
  { checkpoint }: Chosen,
  { keep: usual }: Pick<ExpertPlan, 'keep'>,
): Step<DropExpertsArguments> {
  return async ({ keep = usual }, place) => {
    const extension = isGgufCheckpoint(checkpoint) ? '.gguf' : undefined;
    const suffix = vscode.l10n.t('{0}-experts', keep);
    const value = outputFolder(coppice.config.outputFolder, checkpoint, suffix, extension);
    const bytes = checkpoint.size.all;
    if (extension === undefined)
      return { out: await askOutputFolder(place, { prompt: vscode.l10n.t('The new folder'), value, bytes }) };
    return { out: await askOutputFile(place, { prompt: vscode.l10n.t('The new file'), value, bytes, extension }) };
  };
}

/** The job, with the rows of the settings. */
function specOf({ config }: Coppice, { path, architecture }: Chosen, args: DropExpertsArguments) {
  const { keep, ratio, criterion, remove, scores, calibration, text, measure, out } = args;
  const rows = config.calibration;
  return {
    kind: 'experts' as const,
    checkpoint: path,
    ...{ keep, ratio, criterion, remove, scores, calibration, text, measure, out },
    samples: args.samples ?? rows.samples,
    length: Math.min(args.length ?? rows.length, architecture.context),
    ...(scores === undefined && { seed: args.seed ?? rows.seed }),
    ...withShare(args.share),
  };
}

function tell(args: CommonArguments, { path }: Chosen, { experts, out }: ExpertsResult): void {
  const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: out ?? path });
  const words =
    out === null
      ? vscode.l10n.t('Scored {0} experts of each block of {1}.', experts.before, checkpointName(path))
      : vscode.l10n.t('{0} of {1} experts stay: {2}.', experts.after, experts.before, checkpointName(out));
  inform(args, words, ...(out === null ? [] : [compareStep(out)]), open);
}
