/** Runs iterative prunings for commands and after a reload of the window. */
import * as vscode from 'vscode';
import { CancelledError } from '../../engine/errors';
import { wasStopped } from '../../engine/iterate/workspace';
import { formatNumber } from '../../format/numbers';
import { checkpointName } from '../../jobs/titles';
import type { IterateEvent } from '../../protocol/iterate';
import type { IterateResult } from '../../jobs/results/iterate';
import type { IterateSpec } from '../../protocol/jobs';
import type { CommonArguments } from '../command';
import type { Coppice } from '../coppice';
import { inform, nextCommand } from '../inform';
import { levelledLog } from '../log';
import { runJob } from './run-job';

/** What a run that was stopped goes on with. */
export const goOnIterating = ({ out }: { readonly out?: string }): { readonly resume?: true } =>
  out !== undefined && wasStopped(out) ? { resume: true } : {};

/**
 * Runs a new or resumed iterative pruning, and notifies the user of the end.
 * @throws UserError, CancelledError; the finished rounds are kept
 */
export async function runIterating(coppice: Coppice, spec: IterateSpec, args: CommonArguments): Promise<IterateResult> {
  const onEvent = (event: IterateEvent): void => logEvent(coppice, event);
  const { result, warnings, seen } = await runJob(coppice, spec, { onEvent, device: args.device }).catch(
    (error: unknown) => {
      if (error instanceof CancelledError) offerToResume(args, spec);
      throw error;
    },
  );
  const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: spec.checkpoint });
  if (!seen) inform(args, [endWords(result), ...warnings].join(' '), open);
  return result;
}

/** "Removed 6 blocks one by one: perplexity 21.3, without healing 48.2, of the whole model 14.9." */
function endWords({ rounds, plain, full, out }: IterateResult): string {
  const number = (value: IterateResult['full']['ppl']): string => formatNumber(Number(value), 4);
  const [healed, without, whole] = [rounds.at(-1)!.healed.ppl, plain.at(-1)!.ppl, full.ppl].map(number);
  return vscode.l10n.t(
    'Pruned iteratively ({0} rounds) to {1}: perplexity {2}, without healing {3}, of the original {4}.',
    rounds.length,
    checkpointName(out),
    healed,
    without,
    whole,
  );
}

/** Notifies the user that the finished rounds are kept, and offers to go on. */
function offerToResume(args: CommonArguments, spec: IterateSpec): void {
  if (!wasStopped(spec.out)) return;
  const text = vscode.l10n.t('Iterative pruning stopped. Its finished rounds are kept.');
  const { kind: _kind, records: _records, ...settings } = spec;
  const again = { checkpoint: spec.checkpoint, out: spec.out, settings, resume: true };
  inform(args, text, nextCommand(vscode.l10n.t('Resume'), 'coppice.iterate', again));
}

/** The record has all rounds. The log has enough to follow a run. */
function logEvent(coppice: Coppice, event: IterateEvent): void {
  const log = levelledLog(coppice.log, () => coppice.config.logLevel);
  if (event.type === 'plan') log.info(`iterating: ${event.rounds.length} rounds, about ${Math.round(event.seconds)} s`);
  else log.info(`round ${event.round}: block ${event.block}, perplexity ${event.pruned.ppl} to ${event.healed.ppl}`);
}
