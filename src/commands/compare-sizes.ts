/** Compare Size Against Perplexity…: files of several types, without several numbers of blocks; or the best of one size. */
import * as vscode from 'vscode';
import { hashFile } from '../engine/files/regular-file';
import { DEFAULT_WINDOW } from '../engine/importance/drawing';
import { formatBytes, formatNumber } from '../format/numbers';
import type { Defined, GivenFor } from '../jobs/kinds';
import { drawnOptions } from '../jobs/options/calibration';
import type { FrontierResult } from '../jobs/results/frontier';
import { parseBytes } from '../jobs/values';
import type { SpecOf } from '../protocol/jobs';
import { requireProtection } from '../state/protection';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import { timeAndMemory } from '../host/ask/job-time';
import { JUDGING_WINDOWS, type JudgingText, judgingText } from '../host/ask/judging-text';
import { settingsText } from '../host/ask/settings-text';
import { sizeFault } from '../host/ask/ship-goal';
import { ask, askAll, pick, type Step, when } from '../host/ask/steps';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform, nextCommand } from '../host/inform';
import { runJob } from '../host/jobs/run-job';
import { relativesOf } from './comparable-models';

export interface CompareSizesArguments
  extends CommonArguments, JobArguments<'frontier', 'fit' | 'counts' | 'types' | 'text'> {
  /** In place of `fit`, as a user types it: "100MB"; empty for no size. */
  readonly size?: string;
  /** Further options of `coppice frontier`. */
  readonly settings?: Partial<Omit<GivenFor<'frontier'>, 'checkpoint'>>;
}

/** All types without several numbers of blocks. */
const NO_SIZE = '';

export const compareSizesCommand: Command<CompareSizesArguments> = {
  id: 'coppice.compareSizes',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Compare Size Against Perplexity');
    const chosen = await chooseCheckpoint(coppice, args, title);
    requireProtection(chosen.architecture.layers, coppice.config); // before any question
    const { originalIdentity } = await relativesOf(coppice, chosen);
    const goal = coppice.goals.goal(originalIdentity)?.maxBytes;
    const judging = args.text === undefined ? await freeText(coppice, chosen) : undefined;
    const complete = await askAll(title, args, [sizeStep(coppice, chosen, goal), textStep(coppice, judging)]);
    settle({ ...complete, checkpoint: chosen.path });
    const { result, notes, seen } = await runJob(coppice, specOf(coppice, complete, chosen), { device: args.device });
    const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: chosen.path });
    if (!seen) inform(args, [wordsOf(result), ...notes].join(' '), open);
    return result;
  },
};

function specOf(
  { config }: Coppice,
  { size, fit, counts, types, text, settings }: CompareSizesArguments,
  { path, architecture }: Chosen,
): SpecOf<Defined['frontier']> {
  const { locked } = requireProtection(architecture.layers, config);
  const { context } = architecture;
  const { length, ...drawn } = config.calibration;
  return {
    kind: 'frontier',
    checkpoint: path,
    fit: fit ?? (size === undefined || size === NO_SIZE ? undefined : parseBytes(size)),
    ...{ counts, types, text },
    keepEnds: config.keepEnds,
    keep: [...locked],
    ...drawnOptions({ ...drawn, length: Math.min(length, context) }),
    window: Math.min(DEFAULT_WINDOW, context),
    limit: JUDGING_WINDOWS,
    ...settings,
  };
}

/** A text that does not choose the blocks. Of the application's text, each job has its own rows. */
async function freeText(coppice: Coppice, { path }: Chosen): Promise<JudgingText | undefined> {
  const { file, share } = coppice.config.calibration;
  if (file === coppice.config.application) return undefined;
  const used = [{ sha256: await hashFile(file), ...(share && { share }) }];
  const found = await judgingText(coppice, used, [path]);
  // The rest of the text that chooses would need a share of that.
  return found?.share === undefined ? found : undefined;
}

/** The goal's size if there is one, another size, or none. */
function sizeStep(coppice: Coppice, chosen: Chosen, goal: number | undefined): Step<CompareSizesArguments> {
  const step: Step<CompareSizesArguments> = async (state, place) => {
    const { t } = vscode.l10n;
    const time = (fit: number | undefined): string =>
      timeAndMemory(coppice, chosen, specOf(coppice, { ...state, fit, text: coppice.config.calibration.file }, chosen));
    const bytes = chosen.checkpoint.size.all;
    const other = 'other';
    const choices = [
      ...(goal === undefined
        ? []
        : [
            {
              label: t('What fits into {0}', formatBytes(goal)),
              description: t('the goal · {0}', time(goal)),
              value: String(goal),
            },
          ]),
      {
        label: t('All types, without several numbers of blocks'),
        description: time(undefined),
        value: NO_SIZE,
      },
      { label: t('What fits into a size…'), description: time(Math.round(bytes / 2)), value: other },
    ];
    const size = await pick(place, t('Select what to compare'), choices, choices[0].value);
    if (size !== other) return { size };
    const prompt = t('Maximum size of the file. The model is {0} now.', formatBytes(bytes));
    const value = `${Number((bytes / 2e6).toPrecision(3))}MB`;
    return { size: await ask(place, { prompt, value, fault: sizeFault }) };
  };
  return when(({ size, fit, counts }) => size === undefined && fit === undefined && counts === undefined, step);
}

function textStep(coppice: Coppice, judging: JudgingText | undefined): Step<CompareSizesArguments> {
  const step: Step<CompareSizesArguments> = async (_, place) => {
    const { t } = vscode.l10n;
    const own = settingsText(coppice);
    const isOwn = own.value === coppice.config.application;
    const description = isOwn
      ? own.description
      : t('{0} · also used to choose what is removed: results will look too good', own.description);
    const fixed = [
      ...(judging ? [{ label: judging.name, description: t('chose nothing'), value: judging.file }] : []),
      { ...own, description },
    ];
    const text = await chooseFile(coppice, place, {
      placeholder: t('Select the text to measure perplexity on'),
      use: 'evaluation',
      fixed,
      active: fixed[0].value,
    });
    return { text };
  };
  return when(({ text }) => text === undefined, step);
}

/** "Into 100 MB fits best: q4_k_m without 2 blocks, 98.1 MB, perplexity 71.2." */
function wordsOf({ points, fit }: FrontierResult): string {
  const { t } = vscode.l10n;
  if (!fit) {
    const worth = points.filter(({ frontier }) => frontier);
    const shorter = worth.filter(({ count }) => count > 0).length;
    return t('{0} of {1} files are worth their bytes; {2} of them lack blocks.', worth.length, points.length, shorter);
  }
  if (fit.point === null) return t('None of these files fits into {0}.', formatBytes(fit.bytes));
  const { type, count, bytes, ppl } = points[fit.point];
  const size = formatBytes(bytes);
  const quality = formatNumber(ppl, 4);
  return count === 0
    ? t('Into {0} fits best: {1}, {2}, perplexity {3}.', formatBytes(fit.bytes), type, size, quality)
    : t(
        'Into {0} fits best: {1} without {2}, {3}, perplexity {4}.',
        formatBytes(fit.bytes),
        type,
        points[fit.point].removed.join(', '),
        size,
        quality,
      );
}
