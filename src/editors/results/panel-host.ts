/** VS Code's side of a results panel: services, questions, dialogs and files. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../engine/errors';
import type { Coppice } from '../../host/coppice';
import { actionTimes } from '../../host/ask/action-times';
import { healingWords } from '../../host/ask/job-time';
import { inputFolders } from '../../host/input-folders';
import { HEAL_TOKENS, SELF } from '../../jobs/healing-amounts';
import { inform } from '../../host/inform';
import { askPlanName } from '../../host/ask/plan-names';
import { recordFolders } from '../../host/jobs/record-folders';
import { textName } from '../../host/ask/text-name';
import type { StartAction } from '../../protocol/journey';
import type { FileContent, HostMessage, PanelText } from '../../protocol/panel';
import { pageFolder } from '../page-html';
import { subjectOf } from '../../state/subject';
import { exportSize } from '../../host/ask/export-sizes';
import { logError } from './failures';
import { PromptList } from './prompts';
import type { PanelHost, PanelServices, PanelSettings } from './services';

/** The commands of the steps on the way to a model that ships. */
export const COMMANDS = {
  score: 'coppice.scoreBlocks',
  suggest: 'coppice.suggestBlocks',
  prune: 'coppice.pruneCheckpoint',
  heal: 'coppice.heal',
  iterate: 'coppice.iterate',
  versus: 'coppice.compareWithWidth',
  frontier: 'coppice.compareSizes',
  vocabulary: 'coppice.trimVocabulary',
  draft: 'coppice.forecastDraft',
  retrain: 'coppice.retrainLora',
  merge: 'coppice.mergeAdapter',
  export: 'coppice.exportModel',
  compare: 'coppice.compareWithOriginal',
  judge: 'coppice.compareWithOriginal',
  goal: 'coppice.setGoal',
  tasks: 'coppice.evaluateTasks',
  beforeAfter: 'coppice.showBeforeAfter',
  code: 'coppice.copyLoadingCode',
} as const satisfies Record<StartAction, string>;

/** @param shared services that all panels share */
export function servicesOf(
  coppice: Coppice,
  panel: vscode.WebviewPanel,
  shared: Pick<PanelServices, 'trainings' | 'histories'>,
): PanelServices {
  const { plans, namedPlans, goals, scores, sidecar, together, library } = coppice;
  return {
    ...shared,
    plans,
    namedPlans,
    goals,
    scores,
    sidecar,
    together,
    prompts: new PromptList(coppice.context.globalState),
    host: hostOf(coppice, panel),
    settings: () => settingsOf(coppice),
    neighbours: () => ({
      adapters: library.adapters(),
      patches: library.patches(),
      widths: library.widths(),
      checkpoints: library.entries().map(({ path }) => path),
    }),
    load: (path) => library.load(path),
  };
}

function settingsOf(coppice: Coppice): PanelSettings {
  const { compute, textPrecision, calibration, keepEnds, keep } = coppice.config;
  return {
    compute,
    textPrecision,
    calibration,
    keepEnds,
    keep,
    recordFolders: recordFolders(coppice),
    inputFolders: inputFolders(coppice),
  };
}

function hostOf(coppice: Coppice, { webview }: vscode.WebviewPanel): PanelHost {
  const { context } = coppice;
  const asset = (name: string): Promise<string> =>
    readFile(vscode.Uri.joinPath(pageFolder(context.extensionUri), name).fsPath, 'utf8');
  return {
    post: (message: HostMessage) => void webview.postMessage(message),
    start: (action, checkpoint, adapter) =>
      void vscode.commands.executeCommand(COMMANDS[action], {
        checkpoint,
        ...(adapter !== undefined && { adapter }),
        ...(action === 'judge' && { judge: true }),
      }),
    scoreMore: (checkpoint, criterion, { file, ...rows }) =>
      void vscode.commands.executeCommand(COMMANDS.score, { checkpoint, criterion, calibration: file, ...rows }),
    trimVocabulary: (checkpoint, run, min) =>
      void vscode.commands.executeCommand(COMMANDS.vocabulary, { checkpoint, run, min }),
    writePair: (checkpoint, run) => void vscode.commands.executeCommand(COMMANDS.draft, { checkpoint, run }),
    copyPairCode: (run) => void vscode.commands.executeCommand(COMMANDS.code, { pair: run }),
    newRecipe: (checkpoint, { format, type, maxBytes }, report) =>
      void vscode.commands.executeCommand('coppice.newRecipe', {
        ...{ checkpoint, goal: 'fit', size: `${maxBytes}B`, format, type },
        ...(report && { run: report.run, min: report.min }),
      }),
    exportBytes: ({ checkpoint }, removed, { format, type }) => exportSize(checkpoint, { format, type, removed }),
    times: ({ path, checkpoint }, removed) => {
      const architecture = checkpoint.architecture;
      const subject = subjectOf(path, checkpoint);
      return architecture && subject ? actionTimes(coppice, { path, checkpoint, architecture, subject }, removed) : {};
    },
    askPlanName,
    measureSpeed: (checkpoint, columns) =>
      void vscode.commands.executeCommand('coppice.measureSpeed', { checkpoint, columns }),
    saveRecipe: (checkpoint, runs) => void vscode.commands.executeCommand('coppice.saveAsRecipe', { checkpoint, runs }),
    healingTime: (source, removed) => healingWords(coppice, source, { removed, data: SELF, tokens: HEAL_TOKENS.quick }),
    show: (checkpoint) => void vscode.commands.executeCommand('coppice.openResults', { checkpoint }),
    chooseText,
    nameOf: (file) => textName(coppice, file),
    save,
    copy: async (text) => vscode.env.clipboard.writeText(text),
    open: async (file) => {
      await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: true });
    },
    confirmDeletion: async (count) => {
      const remove = vscode.l10n.t('Delete');
      const question =
        count === 1
          ? vscode.l10n.t('Delete the record of this run?')
          : vscode.l10n.t('Delete the records of {0} runs?', count);
      return (await vscode.window.showWarningMessage(question, { modal: true }, remove)) === remove;
    },
    reportAssets: async () => ({ script: await asset('report.js'), style: await asset('report.css') }),
    logError: (error) => logError(coppice, error),
    trusted: () => vscode.workspace.isTrusted,
    manageTrust: () => void vscode.commands.executeCommand('workbench.trust.manage'),
  };
}

async function chooseText(known: readonly PanelText[]): Promise<PanelText | string | undefined> {
  const items = known.map((text) => ({
    label: text.name,
    description: vscode.l10n.t('{0} samples of {1} tokens, seed {2}', text.samples, text.length, text.seed),
    detail: ORIGINS()[text.from],
    text,
  }));
  const browse = { label: vscode.l10n.t('Browse…'), description: vscode.l10n.t('Another text file'), text: undefined };
  const picked = await vscode.window.showQuickPick([...items, browse], {
    title: vscode.l10n.t('Text for Perplexity'),
    placeHolder: vscode.l10n.t('Which text should perplexity be measured on?'),
  });
  if (!picked) return undefined;
  if (picked.text) return picked.text;
  const filters = { [vscode.l10n.t('Texts')]: ['txt', 'md', 'jsonl', 'ndjson', 'json'] };
  return (await vscode.window.showOpenDialog({ canSelectMany: false, filters }))?.[0]?.fsPath;
}

const ORIGINS = (): Readonly<Record<PanelText['from'], string>> => ({
  scores: vscode.l10n.t('Blocks were scored on this text'),
  setting: vscode.l10n.t('From the settings'),
  choice: vscode.l10n.t('Chosen before'),
});

/** The folder of the last saved file is the default for the next one. */
let lastFolder: vscode.Uri | undefined;

async function save(name: string, content: FileContent, proposed?: string): Promise<void> {
  const usual = lastFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const folder = proposed === undefined ? usual : vscode.Uri.file(proposed);
  const defaultUri = folder && vscode.Uri.joinPath(folder, basename(name));
  const target = await vscode.window.showSaveDialog({
    ...(defaultUri && { defaultUri }),
    title: vscode.l10n.t('Save {0}', basename(name)),
  });
  if (!target) return;
  if (proposed === undefined) lastFolder = target.with({ path: dirname(target.path) });
  const bytes = 'text' in content ? Buffer.from(content.text, 'utf8') : Buffer.from(content.base64, 'base64');
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (error) {
    const why = messageOf(error);
    const what = vscode.l10n.t('{0} cannot be written', target.fsPath);
    throw new UserError(what, why, vscode.l10n.t('Choose another location.'), { cause: error });
  }
  // A report opens in the browser; any other file is only revealed.
  const open = { label: vscode.l10n.t('Open in Browser'), run: () => vscode.env.openExternal(target) };
  const reveal = {
    label: vscode.l10n.t('Reveal'),
    run: () => vscode.commands.executeCommand('revealFileInOS', target),
  };
  const saved = vscode.l10n.t('Saved {0}.', basename(target.path));
  inform({}, saved, ...(/\.html?$/.test(target.path) ? [open] : []), reveal);
}
