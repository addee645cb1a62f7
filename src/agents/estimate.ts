/** How long jobs of agents will take: operations from the architecture and the text, by speeds of this machine. */
import { BYTES_PER_TOKEN } from '../jobs/amounts';
import { stat } from 'node:fs/promises';
import type { Architecture } from '../engine/checkpoint/architecture';
import { HEAL_DEFAULTS, type HealMethod } from '../engine/heal/methods';
import { expectedScreen } from '../engine/importance/arithmetic';
import { type Criterion, criterionInfo } from '../engine/importance/criteria';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import {
  type EstimatedWork,
  evaluationFlops,
  healingFlops,
  rowBlockFlops,
  type RowShape,
  scoringFlops,
  writingFlops,
} from '../engine/importance/estimate';
import { healingRows, SELF } from '../jobs/healing-amounts';
import type { Estimate } from '../jobs/machine-speeds';
import type { AgentContext } from './tool';

/** Work of one kind. */
export interface Work {
  readonly flops: number;
  readonly kind: EstimatedWork;
  /** Tokens of a row. */
  readonly length: number;
  /** Seconds besides. */
  readonly more?: number;
}

type Speeds = AgentContext['speeds'];

/** The time of several kinds of work, one after the other. */
export function timeOf(architecture: Architecture, works: readonly Work[], speeds: Speeds): Estimate {
  const times = works.map(({ flops, kind, length, more = 0 }) => {
    const { seconds, measured } = speeds.estimate(flops, { work: kind, size: rowBlockFlops(architecture, length) });
    return { seconds: seconds + more, measured };
  });
  return {
    seconds: times.reduce((sum, { seconds }) => sum + seconds, 0),
    measured: times.every(({ measured }) => measured),
  };
}

/** What of a scoring decides its time. */
export interface ScoringGiven {
  readonly criterion?: Criterion;
  readonly samples?: number;
  readonly length?: number;
  readonly count?: number;
}

export function scoringWork(architecture: Architecture, given: ScoringGiven): Work[] {
  const { criterion = 'ppl', samples = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length, count } = given;
  const { effort, seconds: more } = criterionInfo(criterion);
  if (effort === 'none') return [];
  const rows: RowShape = { rows: samples, length: Math.min(length, architecture.context) };
  const scope = { count: count ?? Math.max(1, Math.floor(architecture.layers.length / 4)) };
  const screen = expectedScreen(architecture, criterion, rows, scope);
  const flops = scoringFlops(architecture, criterion, rows, { ...scope, ...screen });
  return [{ flops, kind: criterion, length: rows.length, more }];
}

/** @param removed blocks that are left out; then the whole model is measured beside it */
export function evaluatingWork(architecture: Architecture, rows: RowShape, removed: readonly number[]): Work[] {
  const whole = removed.length > 0 ? evaluationFlops(architecture, rows) : 0;
  const flops = evaluationFlops(architecture, rows, removed) + whole;
  return [{ flops, kind: 'evaluate', length: rows.length }];
}

export interface HealingGiven {
  readonly method?: HealMethod;
  readonly tokens?: number;
  readonly data?: readonly string[];
}

/** Healing, and the text for it where the model writes that itself. */
export function healingWork(architecture: Architecture, removed: readonly number[], given: HealingGiven): Work[] {
  const { method = HEAL_DEFAULTS.method, tokens = HEAL_DEFAULTS.tokens, data = [SELF] } = given;
  const rows = healingRows(architecture, tokens);
  const flops = healingFlops(architecture, removed, rows, { method, heldOut: HEAL_DEFAULTS.heldOut });
  const healing: Work = { flops, kind: 'heal', length: rows.length };
  return data.includes(SELF) ? [healing, writtenWork(architecture, rows)] : [healing];
}

/** Texts that the whole model writes. */
export const writtenWork = (architecture: Architecture, rows: RowShape): Work => ({
  flops: writingFlops(architecture, rows),
  kind: 'write',
  length: rows.length,
});

/** Tokens of a text file, roughly; 0 where there is none: the job says so. */
export async function tokensOfFile(file: string | undefined): Promise<number> {
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  return (found?.size ?? 0) / BYTES_PER_TOKEN;
}

/** Windows of a text, the last one whole. */
export function windowsOf(tokens: number, window: number, limit = Infinity): RowShape {
  return { rows: Math.min(limit, Math.max(1, Math.floor(tokens / window))), length: window };
}
