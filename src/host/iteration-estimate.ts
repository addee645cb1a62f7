/** Estimates the time of an iterative pruning on this machine, before it starts. */
import * as vscode from 'vscode';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import { type Criterion, criterionInfo } from '../engine/importance/criteria';
import type { RowShape } from '../engine/importance/estimate';
import { type RoundHealing, roundsWork, startWork, totalWork } from '../engine/iterate/estimate';
import { isClosed, isTrained, type IterativeMethod } from '../engine/iterate/methods';
import { DEFAULTS } from '../engine/retrain/defaults';
import { protectionOf } from '../views/protection';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from './coppice';
import { type ExpectedTime, expectedTime } from './expected-time';
import { markedTime } from '../jobs/rough-time';
import { healingRows } from '../jobs/healing-amounts';
import { products } from '../recipes/estimate/parts';

/** The answers so far; what is missing has its default. */
export interface IterationQuestion {
  readonly criterion?: Criterion;
  /** Undefined where only a limit ends the run: then the time is that of all blocks. */
  readonly count?: number;
  readonly method?: IterativeMethod;
  readonly steps?: number;
  readonly oneShot?: boolean;
}

/** Rows of a step that a retraining takes of a text of medium size. */
const ROWS_PER_STEP = 16;

/** Passes over the held-out part that come with a row of training, at most (retrain/settings.ts). */
const EVALUATED_SHARE = 0.45;

/** "about 12:00", or "at most 2 h 10 min" where a limit may end the run before. */
export function iterationEstimate(coppice: Coppice, chosen: Chosen, asked: IterationQuestion): string {
  const time = markedTime(iterationTime(coppice, chosen, asked));
  return asked.count === undefined ? vscode.l10n.t('at most {0}', time) : time;
}

/** How long it takes; where a limit may end it before, all blocks. */
export function iterationTime(coppice: Coppice, { architecture }: Chosen, asked: IterationQuestion): ExpectedTime {
  const { config } = coppice;
  const { criterion = config.criterion, count, method = 'lora', steps = 0, oneShot = false } = asked;
  const blocks = architecture.layers.length;
  const { kept } = protectionOf(blocks, config);
  const { samples: rows, length } = config.calibration;
  const shape: RowShape = { rows, length: Math.min(length, architecture.context) };
  const work = {
    criterion,
    objective: config.objective,
    kept,
    scored: shape,
    measured: shape,
    healing: healingOf(method, steps, architecture),
  };
  const rounds = roundsWork(architecture, work, count ?? Math.max(1, Math.min(blocks - 1, blocks - kept.size)));
  const extra = criterionInfo(criterion).seconds ?? 0; // a search takes the seconds that it is given
  const healing = oneShot ? rounds.reduce((sum, round) => sum + round.healing, 0) : 0;
  const flops = startWork(architecture, work) + rounds.reduce((sum, round) => sum + totalWork(round), 0) + healing;
  return expectedTime(coppice, [
    products(architecture, 'evaluate', flops, shape.length),
    { kind: 'seconds', seconds: rounds.length * extra },
  ]);
}

function healingOf(method: IterativeMethod, steps: number, architecture: Chosen['architecture']): RoundHealing {
  if (isTrained(method)) {
    const length = Math.min(DEFAULTS.length, architecture.context);
    const rows = steps * ROWS_PER_STEP;
    return { kind: 'trained', shape: { rows, length }, evaluated: Math.round(EVALUATED_SHARE * rows) };
  }
  if (!isClosed(method)) return { kind: 'none' };
  const { tokens, heldOut } = HEAL_DEFAULTS;
  return { kind: 'closed', method, shape: healingRows(architecture, tokens), heldOut };
}
