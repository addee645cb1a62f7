/** Retrain with LoRA…: trains an adapter for a pruned model, or for the model that a plan leaves. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import { readStopped, type StoppedTraining } from '../engine/retrain/loop/stopped';
import type { GivenFor } from '../jobs/kinds';
import type { RetrainSpec } from '../protocol/training';
import { stoppedWords } from '../views/items/training';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import { chooseFile } from '../host/choose-file';
import type { Command, CommonArguments } from '../host/command';
import { type ModelChoice, modelSource, modelStep } from '../host/model-choice';
import { wholeNumberFault } from '../host/numbers';
import { askOutputFolder, outputFolder } from '../host/output-folder';
import { recall, remember } from '../host/remembered';
import { goOn } from '../host/remedy';
import { isTrainingOf, resumingSpec } from '../host/resuming-spec';
import { runRetraining } from '../host/run-retraining';
import { ask, askAll, BACK, pick, type Step } from '../host/steps';

/** Text that the unpruned model writes. */
const SELF = 'self';
/** Instructions that come with Coppice. */
const BUNDLED = 'bundled';

export interface RetrainArguments extends CommonArguments, Omit<ModelChoice, 'adapter'> {
  /** Files, "bundled" or "self". */
  readonly data?: string | readonly string[];
  /** Further options of `coppice retrain`. The command asks only for rank and steps. */
  readonly settings?: Partial<Omit<GivenFor<'retrain'>, 'checkpoint' | 'data' | 'out'>>;
  readonly rank?: number;
  readonly alpha?: number;
  /** Steps; undefined means two passes over the data. */
  readonly steps?: number;
  /** Folder of the adapter. */
  readonly out?: string;
  /** Resumes an interrupted run with the same settings. */
  readonly resume?: boolean;
}

export const retrainLoraCommand: Command<RetrainArguments> = {
  id: 'coppice.retrainLora',
  needsTrust: true,
  goOn,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Retrain with LoRA');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const stopped = await askToResume(coppice, args, chosen, title);
    if (stopped) {
      settle({ ...args, checkpoint: chosen.path, out: stopped.out, resume: true });
      return runRetraining(coppice, resumingSpec(stopped, chosen.path), args);
    }
    const asked = args.data === undefined ? await askRetraining(coppice, args, chosen, title) : args;
    const out = asked.out ?? outputFolder(coppice.config.outputFolder, chosen.checkpoint, 'adapter');
    // The plan may have changed by the time the run is resumed.
    const { remove = [] } = modelSource(coppice, chosen, asked);
    const complete = { ...asked, checkpoint: chosen.path, remove, out };
    settle(complete);
    return runRetraining(coppice, specOf(coppice, complete, chosen), args);
  },
};

/**
 * Offers to resume stopped trainings of this checkpoint, before the questions for a new one.
 * @returns the one to resume; undefined for a new training
 */
async function askToResume(
  { library }: Coppice,
  { data, out, resume }: RetrainArguments,
  { path, checkpoint }: Chosen,
  title: string,
): Promise<StoppedTraining | undefined> {
  const wanted = resume ? out : undefined;
  if (wanted !== undefined && data === undefined) return readStopped(wanted);
  if (data !== undefined || out !== undefined) return undefined;
  const { identity } = checkpoint;
  const stopped = library
    .trainings()
    .filter((training) => training.request && isTrainingOf(training, { path, identity }));
  if (stopped.length === 0) return undefined;
  const choices = [
    ...stopped.map((training) => ({
      label: vscode.l10n.t('$(debug-continue) Resume {0}', stoppedWords(training)),
      value: training,
    })),
    { label: vscode.l10n.t('$(add) Start a new training'), value: undefined },
  ];
  const chosen = await pick(
    { title, step: 1 },
    vscode.l10n.t('This checkpoint has a stopped training'),
    choices,
    stopped[0],
  );
  return chosen === BACK ? undefined : chosen;
}

function specOf(coppice: Coppice, args: RetrainArguments, chosen: Chosen): RetrainSpec {
  const { data = BUNDLED, rank, alpha, steps, out, resume, settings } = args;
  const { checkpoint, remove } = modelSource(coppice, chosen, args);
  const files = (typeof data === 'string' ? [data] : data).map((file) =>
    file === BUNDLED ? bundledData(coppice) : file,
  );
  if (files.includes(SELF) && files.length > 1) {
    throw new UserError(
      vscode.l10n.t('Cannot train on “self” and on files at once'),
      vscode.l10n.t('the data names both'),
      vscode.l10n.t('Use either the files or “self”.'),
    );
  }
  return {
    kind: 'retrain',
    checkpoint,
    ...(remove && { remove }),
    ...settings,
    rank,
    alpha,
    data: files,
    ...(steps !== undefined && { steps }),
    out: out!,
    ...(resume && { resume }),
  };
}

const bundledData = ({ context }: Coppice): string =>
  vscode.Uri.joinPath(context.extensionUri, 'media/sample/retrain.jsonl').fsPath;

async function askRetraining(
  coppice: Coppice,
  args: RetrainArguments,
  chosen: Chosen,
  title: string,
): Promise<RetrainArguments> {
  const dataStep: Step<RetrainArguments> = async (_, place) => {
    const { t } = vscode.l10n;
    const fixed = [
      {
        label: t('$(book) Bundled examples'),
        description: t('short stories and instructions, come with Coppice'),
        value: BUNDLED,
      },
      {
        label: t('$(sparkle) Text that the unpruned model writes'),
        description: t('needs no data'),
        value: SELF,
      },
    ];
    const last = recall(coppice, 'retrain', 'data', BUNDLED);
    const placeholder = t('Select training data');
    const data = await chooseFile(coppice, place, { placeholder, use: 'training', fixed, active: last });
    return data === BACK ? BACK : { data };
  };
  const rankStep: Step<RetrainArguments> = async (_, place) => {
    const choices = [4, 8, 16, 32].map((value) => ({
      label: String(value),
      description: value === 8 ? vscode.l10n.t('default, as in the paper') : '',
      value,
    }));
    const rank = await pick(
      place,
      vscode.l10n.t('Select the rank of the adapter. A higher rank can learn more and takes longer.'),
      choices,
      recall(coppice, 'retrain', 'rank', 8),
    );
    return rank === BACK ? BACK : { rank };
  };
  const stepsStep: Step<RetrainArguments> = async (_, place) => {
    const steps = await ask(place, {
      prompt: vscode.l10n.t('Number of training steps. Leave empty for two passes over the data.'),
      value: '',
      fault: (text) => (text.trim() === '' ? undefined : wholeNumberFault(text, 1, Infinity)),
    });
    return steps === BACK ? BACK : { steps: steps.trim() === '' ? undefined : Number(steps) };
  };
  const outStep: Step<RetrainArguments> = async (_, place) => {
    const value = outputFolder(coppice.config.outputFolder, chosen.checkpoint, 'adapter');
    const out = await askOutputFolder(place, { prompt: vscode.l10n.t('Folder for the adapter'), value });
    return out === BACK ? BACK : { out };
  };
  const complete = await askAll(title, args, [
    modelStep(coppice, chosen),
    dataStep,
    ...(args.rank === undefined ? [rankStep] : []),
    ...(args.steps === undefined ? [stepsStep] : []),
    ...(args.out === undefined ? [outStep] : []),
  ]);
  const { data } = complete;
  const rank = args.rank === undefined ? complete.rank : undefined;
  await remember(coppice, 'retrain', { data: typeof data === 'string' ? data : undefined, rank });
  return complete;
}
