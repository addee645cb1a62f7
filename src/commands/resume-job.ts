/** Resume, and Run Again: what was stopped goes on, or starts again. */
import * as vscode from 'vscode';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { linesIn } from '../host/jobs/job-arguments';
import { runAgain } from '../host/jobs/rerun';
import type { JobLine } from '../state/jobs/line';

export const resumeJobCommand: Command = {
  id: 'coppice.resumeJob',
  needsTrust: true,
  run: goOn,
};

export const runJobAgainCommand: Command = {
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
