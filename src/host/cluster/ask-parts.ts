/** Asks into how many parts a job on a cluster is cut. */
import * as vscode from 'vscode';
import { estimateParts } from '../../cluster/estimate';
import { MAX_PARTS } from '../../engine/parts/part';
import { formatBytes } from '../../format/numbers';
import { completeOptions, optionsIn } from '../../jobs/complete';
import { JOBS } from '../../jobs/definitions';
import { isCutKind } from '../../jobs/parts/part-record';
import type { MachineSpeeds } from '../../estimates/machine';
import { guessedTime } from '../../estimates/words';
import type { JobSpec } from '../../protocol/jobs';
import type { ClusterSettings } from '../../state/cluster-settings';
import { requireCut } from './cluster-runs';
import { wholeNumberFault } from '../ask/numbers';
import { ask, type Place } from '../ask/steps';

/**
 * @param spec of the job, if it is known before it runs
 * @throws UserError for a job that cannot be cut; CancelledError
 */
export async function askParts(
  settings: ClusterSettings,
  spec: JobSpec | undefined,
  title: string,
  speeds: MachineSpeeds,
): Promise<number> {
  return askPartsAt({ title, step: 1 }, settings, spec, speeds);
}

/** The same as one question among others. @throws UserError for a job that cannot be cut; CancelledError */
export async function askPartsAt(
  place: Place,
  settings: ClusterSettings,
  spec: JobSpec | undefined,
  speeds: MachineSpeeds,
): Promise<number> {
  if (spec) requireCut(spec);
  const usual = settings.parts;
  const cost = spec && (await costOf(spec, usual, speeds));
  const question = vscode.l10n.t('Number of parts to cut the work into');
  const answer = await ask(place, {
    prompt: cost === undefined ? question : `${question}. ${cost}`,
    value: String(usual),
    fault: (text) => wholeNumberFault(text, 1, MAX_PARTS),
  });
  return Number(answer);
}

/** What a part needs; undefined where nothing is known. An estimate that fails keeps nobody from a run. */
async function costOf(spec: JobSpec, parts: number, speeds: MachineSpeeds): Promise<string | undefined> {
  const { kind } = spec;
  if (!isCutKind(kind)) return undefined;
  const options = completeOptions(JOBS[kind], optionsIn(spec));
  const estimate = await estimateParts(kind, options, parts, { threads: 1, speeds }).catch(() => undefined);
  if (!estimate) return undefined;
  const { seconds, memoryBytes } = estimate;
  return vscode.l10n.t(
    'Each of {0}: {1} on one core, {2} of memory',
    parts,
    guessedTime(seconds),
    formatBytes(memoryBytes),
  );
}
