/** Estimates the time of scoring, evaluation and healing on this machine, and learns its speed from finished jobs. */
import { statSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import type { Architecture } from '../engine/checkpoint/architecture';
import { HEAL_DEFAULTS, type HealMethod } from '../engine/heal/methods';
import { expectedScreen } from '../engine/importance/arithmetic';
import { type Criterion, criterionInfo } from '../engine/importance/criteria';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import {
  evaluationFlops,
  healingFlops,
  rowBlockFlops,
  scoringFlops,
  writingFlops,
} from '../engine/importance/estimate';
import type { HealResult } from '../protocol/heal';
import { BYTES_PER_TOKEN } from '../jobs/amounts';
import type { JobKind, JobOutcome } from '../protocol/jobs';
import type { JobEnded } from '../sidecar/client';
import { protectionOf } from '../views/protection';
import { checkpointName, checkpointOf } from '../jobs/titles';
import { roughTime } from '../jobs/rough-time';
import type { Chosen } from './choose-checkpoint';
import { healingRows } from '../jobs/healing-amounts';
import type { Estimate, Speed, Speeds } from '../jobs/machine-speeds';

/**
 * "SmolLM2-135M, 10×128: about 1:20"; undefined if it takes no time.
 * @param exact how many blocks must be certain, where others may be screened; undefined for the default
 */
export function criterionEstimate(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  exact?: number,
): string | undefined {
  const { config } = coppice;
  const { architecture, path } = chosen;
  const { effort, seconds: more = 0 } = criterionInfo(criterion);
  if (effort === 'none') return undefined;
  const rows = { rows: config.calibration.samples, length: Math.min(config.calibration.length, architecture.context) };
  const { kept } = protectionOf(architecture.layers.length, config);
  const { objective } = config;
  const scope = { count: Math.max(1, Math.floor(architecture.layers.length / 4)), kept, objective };
  const screen = isOnCpu(coppice) ? expectedScreen(architecture, criterion, rows, { ...scope, exact }) : {};
  const flops = scoringFlops(architecture, criterion, rows, { ...scope, ...screen });
  const { seconds, measured } = estimateOf(coppice, flops, architecture, criterion, rows.length);
  const time = words({ seconds: seconds + more, measured });
  return effort === 'reading'
    ? vscode.l10n.t('{0}: {1}', checkpointName(path), time)
    : vscode.l10n.t('{0}, {1}×{2}: {3}', checkpointName(path), rows.rows, rows.length, time);
}

/** Only the CPU screens. What computes is not known before the first job. */
const isOnCpu = ({ sidecar }: Coppice): boolean => (sidecar.device?.provider ?? 'cpu') === 'cpu';

/** "about 1:20" for these windows. @param removed blocks that are left out; then the whole model is measured too */
export function evaluationEstimate(
  coppice: Coppice,
  architecture: Architecture,
  windows: { readonly rows: number; readonly length: number },
  removed: readonly number[],
): string {
  return timeOf(coppice, comparedFlops(architecture, windows, removed), architecture, 'evaluate', windows.length);
}

/** Tokens of a row of questions: only the attention depends on it, which is little. */
const QUESTION_LENGTH = 64;

/** "about 4:00" for models that each read this many tokens of questions. @param models blocks that each lacks */
export function tasksEstimate(
  coppice: Coppice,
  architecture: Architecture,
  tokens: number,
  models: readonly (readonly number[])[],
): string {
  const rows = { rows: tokens / QUESTION_LENGTH, length: QUESTION_LENGTH };
  const flops = models.reduce((sum, removed) => sum + evaluationFlops(architecture, rows, removed), 0);
  return timeOf(coppice, flops, architecture, 'evaluate', QUESTION_LENGTH);
}

/** Operations of measuring a model, and beside it the unpruned one if blocks are left out. */
function comparedFlops(
  architecture: Architecture,
  windows: { readonly rows: number; readonly length: number },
  removed: readonly number[],
  compared = removed.length > 0,
): number {
  const own = evaluationFlops(architecture, windows, removed);
  return compared ? own + evaluationFlops(architecture, windows) : own;
}

/** What is healed. */
export interface HealingQuestion {
  readonly removed: readonly number[];
  /** Tokens of text. */
  readonly tokens: number;
  /** The model writes the text itself. */
  readonly writes: boolean;
  readonly method?: HealMethod;
}

/** "about 40 s", or "about 2:00, 1:20 of it once" if the model first writes the text, which is kept for later. */
export function healingEstimate(coppice: Coppice, architecture: Architecture, question: HealingQuestion): string {
  const { removed, tokens, writes, method = HEAL_DEFAULTS.method } = question;
  const rows = healingRows(architecture, tokens);
  const { heldOut } = HEAL_DEFAULTS;
  const flops = healingFlops(architecture, removed, rows, { method, heldOut });
  const healing = estimateOf(coppice, flops, architecture, 'heal', rows.length);
  if (!writes) return words(healing);
  const writing = estimateOf(coppice, writingFlops(architecture, rows), architecture, 'write', rows.length);
  const whole = { seconds: healing.seconds + writing.seconds, measured: healing.measured };
  return vscode.l10n.t('{0}, {1} of it once', words(whole), roughTime(writing.seconds));
}

/**
 * "about 12:00" for operations that all count as plain products.
 * @param length tokens of a row @param more seconds in addition
 */
export function flopsEstimate(
  coppice: Coppice,
  flops: number,
  architecture: Architecture,
  length: number,
  more: number,
): string {
  const { seconds, measured } = estimateOf(coppice, flops, architecture, 'evaluate', length);
  return words({ seconds: seconds + more, measured });
}

/** Windows of a text, estimated from its size. Undefined when there is no such file. */
export function windowsOf(file: string, window: number): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && Math.max(1, Math.floor(found.size / BYTES_PER_TOKEN / window));
}

/** What has to be computed: operations, the model, the kind of work, and tokens of a row. */
type Amount = readonly [
  flops: number,
  architecture: Architecture,
  work: Parameters<Speeds['estimate']>[1]['work'],
  length: number,
];

const timeOf = (coppice: Coppice, ...amount: Amount): string => words(estimateOf(coppice, ...amount));

function estimateOf({ speeds, sidecar }: Coppice, ...[flops, architecture, work, length]: Amount): Estimate {
  const provider = sidecar.device?.provider;
  const wanted = { work, size: rowBlockFlops(architecture, length), ...(provider !== undefined && { provider }) };
  return speeds.estimate(flops, wanted);
}

/** Marks an estimate that is not based on a measurement on this machine. */
function words({ seconds, measured }: Estimate): string {
  const time = roughTime(seconds);
  return measured ? vscode.l10n.t('about {0}', time) : vscode.l10n.t('roughly {0} (not measured yet)', time);
}

/** Jobs whose time tells a speed. */
const LEARNED: readonly JobKind[] = ['score', 'eval', 'heal', 'prune'];

/** Learns from a finished job. */
export function learnSpeed(
  { library, speeds }: Pick<Coppice, 'library' | 'speeds'>,
  { spec, outcome, on }: JobEnded,
): void {
  // Other machines have other speeds.
  if (!outcome || on !== undefined || !LEARNED.includes(spec.kind)) return;
  const architecture = library.peek(checkpointOf(spec))?.architecture;
  if (!architecture) return;
  const provider = outcome.device?.provider ?? 'cpu';
  if (spec.kind === 'heal' || spec.kind === 'prune') {
    const { result } = outcome as JobOutcome<'heal' | 'prune'>;
    const healed = 'writingSeconds' in result ? result : result.healing;
    if (healed && !('adapter' in spec && spec.adapter !== undefined))
      for (const speed of healingSpeeds(architecture, healed)) speeds.note({ provider, ...speed });
    return;
  }
  if (spec.kind !== 'score' && spec.kind !== 'eval') return;
  if (spec.kind === 'eval') {
    const { windows, window, seconds, removed, kl, repetition } = (outcome as JobOutcome<'eval'>).result;
    if (repetition) return; // continuations have another speed
    const blocks = removed.filter((entry) => typeof entry === 'number');
    const flops = comparedFlops(architecture, { rows: windows, length: window }, blocks, kl !== undefined) / seconds;
    speeds.note({ provider, work: 'evaluate', size: rowBlockFlops(architecture, window), flops });
    return;
  }
  const { criterion = 'ppl', granularity = 'block', remove = [], count, keep, objective } = spec;
  if (granularity !== 'block' || remove.length > 0 || (spec.adapter ?? spec.heal) !== undefined) return;
  const { samples: rows = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length } = spec;
  const { seconds, search, screen, precision } = (outcome as JobOutcome<'score'>).result;
  // Other precisions are asked for once, and say nothing about the next run.
  if (precision !== undefined && precision !== 'float32' && precision !== 'mixed') return;
  // Behind a screen, speed is what a sweep in float32 would have: the work is counted as its share.
  const scope = { count, kept: new Set(keep), objective, ...(screen && { exact: screen.exact }) };
  const flops = scoringFlops(architecture, criterion, { rows, length }, scope);
  const speed = flops / (seconds - (search?.seconds ?? 0)); // a search takes the seconds that it is given
  speeds.note({ provider, work: criterion, size: rowBlockFlops(architecture, length), flops: speed });
}

/** The speeds of healing, and of writing its text if the model wrote one. Unknown if modules are removed. */
export function healingSpeeds(
  architecture: Architecture,
  { removed, method, ridge, tokens, heldOut, seconds, writingSeconds }: HealResult,
): Omit<Speed, 'provider'>[] {
  const blocks = removed.filter((entry) => typeof entry === 'number');
  if (ridge === 'auto' || blocks.length < removed.length || seconds <= writingSeconds) return [];
  const { length } = healingRows(architecture, tokens);
  const fitted = tokens / length;
  const rows = fitted + (heldOut?.rows ?? 0);
  const size = rowBlockFlops(architecture, length);
  const healing = healingFlops(architecture, blocks, { rows, length }, { method, heldOut: (rows - fitted) / rows });
  const writing = writingFlops(architecture, { rows, length });
  return [
    { work: 'heal', size, flops: healing / (seconds - writingSeconds) },
    // A text that was there takes no time.
    ...(writingSeconds > 1 ? [{ work: 'write' as const, size, flops: writing / writingSeconds }] : []),
  ];
}
