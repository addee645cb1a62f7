/** Runs retrainings for commands and after a reload of the window. */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import type { RetrainResult } from '../../jobs/results/retrain';
import type { RetrainSpec } from '../../protocol/jobs';
import type { TrainingEvent } from '../../protocol/training';
import { formatNumber } from '../../format/numbers';
import type { CommonArguments } from '../command';
import type { Coppice } from '../coppice';
import { inform, nextCommand } from '../inform';
import { levelledLog } from '../log';
import { goOn } from '../remedy';
import { runJob } from './run-job';

/**
 * Runs a new or resumed retraining and notifies the user of its end.
 * @returns its result
 * @throws UserError, CancelledError
 */
export async function runRetraining(
  coppice: Coppice,
  spec: RetrainSpec,
  args: CommonArguments,
): Promise<RetrainResult> {
  const onEvent = (event: TrainingEvent): void => logEvent(coppice, event);
  const running = runJob(coppice, spec, { onEvent, device: args.device });
  const { result, seen } = await running
    .catch((error: unknown) => {
      if (error instanceof CancelledError) offerToResume(coppice, args, spec);
      throw error;
    })
    .finally(() => coppice.library.rescan()); // there is a new adapter or a stopped training
  const { out } = result;
  const merge = vscode.l10n.t('Merge LoRA Adapter…');
  const next =
    result.adapter === null
      ? nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: out })
      : nextCommand(merge, 'coppice.mergeAdapter', { checkpoint: spec.checkpoint, adapter: out });
  if (!seen) inform(args, retrained(result), next);
  return result;
}

/** The held-out perplexity before, and the best one after. */
function retrained({ steps, best, unpruned, evaluations }: RetrainResult): string {
  const done = steps === 1 ? vscode.l10n.t('Retrained in 1 step.') : vscode.l10n.t('Retrained in {0} steps.', steps);
  const start = evaluations.find(({ step }) => step === 0);
  if (!best) return done;
  const [from, to] = [start ?? best, best].map(({ ppl }) => formatNumber(ppl, 4));
  if (best.step > 0 && unpruned && best.ppl < unpruned.ppl) {
    return vscode.l10n.t(
      '{0} Held-out perplexity {1} → {2} (original: {3}), on text of the same kind as the training text.',
      done,
      from,
      to,
      formatNumber(unpruned.ppl, 4),
    );
  }
  return best.step === 0
    ? vscode.l10n.t('{0} Held-out perplexity {1}: no step improved it.', done, to)
    : unpruned
      ? vscode.l10n.t(
          '{0} Held-out perplexity {1} → {2} (original: {3}).',
          done,
          from,
          to,
          formatNumber(unpruned.ppl, 4),
        )
      : vscode.l10n.t('{0} Held-out perplexity {1} → {2}.', done, from, to);
}

/** Notifies the user that a cancelled training is saved, and offers to resume it, as the panel does. */
function offerToResume({ panels }: Coppice, args: CommonArguments, { out, checkpoint }: RetrainSpec): void {
  if (!goOn({ out }).resume || panels.has(checkpoint)) return;
  const text = vscode.l10n.t('Retraining stopped. Its progress is saved.');
  inform(args, text, nextCommand(vscode.l10n.t('Resume'), 'coppice.resumeTraining', { out }));
}

/** The record has the whole trace. The log has enough to follow a run. */
function logEvent(coppice: Coppice, event: TrainingEvent): void {
  const log = levelledLog(coppice.log, () => coppice.config.logLevel);
  if (event.type === 'start')
    log.info(`retraining: ${event.steps} steps of ${event.batch} rows, ${event.parameters} parameters`);
  if (event.type === 'step') log.debug(`step ${event.step}: loss ${event.loss.toFixed(4)}`);
  if (event.type === 'unpruned') log.info(`held-out perplexity of the original ${event.ppl.toFixed(4)}`);
  if (event.type === 'evaluation') log.info(`step ${event.step}: held-out perplexity ${event.ppl.toFixed(4)}`);
}
