/**
 * What menus know of a line, as its `viewItem`: the kind and its states, in this order, with dots between. A menu offers only what
 * the command then takes. Pure.
 */
import type { NextAction } from '../protocol/journey';

/** States of a checkpoint's line. */
export interface CheckpointStates {
  /** Coppice can run it. */
  readonly usable: boolean;
  /** A plan removes blocks. */
  readonly planned: boolean;
  /** There are plans to compare. */
  readonly plans: boolean;
  /** mergekit or llama.cpp can follow its plan. */
  readonly portable: boolean;
  readonly scored: boolean;
  /** The scores are of other files. */
  readonly stale: boolean;
  /** Runs have measured it. */
  readonly hasRuns: boolean;
  /** The model that it was made from is listed. */
  readonly derived: boolean;
  /** It was written for an application. */
  readonly exported: boolean;
  /** An adapter was trained on it. */
  readonly hasAdapter: boolean;
  /** Blocks of it have experts. */
  readonly experts: boolean;
  /** It was opened by hand, and can be taken from the list. */
  readonly opened: boolean;
  readonly next?: NextAction['action'];
}

const ORDER = [
  'planned',
  'plans',
  'portable',
  'scored',
  'stale',
  'hasRuns',
  'derived',
  'exported',
  'hasAdapter',
  'experts',
  'opened',
] as const;

/** "checkpoint.planned.scored.next-prune" */
export const checkpointContext = (states: CheckpointStates): string =>
  [
    'checkpoint',
    ...(states.usable ? [] : ['inspectOnly']),
    ...ORDER.filter((state) => states[state]),
    ...(states.next ? [`next-${states.next}`] : []),
  ].join('.');

/** "plan.planned.plans" */
export const planContext = (states: Pick<CheckpointStates, 'planned' | 'plans' | 'portable'>): string =>
  ['plan', ...(['planned', 'plans', 'portable'] as const).filter((state) => states[state])].join('.');

/** "block.kept.planned" @param planned the plan of its model removes blocks */
export const blockContext = (kept: boolean, planned: boolean): string =>
  ['block', kept ? 'kept' : 'removed', ...(planned ? ['planned'] : [])].join('.');
