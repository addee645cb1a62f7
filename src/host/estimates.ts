/** Estimates the time of scoring and evaluation on this machine, and learns its speed from finished jobs. */
import { statSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import type { Architecture } from '../engine/checkpoint/architecture';
import { type Criterion, criterionInfo } from '../engine/importance/criteria';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import { evaluationFlops, rowBlockFlops, scoringFlops } from '../engine/importance/estimate';
import type { JobOutcome } from '../protocol/jobs';
import type { JobEnded } from '../sidecar/client';
import { protectionOf } from '../views/protection';
import { checkpointName } from '../jobs/titles';
import { roughTime } from '../views/rough-time';
import type { Chosen } from './choose-checkpoint';
import type { Estimate, Speeds } from './speeds';

/** Approximate bytes of English text per token. */
const BYTES_PER_TOKEN = 4;

/** "SmolLM2-135M, 10×128: about 1:20"; undefined if it takes no time. */
export function criterionEstimate(coppice: Coppice, chosen: Chosen, criterion: Criterion): string | undefined {
  const { config } = coppice;
  const { architecture, path } = chosen;
  const { effort } = criterionInfo(criterion);
  if (effort === 'none') return undefined;
  const rows = { rows: config.calibration.samples, length: Math.min(config.calibration.length, architecture.context) };
  const { kept } = protectionOf(architecture.layers.length, config);
  const scope = { count: Math.max(1, Math.floor(architecture.layers.length / 4)), kept };
  const flops = scoringFlops(architecture, criterion, rows, scope);
  const time = timeOf(coppice, flops, architecture, criterion, rows.length);
  return effort === 'reading'
    ? vscode.l10n.t('{0}: {1}', checkpointName(path), time)
    : vscode.l10n.t('{0}, {1}×{2}: {3}', checkpointName(path), rows.rows, rows.length, time);
}

/** "about 1:20" for these windows. @param removed blocks that are left out */
export function evaluationEstimate(
  coppice: Coppice,
  architecture: Architecture,
  windows: { readonly rows: number; readonly length: number },
  removed: readonly number[],
): string {
  return timeOf(coppice, evaluationFlops(architecture, windows, removed), architecture, 'evaluate', windows.length);
}

/** Windows of a text, estimated from its size. Undefined when there is no such file. */
export function windowsOf(file: string, window: number): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && Math.max(1, Math.floor(found.size / BYTES_PER_TOKEN / window));
}

function timeOf(
  { speeds, sidecar }: Coppice,
  flops: number,
  architecture: Architecture,
  work: Parameters<Speeds['estimate']>[1]['work'],
  length: number,
): string {
  const provider = sidecar.device?.provider;
  const wanted = { work, size: rowBlockFlops(architecture, length), ...(provider !== undefined && { provider }) };
  return words(speeds.estimate(flops, wanted));
}

/** Marks an estimate that is not based on a measurement on this machine. */
function words({ seconds, measured }: Estimate): string {
  const time = roughTime(seconds);
  return measured ? vscode.l10n.t('about {0}', time) : vscode.l10n.t('roughly {0} (not measured yet)', time);
}

/** Learns from a finished job. */
export function learnSpeed(
  { library, speeds }: Pick<Coppice, 'library' | 'speeds'>,
  { spec, outcome }: JobEnded,
): void {
  if (!outcome || (spec.kind !== 'score' && spec.kind !== 'eval')) return;
  const architecture = library.peek(spec.checkpoint)?.architecture;
  if (!architecture) return;
  const provider = outcome.device?.provider ?? 'cpu';
  if (spec.kind === 'eval') {
    const { windows, window, seconds, removed } = (outcome as JobOutcome<'eval'>).result;
    const blocks = removed.filter((entry) => typeof entry === 'number');
    const flops = evaluationFlops(architecture, { rows: windows, length: window }, blocks) / seconds;
    speeds.note({ provider, work: 'evaluate', size: rowBlockFlops(architecture, window), flops });
    return;
  }
  const { criterion = 'ppl', granularity = 'block', remove = [], count, keep } = spec;
  if (granularity !== 'block' || remove.length > 0 || spec.adapter !== undefined) return;
  const { samples: rows = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length } = spec;
  const { seconds } = (outcome as JobOutcome<'score'>).result;
  const flops = scoringFlops(architecture, criterion, { rows, length }, { count, kept: new Set(keep) }) / seconds;
  speeds.note({ provider, work: criterion, size: rowBlockFlops(architecture, length), flops });
}
