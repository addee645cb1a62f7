/** Measures a plan and the whole model on a text that chose no block, before anything is written. */
import * as vscode from 'vscode';
import { requireArchitecture } from '../engine/checkpoint/open';
import { judgingText } from '../host/ask/judging-text';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform } from '../host/inform';
import { runParts } from '../host/jobs/run-parts';
import type { JobSpec } from '../protocol/jobs';
import { textsThatChose } from '../state/journey-facts';
import { readKin } from './before-after-page';
import type { Comparison } from './compare-with-original';
import { judgingOptions, noOtherText } from './comparison-parts';

/** @throws UserError where every text has chosen blocks; CancelledError */
export async function judgePlan(coppice: Coppice, chosen: Chosen, args: CommonArguments): Promise<Comparison> {
  const { path, subject, checkpoint } = chosen;
  const { original, originalIdentity, used, runs } = await readKin(coppice, chosen);
  const line = [checkpoint.identity, originalIdentity];
  const planned = textsThatChose(runs, { origin: undefined, choice: coppice.plans.choice(subject), line });
  const text = await judgingText(coppice, [...used, ...planned], [path, ...(original ? [original.path] : [])]);
  if (!text) throw noOtherText();
  const asked = judgingOptions(text, requireArchitecture(checkpoint).context);
  const isAlike = original?.checkpoint.architecture?.vocabulary === requireArchitecture(checkpoint).vocabulary;
  // A KL divergence needs one vocabulary.
  const against = original && isAlike ? original.path : path;
  const specs: JobSpec[] = [
    { kind: 'eval', checkpoint: against, ...asked },
    { kind: 'eval', checkpoint: path, remove: coppice.plans.removed(subject), ...asked, against },
  ];
  const about = {
    ...({ kind: 'compare', checkpoint: path } as const),
    ...{ title: vscode.l10n.t('Judge the Plan'), word: vscode.l10n.t('Judging') },
  };
  const jobs = specs.map((spec) => ({ what: vscode.l10n.t('perplexity'), spec }));
  await runParts(coppice, about, jobs, args.device);
  inform(args, vscode.l10n.t('The plan was measured on {0}, which chose none of its blocks.', text.name));
  return { ran: jobs.length, missing: [] };
}
