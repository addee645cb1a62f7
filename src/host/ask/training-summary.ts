/** The last box before a retraining starts: what is trained on what, how long, with how much memory, and where it is written. */
import { relative } from 'node:path';
import * as vscode from 'vscode';
import { WentBack } from './ask-all';
import { capitalized } from '../../format/words';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { HEAL_FIRST } from '../../jobs/heals-first';
import { formatBytes } from '../../format/numbers';
import { checkpointName } from '../../jobs/titles';
import { forecastOf, trainedBytes, type TrainingState, type TrainingSubject } from './ask-training';
import { freeBytes, spaceWords } from './disk-space';
import { askOutputFolder } from './output-folder';
import { pick, type PickChoice, type Place, type Step, unlessBack } from './steps';
import { machineMemory } from '../../estimates/memory';
import { memoryWords } from '../../estimates/words';
import { dataWords } from './training-files';
import { amountWords, fewWords, memoryWarning, timeAndEnd } from './training-words';

/** What a line of the summary does. A line of facts goes back to the questions. */
type Line = 'start' | 'folder' | 'change';

/** @param folder the folder that is proposed */
export function summaryStep(subject: TrainingSubject, folder: (state: TrainingState) => string): Step<TrainingState> {
  return async (state, place) => {
    for (let out = state.out ?? folder(state); ;) {
      const chosen = await pick<Line>(place, placeholder(subject), await linesOf(subject, state, out), 'start');
      if (chosen === 'start') return { out };
      if (chosen === 'folder') {
        out = (await unlessBack(askFolder(subject, state, place, out))) ?? out;
      } else if (place.step > 1) {
        throw new WentBack();
      }
    }
  };
}

const askFolder = async (
  subject: TrainingSubject,
  state: TrainingState,
  place: Place,
  value: string,
): Promise<string> =>
  askOutputFolder(place, { prompt: folderPrompt(state), value, bytes: await trainedBytes(subject, state) });

const folderPrompt = ({ settings }: TrainingState): string =>
  settings?.full ? vscode.l10n.t('Folder for the new checkpoint') : vscode.l10n.t('Folder for the adapter');

function placeholder({ coppice }: TrainingSubject): string {
  const { t } = vscode.l10n;
  return coppice.sidecar.jobs.length > 0
    ? t('Press Enter to start after the jobs that run, or select a line to change it')
    : t('Press Enter to start, or select a line to change it');
}

async function linesOf(subject: TrainingSubject, state: TrainingState, out: string): Promise<PickChoice<Line>[]> {
  const { t } = vscode.l10n;
  const forecast = forecastOf(subject, state);
  const free = machineMemory(subject.coppice.config.compute.memory).free;
  const warning = memoryWarning(forecast, free);
  const few = fewWords(forecast);
  return [
    { label: `$(play) ${t('Start Retraining')}`, description: methodWords(state), value: 'start' },
    {
      label: `$(package) ${checkpointName(subject.chosen.path)}`,
      description: modelWords(subject, state),
      value: 'change',
    },
    {
      label: `$(${few === undefined ? 'book' : 'warning'}) ${dataWords(state.data)}`,
      description: [amountWords(forecast), ...(few === undefined ? [] : [few])].join(' · '),
      value: 'change',
    },
    { label: `$(clock) ${capitalized(timeAndEnd(forecast))}`, value: 'change' },
    {
      label: `$(${warning === undefined ? 'chip' : 'warning'}) ${capitalized(memoryWords(forecast.bytes))}`,
      description: warning ?? t('{0} are free', formatBytes(free)),
      value: 'change',
    },
    { label: `$(folder) ${shownPath(out)}`, description: await folderWords(subject, state, out), value: 'folder' },
  ];
}

async function folderWords(subject: TrainingSubject, state: TrainingState, out: string): Promise<string> {
  const bytes = await trainedBytes(subject, state);
  const change = vscode.l10n.t('select to change the folder');
  return bytes === undefined ? change : `${spaceWords(bytes, freeBytes(out))} ${capitalized(change)}`;
}

function modelWords({ question }: TrainingSubject, state: TrainingState): string {
  const { removed } = question(state);
  const { t } = vscode.l10n;
  return removed.length === 0 ? t('whole') : t('without {0}', removed.join(', '));
}

/** "LoRA of rank 8, learning rate 0.001, with the unpruned model as teacher" */
function methodWords({ rank, settings = {} }: TrainingState): string {
  const { t } = vscode.l10n;
  const { full, lr, teacher, heal } = settings;
  const usual = DEFAULTS[full ? 'full' : 'lora'].learningRate;
  return [
    full ? t('all weights') : t('an adapter (LoRA) of rank {0}', rank ?? DEFAULTS.rank),
    t('learning rate {0}', lr ?? usual),
    ...(heal === HEAL_FIRST ? [t('healed first')] : []),
    ...(teacher === undefined ? [] : [t('taught by the original')]),
  ].join(', ');
}

const shownPath = (path: string): string => {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const inside = workspace === undefined ? path : relative(workspace, path);
  return inside.startsWith('..') ? path : inside;
};
