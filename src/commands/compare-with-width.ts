/** Try Width Pruning…: depth against LLM-Pruner, FLAP and Wanda-sp at equal size. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import {
  isWidthMethod,
  METHOD_TITLES,
  usualCounts,
  VERSUS_METHODS,
  type VersusMethod,
} from '../engine/evaluate/versus-methods';
import { DEFAULT_WINDOW } from '../engine/importance/drawing';
import { formatNumber } from '../format/numbers';
import type { GivenFor } from '../jobs/kinds';
import type { Defined } from '../jobs/kinds';
import { drawnOptions } from '../jobs/options/calibration';
import type { SpecOf } from '../protocol/jobs';
import type { VersusModel, VersusResult } from '../jobs/results/versus';
import { requireProtection, roomIn } from '../state/protection';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform, nextCommand } from '../host/inform';
import { outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { settingsText } from '../host/ask/settings-text';
import { askAll, type PickChoice, pick, pickMany, type Step, when } from '../host/ask/steps';
import { timeWords } from '../host/ask/job-time';

export interface CompareArguments
  extends CommonArguments, JobArguments<'versus', 'counts' | 'plan' | 'methods' | 'text' | 'speed' | 'saveWidths'> {
  /** Further options of `coppice versus`. */
  readonly settings?: Partial<Omit<GivenFor<'versus'>, 'checkpoint'>>;
}

/** No folder for widths. */
const NONE = '';

/** Windows of a text that are read. */
const WINDOWS = 64;

export const compareWithWidthCommand: Command<CompareArguments> = {
  id: 'coppice.compareWithWidth',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Try Width Pruning');
    const chosen = await chooseCheckpoint(coppice, args, title);
    requireProtection(chosen.architecture.layers, coppice.config); // before any question
    const complete = await askAll(title, args, [
      sizeStep(coppice, chosen),
      methodsStep(coppice),
      textStep(coppice),
      speedStep(coppice, chosen),
      keepStep(coppice, chosen),
    ]);
    settle({ ...complete, checkpoint: chosen.path });
    const { result, notes, seen } = await runJob(coppice, specOf(coppice, complete, chosen), {
      device: args.device,
    });
    const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: chosen.path });
    if (!seen) inform(args, [wordsOf(result), ...notes].join(' '), open);
    return result;
  },
};

function specOf(
  { config }: Coppice,
  args: CompareArguments,
  { path, architecture }: Chosen,
): SpecOf<Defined['versus']> {
  const { counts, plan, methods, text, speed, saveWidths } = args;
  const { locked } = requireProtection(architecture.layers, config);
  const drawn = drawnOptions(config.calibration);
  const { context } = architecture;
  return {
    kind: 'versus',
    checkpoint: path,
    ...{ counts, plan, methods, speed },
    ...(saveWidths !== undefined && saveWidths !== NONE && { saveWidths }),
    keepEnds: config.keepEnds,
    keep: [...locked],
    ...{ ...drawn, length: Math.min(drawn.length ?? context, context) },
    // On the calibration text itself, on its rows.
    ...(text !== undefined &&
      text !== config.calibration.file && { text, window: Math.min(DEFAULT_WINDOW, context), limit: WINDOWS }),
    ...args.settings,
  };
}

/** The plan's size alone, if there is a plan, or three sizes. */
function sizeStep({ plans, config }: Coppice, { subject, architecture }: Chosen): Step<CompareArguments> {
  const removed = plans.removed(subject);
  const blocks = architecture.layers.length;
  const room = roomIn(blocks, config);
  const usual = usualCounts(blocks, room);
  const step: Step<CompareArguments> = async (_, place) => {
    const { t } = vscode.l10n;
    const choices: PickChoice<'plan' | 'usual' | 'middle'>[] = [
      ...(removed.length > 0
        ? [
            {
              label: t('As large as the plan'),
              description: t('without {0}', removed.join(', ')),
              value: 'plan' as const,
            },
          ]
        : []),
      {
        label: t('Several sizes'),
        description: t('as large as without {0} blocks', usual.join(', ')),
        value: 'usual',
      },
      ...(usual.length > 1
        ? [
            {
              label: t('One size'),
              description: t('as large as without {0} blocks', usual[1]),
              value: 'middle' as const,
            },
          ]
        : []),
    ];
    const size = await pick(place, t('Select the sizes to compare'), choices, choices[0].value);
    if (size === 'plan') return { plan: removed, counts: undefined };
    return { plan: undefined, counts: size === 'usual' ? usual : [usual[1]] };
  };
  return when(({ counts, plan }) => (counts ?? plan) === undefined, step);
}

function methodsStep(coppice: Coppice): Step<CompareArguments> {
  const step: Step<CompareArguments> = async (_, place) => {
    const { t } = vscode.l10n;
    const details: Readonly<Record<VersusMethod, string>> = {
      ppl: t('removes blocks by perplexity'),
      taylor: t('removes blocks by estimated loss'),
      'llm-pruner': t('narrows blocks by gradients'),
      flap: t('narrows blocks by how much their inputs vary, and adds biases'),
      'wanda-sp': t('narrows blocks by weights and inputs'),
    };
    const last = recall(coppice, 'versus', 'methods', VERSUS_METHODS.join()).split(',');
    const choices = VERSUS_METHODS.map((value) => ({
      label: METHOD_TITLES[value],
      description: details[value],
      value,
    }));
    const active = VERSUS_METHODS.filter((method) => last.includes(method));
    const methods = await pickMany(place, t('Select the methods to compare'), choices, active);
    await remember(coppice, 'versus', { methods: methods.join() });
    return { methods };
  };
  return when(({ methods }) => methods === undefined, step);
}

function textStep(coppice: Coppice): Step<CompareArguments> {
  const step: Step<CompareArguments> = async (_, place) => {
    const { file } = coppice.config.calibration;
    const bundled = settingsText(coppice);
    const description = vscode.l10n.t(
      '{0} · also used to choose what is removed: results will look too good',
      bundled.description,
    );
    const text = await chooseFile(coppice, place, {
      placeholder: vscode.l10n.t('Select the text to measure perplexity on'),
      use: 'evaluation',
      fixed: [{ ...bundled, description }],
      active: recall(coppice, 'versus', 'text', '', file),
    });
    await remember(coppice, 'versus', { text }, { text: file });
    return { text };
  };
  return when(({ text }) => text === undefined, step);
}

function speedStep(coppice: Coppice, chosen: Chosen): Step<CompareArguments> {
  const step: Step<CompareArguments> = async (state, place) => {
    const { t } = vscode.l10n;
    const time = (speed: boolean): string => timeWords(coppice, chosen, specOf(coppice, { ...state, speed }, chosen));
    const choices = [
      { label: t('Perplexity, speed and memory'), description: time(true), value: true },
      { label: t('Perplexity alone'), description: time(false), value: false },
    ];
    return { speed: await pick(place, t('Select what to measure'), choices, true) };
  };
  return when(({ speed }) => speed === undefined, step);
}

/** Whether narrower models can write text beside others in the panel; that needs a small file of each. */
function keepStep({ config }: Coppice, { checkpoint }: Chosen): Step<CompareArguments> {
  const step: Step<CompareArguments> = async (_, place) => {
    const { t } = vscode.l10n;
    const folder = outputFolder(config.outputFolder, checkpoint, 'widths');
    const choices = [
      { label: t('Measure only'), description: t('writes no files'), value: NONE },
      {
        label: t('Also keep the widths'),
        description: vscode.workspace.asRelativePath(folder),
        detail: t('Small files, with which the narrower models can write text beside others in the results panel'),
        value: folder,
      },
    ];
    return { saveWidths: await pick(place, t('Keep what the methods found?'), choices, NONE) };
  };
  // Widths are kept of methods that find some.
  const comes = ({ saveWidths, methods }: CompareArguments): boolean | undefined =>
    saveWidths === undefined && (methods === undefined ? undefined : methods.some(isWidthMethod));
  return when(comes, step);
}

/** "On wiki.txt: PPL 91.7, FLAP 61.3." */
function wordsOf({ models, text }: VersusResult): string {
  const largest = models.at(-1)?.count ?? 0;
  const own = models.filter(({ count, ppl, kind }) => count === largest && ppl !== undefined && kind !== 'whole');
  const words = ({ method, ppl }: VersusModel): string =>
    `${method === 'whole' ? '' : METHOD_TITLES[method]} ${formatNumber(Number(ppl), 4)}`;
  return vscode.l10n.t('Perplexity on {0}: {1}.', basename(text.name), own.map(words).join(', '));
}
