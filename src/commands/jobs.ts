/** Lines of the view "Jobs": opened, cancelled, run again, removed. */
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { CancelledError } from '../engine/errors';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { AnyCommand, Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { showFailure } from '../host/failure';
import { linesIn, linesOfKind } from '../host/jobs/job-arguments';
import { jobItem } from '../host/jobs/job-items';
import { checkpointOfLine } from '../host/jobs/job-of-line';
import { runAgain } from '../host/jobs/rerun';
import type { JobInfo } from '../protocol/jobs';
import type { JobLine } from '../state/jobs/line';
import { discardJobCommand } from './discard-job';

interface CancelArguments extends CommonArguments {
  /** Id of the job; undefined cancels the only job, or asks. */
  readonly id?: string;
}

/** Cancel Job: cancels the job, or asks which one. */
const cancelJobCommand: Command<CancelArguments> = {
  id: 'coppice.cancelJob',
  async run(coppice, { id: given }) {
    const { jobs } = coppice.sidecar;
    const id = given ?? (jobs.length > 1 ? await pickJob(coppice, jobs) : jobs[0]?.id);
    if (id === undefined) return false;
    await coppice.sidecar.cancel(id);
    return true;
  },
};

async function pickJob({ sidecar }: Coppice, jobs: readonly JobInfo[]): Promise<string | undefined> {
  const items = jobs.map((job) => jobItem(job, sidecar.isBehind(job.id)));
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Cancel Job'),
    placeHolder: vscode.l10n.t('Select a job to cancel'),
  });
  return picked?.id;
}

/** Open Results of a line in the view "Jobs": the panel of its checkpoint, which draws the run if it is one. */
const openJobResultsCommand: Command = {
  id: 'coppice.openJobResults',
  async run(coppice, args) {
    const [line] = linesIn(args);
    if (!line) return;
    const checkpoint = await checkpointOfLine(coppice, line);
    if (checkpoint === undefined) return;
    const { path, checkpoint: opened } = await chooseCheckpoint(coppice, { checkpoint }, vscode.l10n.t('Open Results'));
    await openResults(coppice, path, opened, line.kind === 'finished' ? line.run.id : undefined);
  },
};

/** Open Record: the JSON of a finished run. */
const openRecordCommand: Command = {
  id: 'coppice.openRecord',
  async run(_, args) {
    for (const { run } of linesOfKind(args, 'finished'))
      await vscode.window.showTextDocument(vscode.Uri.file(run.file), { preview: true });
  },
};

/** Show Error of a job that failed: the same notification as when it failed, with its actions. */
const showJobErrorCommand: Command = {
  id: 'coppice.showJobError',
  run(coppice, args) {
    for (const { failed } of linesOfKind(args, 'failed'))
      showFailure(coppice, failed.error, (changes) => void runAgain(coppice, { ...failed.spec, ...changes }));
    return Promise.resolve();
  },
};

/** Resume, and Run Again: what was stopped goes on, or starts again. */
const resumeJobCommand: Command = {
  id: 'coppice.resumeJob',
  needsTrust: true,
  run: goOn,
};

const runJobAgainCommand: Command = {
  id: 'coppice.runJobAgain',
  needsTrust: true,
  run: goOn,
};

/** Each that can; jobs queue. */
async function goOn(coppice: Coppice, args: CommonArguments): Promise<void> {
  await Promise.all(linesIn(args).map((line) => goOnWith(coppice, line)));
}

async function goOnWith(coppice: Coppice, line: JobLine): Promise<unknown> {
  switch (line.kind) {
    case 'training':
      return vscode.commands.executeCommand('coppice.resumeTraining', { out: line.training.out });
    case 'stopped':
      coppice.journal.forget(line.job.spec);
      return runAgain(coppice, line.job.spec);
    case 'failed':
      coppice.failed.dismiss(line.failed.id);
      return runAgain(coppice, line.failed.spec);
    case 'parts': {
      const { folder } = line.run;
      const run = coppice.cluster.left.find((each) => each.folder === folder);
      return run?.step
        ? vscode.commands.executeCommand('coppice.runRecipeStepOnCluster', { ...run.step, parts: run.parts })
        : vscode.commands.executeCommand('coppice.runOnCluster', { folder });
    }
    default:
      return undefined;
  }
}

/** Delete Record…: deletes the records of finished runs. What the runs wrote stays. */
const deleteRecordCommand: Command = {
  id: 'coppice.deleteRecord',
  async run(coppice, args) {
    const runs = linesOfKind(args, 'finished').map(({ run }) => run);
    if (runs.length === 0) return;
    if (!args.throws) await askWhetherSure(runs.length);
    await coppice.jobs.history.remove(runs);
    await coppice.jobs.readAgain();
  },
};

/** @throws CancelledError */
async function askWhetherSure(count: number): Promise<void> {
  const { t } = vscode.l10n;
  const remove = t('Delete');
  const question = count === 1 ? t('Delete the record of this run?') : t('Delete the records of {0} runs?', count);
  const detail = t('Charts and comparisons lose its numbers. Models that it wrote stay.');
  const chosen = await vscode.window.showWarningMessage(question, { modal: true, detail }, remove);
  if (chosen !== remove) throw new CancelledError();
}

/** Remove from Jobs…, the key Delete: discards what was stopped, deletes the records of finished runs, dismisses errors. */
const removeJobCommand: Command = {
  id: 'coppice.removeJob',
  async run(coppice, args, settle) {
    const left = linesOfKind(args, 'training', 'stopped', 'parts', 'failed');
    if (left.length > 0) await discardJobCommand.run(coppice, args, settle);
    await deleteRecordCommand.run(coppice, args, settle);
  },
};

/** Refresh Jobs, and Show More: reads the folders of records again, or further back. */
const refreshJobsCommand: Command = {
  id: 'coppice.refreshJobs',
  run: ({ jobs }) => jobs.readAgain(),
};

const showMoreJobsCommand: Command = {
  id: 'coppice.showMoreJobs',
  run: ({ jobs }) => jobs.showMore(),
};

export const jobCommands: readonly AnyCommand[] = [
  cancelJobCommand,
  openJobResultsCommand,
  openRecordCommand,
  showJobErrorCommand,
  resumeJobCommand,
  runJobAgainCommand,
  deleteRecordCommand,
  removeJobCommand,
  refreshJobsCommand,
  showMoreJobsCommand,
];
