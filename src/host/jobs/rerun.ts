/** Runs a job again that a reload has ended, that was stopped, or that failed. */
import * as vscode from 'vscode';
import { optionsIn } from '../../jobs/complete';
import type { JobSpec } from '../../protocol/jobs';
import type { Coppice } from '../coppice';
import { showFailure } from '../failure';
import { goOn } from '../remedy';
import { goOnIterating, runIterating } from './run-iterating';
import { runJob } from './run-job';
import { runRetraining } from './run-retraining';

/** Runs the job again and shows its errors. */
export async function runAgain(coppice: Coppice, spec: JobSpec): Promise<void> {
  try {
    await rerun(coppice, spec);
  } catch (error) {
    // A training goes on by itself where it can.
    showFailure(coppice, error, ({ resume: _, ...changes }) => void runAgain(coppice, { ...spec, ...changes }));
  }
}

async function rerun(coppice: Coppice, spec: JobSpec): Promise<unknown> {
  switch (spec.kind) {
    case 'score':
      return vscode.commands.executeCommand('coppice.scoreBlocks', optionsIn(spec));
    case 'eval':
      return spec.text === undefined
        ? runJob(coppice, spec)
        : vscode.commands.executeCommand('coppice.evaluatePerplexity', { remove: [], ...optionsIn(spec) });
    case 'retrain':
      return runRetraining(coppice, { ...spec, ...goOn(spec) }, {});
    case 'iterate':
      return runIterating(coppice, { ...spec, ...goOnIterating(spec) }, {});
    default:
      return runJob(coppice, spec);
  }
}
