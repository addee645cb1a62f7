/** Retrain with LoRA…: trains an adapter for a pruned model, or for the model that a plan leaves. */
import { applicationChoice } from '../host/ask/application-text';
import { shareFor } from '../host/ask/judging-text';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import { readStopped, type StoppedTraining } from '../engine/retrain/loop/stopped';
import type { RetrainSpec } from '../protocol/jobs';
import { stoppedWords } from '../views/items/training';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import {
  customSteps,
  healingStep,
  presetStep,
  type TrainingState,
  type TrainingSubject,
} from '../host/ask/ask-training';
import { BUNDLED, trainingFiles } from '../host/ask/training-files';
import type { Command } from '../host/command';
import { modelSource, modelStep } from '../host/ask/model-choice';
import { outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { SELF } from '../jobs/healing-amounts';
import { goOn } from '../host/remedy';
import { isTrainingOf, resumingSpec } from '../host/jobs/resuming-spec';
import { runRetraining } from '../host/jobs/run-retraining';
import { checkpointBytes, requireSpace } from '../host/ask/disk-space';
import { askAll, pick, type Step } from '../host/ask/steps';
import { summaryStep } from '../host/ask/training-summary';

export interface RetrainArguments extends Omit<TrainingState, 'preset'> {
  /** Resumes an interrupted run with the same settings. */
  readonly resume?: boolean;
  /** Asks what is left open even if the data are given. */
  readonly asks?: boolean;
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
    const asks = args.data === undefined || args.asks === true;
    const asked = asks ? await askRetraining(coppice, args, chosen, title) : args;
    const out = asked.out ?? trainingFolder(coppice, chosen, asked);
    // The plan may have changed by the time the run is resumed.
    const { remove = [] } = modelSource(coppice, chosen, asked);
    const complete = { ...asked, checkpoint: chosen.path, remove, out };
    settle(complete);
    if (complete.settings?.full) requireSpace(out, await checkpointBytes(chosen.checkpoint, remove));
    const spec = specOf(coppice, complete, chosen);
    const given = { ...args, path: chosen.path };
    const part = spec.data.length === 1 ? await shareFor(coppice, spec.data[0], given) : {};
    return runRetraining(coppice, { ...spec, ...part }, args);
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
  return chosen;
}

function specOf(coppice: Coppice, args: RetrainArguments, chosen: Chosen): RetrainSpec {
  const { rank, alpha, steps, out, resume, settings } = args;
  const { checkpoint, remove } = modelSource(coppice, chosen, args);
  const files = trainingFiles(coppice, args.data);
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

async function askRetraining(
  coppice: Coppice,
  args: RetrainArguments,
  chosen: Chosen,
  title: string,
): Promise<RetrainArguments> {
  const dataStep: Step<TrainingState> = async (_, place) => {
    const { t } = vscode.l10n;
    const { application } = coppice.config;
    const fixed = [
      ...(application === undefined ? [] : [applicationChoice(coppice)]),
      {
        label: t('$(book) Bundled examples'),
        description: t('short stories and instructions, come with Coppice'),
        value: BUNDLED,
      },
      {
        label: t('$(sparkle) Text that the original writes'),
        description: t('needs no data'),
        value: SELF,
      },
    ];
    const last = recall(coppice, 'retrain', 'data', application ?? BUNDLED);
    const placeholder = t('Select training data');
    return { data: await chooseFile(coppice, place, { placeholder, use: 'training', fixed, active: last }) };
  };
  const subject: TrainingSubject = {
    coppice,
    chosen,
    question: (state) => ({ data: trainingFiles(coppice, state.data), removed: removedBy(coppice, chosen, state) }),
    teacher: (state) =>
      removedBy(coppice, chosen, state).length > 0
        ? { path: chosen.path, architecture: chosen.architecture }
        : undefined,
  };
  const isOpen = args.rank === undefined && args.steps === undefined && args.settings === undefined;
  const complete = await askAll<TrainingState>(title, args, [
    modelStep(coppice, chosen),
    ...(args.data === undefined ? [dataStep] : []),
    ...(isOpen ? [healingStep(subject), presetStep(subject), ...customSteps(subject)] : []),
    summaryStep(subject, (state) => trainingFolder(coppice, chosen, state)),
  ]);
  const { data, preset, settings } = complete;
  const rank = args.rank === undefined ? complete.rank : undefined;
  const known = args.data === undefined && typeof data === 'string' ? data : undefined;
  await remember(coppice, 'retrain', {
    data: known,
    rank,
    preset: isOpen ? preset : undefined,
    heal: isOpen ? settings?.heal : undefined,
  });
  return complete;
}

const removedBy = (coppice: Coppice, chosen: Chosen, state: RetrainArguments): number[] =>
  (modelSource(coppice, chosen, state).remove ?? []).filter((entry) => typeof entry === 'number');

/** A folder for the adapter, or for the checkpoint of a full training. */
const trainingFolder = ({ config }: Coppice, { checkpoint }: Chosen, { settings }: RetrainArguments): string =>
  outputFolder(config.outputFolder, checkpoint, settings?.full ? 'retrained' : 'adapter');
