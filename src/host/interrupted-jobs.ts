/** Reports jobs that a reload of the window has ended, and offers to run them again. */
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { optionsIn } from '../jobs/complete';
import type { HealSpec, JobSpec } from '../protocol/jobs';
import { jobTitle, titledJob } from '../jobs/titles';
import { showFailure } from './failure';
import { inform } from './inform';
import { goOn } from './remedy';
import { goOnIterating, runIterating } from './run-iterating';
import { runJob } from './run-job';
import { runRetraining } from './run-retraining';
import { showCheckpoint } from './show-checkpoint';

/** @param interrupted jobs of the last window, from its journal */
export function tellInterrupted(coppice: Coppice, interrupted: readonly JobSpec[]): void {
  for (const spec of interrupted) {
    const text = vscode.l10n.t(
      '{0} was interrupted when the window was reloaded or closed.',
      jobTitle(titledJob(spec)),
    );
    const resumes = isResumed(spec);
    const label = resumes ? vscode.l10n.t('Resume') : vscode.l10n.t('Run Again');
    inform({}, text, { label, run: () => runAgain(coppice, spec) });
  }
}

/** Whether running the job again goes on where it was stopped. */
function isResumed(spec: JobSpec): boolean {
  if (spec.kind === 'iterate') return goOnIterating(spec).resume === true;
  return spec.kind === 'retrain' && goOn(spec).resume === true;
}

/** Runs the job again and shows its errors. */
async function runAgain(coppice: Coppice, spec: JobSpec): Promise<void> {
  try {
    await rerun(coppice, spec);
  } catch (error) {
    showFailure(coppice, error, ({ device }) => void runAgain(coppice, { ...spec, ...(device && { device }) }));
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
    case 'heal':
      return healAgain(coppice, spec);
    case 'prune':
    case 'merge':
      return showCheckpoint(coppice, (await runJob(coppice, spec)).result.out);
    default:
      return runJob(coppice, spec);
  }
}

async function healAgain(coppice: Coppice, spec: HealSpec): Promise<void> {
  const { out } = (await runJob(coppice, spec)).result;
  if (out !== null) await showCheckpoint(coppice, out);
}
