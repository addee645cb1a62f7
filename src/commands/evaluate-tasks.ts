/**
 * Evaluate Tasks…: lets models answer the questions of the paper's tasks or of a file of one's own, and compares them item
 * by item. Answers are kept while it runs, so that a run that was stopped goes on where it was.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Column } from '../editors/results/columns';
import { ORIGINAL } from '../editors/results/model-labels';
import { CancelledError } from '../engine/errors';
import { isTaskName } from '../engine/evaluate/tasks/catalogue';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { pickOrBrowse } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { timeWords } from '../host/ask/job-time';
import { inform, nextCommand } from '../host/inform';
import { type ModelChoice, modelSource } from '../host/ask/model-choice';
import { recall, remember } from '../host/ask/remembered';
import { questionsOfFile, USUAL_QUESTIONS } from '../jobs/amounts';
import { runJob } from '../host/jobs/run-job';
import { askAll, pick, type PickChoice, pickMany, type Step, unlessBack, when } from '../host/ask/steps';
import { folderLabel, foldersOfTasks, ownQuestions, taskLabel } from '../host/ask/task-data';
import { tasksIn } from '../host/ask/task-sets';
import type { LabelledModel } from '../jobs/option';
import { questionsOfTask } from '../jobs/questions';
import type { SpecOf } from '../protocol/jobs';
import type { TasksResult } from '../jobs/results/tasks';
import type { tasks as definition } from '../jobs/definitions/tasks';
import { formatCount, formatPercent } from '../format/numbers';
import { comparableModels } from './comparable-models';
import { newQuestions } from './new-questions';
import { downloadTasks, tasksFolder } from './task-downloads';

export interface TasksArguments
  extends
    CommonArguments,
    ModelChoice,
    JobArguments<'tasks', 'data' | 'own' | 'from' | 'limit' | 'probes' | 'seed' | 'columns'> {
  readonly tasks?: readonly string[];
}

/** Ending of a file of own questions among the answers of the first step. */
const isFile = (path: string): boolean => path.endsWith('.json');

export const evaluateTasksCommand: Command<TasksArguments> = {
  id: 'coppice.evaluateTasks',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Evaluate Tasks');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const asks = args.data === undefined && args.own === undefined && args.probes === undefined;
    const steps = [dataStep(coppice), tasksStep(coppice), modelsStep(coppice, chosen), limitStep(coppice, chosen)];
    const complete = asks ? await askAll(title, args, steps) : args;
    settle({ ...complete, checkpoint: chosen.path });
    const { data, tasks = [], own, from, limit, probes, seed, columns } = complete;
    const models = columns ?? [{ label: ORIGINAL, ...modelSource(coppice, chosen, complete) }];
    const answers = await answersFile(coppice);
    const spec: SpecOf<typeof definition> = {
      kind: 'tasks',
      columns: models,
      data,
      ...(tasks.length > 0 && { tasks: tasks.filter(isTaskName) }),
      own,
      from,
      limit,
      ...{ probes, seed },
      answers,
    };
    const { result, notes, seen } = await runJob(coppice, spec, { device: args.device });
    if (answers !== undefined) await rm(answers, { force: true });
    const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: chosen.path });
    if (!seen) inform(args, [wordsOf(result), ...notes].join(' '), open);
    return result;
  },
};

/** What is there comes first: the user's own questions, folders of data, those of the sample; then ways to get others. */
function dataStep(coppice: Coppice): Step<TasksArguments> {
  return async (_, place) => {
    const { t } = vscode.l10n;
    const [folders, files] = await Promise.all([foldersOfTasks(), ownQuestions()]);
    const fetched = tasksFolder(coppice);
    if ((await tasksIn(fetched)).length > 0) folders.push(fetched);
    const inFolders = folders.map(async (folder) => ({
      label: folder === fetched ? t('$(database) Downloaded task sets') : folderLabel(folder),
      description: (await tasksIn(folder)).map(taskLabel).join(', '),
      value: folder,
    }));
    const inFiles = files.map((file) => ({
      label: vscode.workspace.asRelativePath(file),
      description: t('your own questions'),
      value: file,
    }));
    const browse = (): Thenable<vscode.Uri[] | undefined> =>
      vscode.window.showOpenDialog({ title: place.title, canSelectFolders: true, canSelectFiles: true });
    const choices = [...inFiles, ...(await Promise.all(inFolders)), probes(), bundledQuestions(coppice), ...others()];
    const placeholder = t('Select the questions');
    const last = recall(coppice, 'tasks', 'data', '') || choices[0].value;
    for (;;) {
      const path = await pickOrBrowse(place, placeholder, choices, browse, last);
      if (path === NEW) {
        await newQuestions();
        throw new CancelledError(); // the user writes questions first
      }
      if (path === PROBES) {
        await remember(coppice, 'tasks', { data: path });
        return { probes: ['all'], data: undefined, own: undefined };
      }
      if (path === DOWNLOAD) {
        const tasks = await unlessBack(downloadTasks(coppice, place));
        if (tasks === undefined) continue;
        await remember(coppice, 'tasks', { data: tasksFolder(coppice), tasks: tasks.join(',') });
        return { data: tasksFolder(coppice), tasks, own: undefined };
      }
      await remember(coppice, 'tasks', { data: path });
      return isFile(path) ? { own: [path], data: undefined } : { data: path, own: undefined };
    }
  };
}

/** Values of choices that are no paths. */
const NEW = 'new:';
const DOWNLOAD = 'download:';
const PROBES = 'probes:';

/** They need no data. */
const probes = (): PickChoice<string> => ({
  label: vscode.l10n.t('$(pulse) Probes'),
  description: vscode.l10n.t('copying, recalling, brackets, sums, JSON, formats, endings; no data needed'),
  value: PROBES,
});

/** They come with the sample model, and any model can answer them. */
const bundledQuestions = ({ context }: Coppice): PickChoice<string> => ({
  label: vscode.l10n.t('$(beaker) Stories'),
  description: vscode.l10n.t('questions that come with the sample model'),
  value: vscode.Uri.joinPath(context.extensionUri, 'media', 'sample', 'stories.coppice-tasks.json').fsPath,
});

const others = (): PickChoice<string>[] => [
  {
    label: vscode.l10n.t('$(add) New file of questions…'),
    description: vscode.l10n.t('a template to fill in'),
    value: NEW,
  },
  {
    label: vscode.l10n.t('$(cloud-download) Download known task sets…'),
    description: vscode.l10n.t('BoolQ, PIQA, HellaSwag, OpenBookQA; asks before it fetches anything'),
    value: DOWNLOAD,
  },
];

function tasksStep(coppice: Coppice): Step<TasksArguments> {
  const step: Step<TasksArguments> = async ({ data }, place) => {
    const names = await tasksIn(data!);
    if (names.length === 0) return {}; // the job says what the folder lacks
    const last = recall(coppice, 'tasks', 'tasks', '').split(',');
    const counted = names.map(async (name) => ({
      label: taskLabel(name),
      description: vscode.l10n.t('{0} items', formatCount(await questionsOfTask(name, data!))),
      value: name,
    }));
    const before = names.filter((name) => last.includes(name));
    const active = before.length > 0 ? before : names;
    const chosen = await pickMany(place, vscode.l10n.t('Select the tasks'), await Promise.all(counted), active);
    await remember(coppice, 'tasks', { tasks: chosen.join(',') });
    return { tasks: chosen };
  };
  return when(({ data, tasks }) => data !== undefined && tasks === undefined, step);
}

/** The original, the plan, pruned models and adapters, as the results panel lists them. */
function modelsStep(coppice: Coppice, chosen: Chosen): Step<TasksArguments> {
  const isOpen = ({ columns, adapter, plan, remove }: TasksArguments): boolean =>
    [columns, adapter, plan, remove].every((each) => each === undefined);
  const step: Step<TasksArguments> = async (_, place) => {
    const all = await comparableModels(coppice, chosen);
    const choices = all.map(({ label, detail }, value) => ({ label, description: detail, value }));
    const active = all.flatMap(({ related, id }, m) => (related && !/^(patch|width):/.test(id) ? [m] : [])).slice(0, 4);
    const placeholder = vscode.l10n.t('Select the models; the others are compared with the first');
    const picked = await pickMany(place, placeholder, choices, active);
    return { columns: picked.map((m) => labelled(all[m])) };
  };
  return when(isOpen, step);
}

const labelled = ({ label, source }: Column): LabelledModel => ({ label, ...source });

/** Numbers of records to offer. */
const LIMITS = [500, USUAL_QUESTIONS];

function limitStep(coppice: Coppice, chosen: Chosen): Step<TasksArguments> {
  const step: Step<TasksArguments> = async ({ data, tasks = [], own = [], columns = [] }, place) => {
    const names = data === undefined ? [] : tasks.filter(isTaskName);
    const items = [
      ...(await Promise.all(names.map((name) => questionsOfTask(name, data!)))),
      ...own.map((file) => questionsOfFile(file)?.items ?? 1),
    ];
    const asked = { columns, own: own.length > 0 ? own : undefined, ...(names.length > 0 && { data, tasks: names }) };
    const most = Math.max(...items);
    const time = (limit = most): string => timeWords(coppice, chosen, { kind: 'tasks', ...asked, limit });
    const all = items.reduce((sum, each) => sum + each, 0);
    const { t } = vscode.l10n;
    const choices = [
      { label: t('All items'), description: t('{0} · {1} items', time(), formatCount(all)), value: 0 },
      ...LIMITS.filter((limit) => limit < most).map((limit) => ({
        label: t('First {0} of each task', limit),
        description: time(limit),
        value: limit,
      })),
    ];
    const active = recall(coppice, 'tasks', 'limit', USUAL_QUESTIONS);
    const limit = await pick(place, t('Select how many questions to answer'), choices, active);
    await remember(coppice, 'tasks', { limit });
    return limit === 0 ? {} : { limit };
  };
  return when(({ limit, probes: asked }) => limit === undefined && asked === undefined, step);
}

/** Answers of a run that has not ended, in the storage of the workspace; undefined without a workspace. */
async function answersFile({ context }: Coppice): Promise<string | undefined> {
  const folder = context.storageUri?.fsPath;
  if (folder === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  return join(folder, 'task-answers.jsonl');
}

/** "Accuracy: Original 51.2 %, Without 14 49.1 % (−2.1 points ± 1.4)." */
function wordsOf(result: TasksResult): string {
  if (!('models' in result))
    return result.average === null ? probeWords(result) : vscode.l10n.t('Accuracy {0}.', formatPercent(result.average));
  if (result.models[0].average === null) return probeWords(result);
  const models = result.models.map(({ label, average: found }, m) => {
    const average = found ?? 0; // every model has one where the first has
    const own = `${label} ${(100 * average).toFixed(1)} %`;
    const paired = m === 0 ? undefined : result.differences[m - 1]?.average;
    if (!paired) return own;
    const points = 100 * paired.difference;
    const interval = paired.interval === null ? '' : ` ± ${(100 * paired.interval).toFixed(1)}`;
    return `${own} (${vscode.l10n.t('{0} points', `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`)}${interval})`;
  });
  return vscode.l10n.t('Accuracy: {0}.', models.join(', '));
}

/** "Probes: recall −53.1 points." of what is lost most; of one model alone in how many it is better than one that guesses. */
function probeWords(result: TasksResult): string {
  const { t } = vscode.l10n;
  if (!('models' in result)) {
    const scores = Object.values(result.probes ?? {});
    return t('Better than guessing in {0} of {1} probes.', scores.filter(({ able }) => able).length, scores.length);
  }
  const losses = Object.entries(result.differences.at(-1)?.probes ?? {});
  const worst = losses.sort(([, a], [, b]) => (b.loss ?? 0) - (a.loss ?? 0)).at(0);
  const loss = worst?.[1].loss ?? 0;
  if (!worst || loss === 0) return t('No probe is worse than with the original.');
  return t('Probes: {0} lost most, {1} points.', worst[0], (100 * loss).toFixed(1));
}
