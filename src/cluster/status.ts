/** How far a run on a cluster is. */
import type { CutKind } from '../jobs/parts/part-record';
import type { SchedulerName, Submission } from './folder';

export type PartState = 'done' | 'running' | 'waiting' | 'failed';

export interface PartStatus {
  /** From 1. */
  readonly number: number;
  readonly state: PartState;
  /** Of a part that runs: from 0 to 1, with the step in words. */
  readonly progress?: { readonly share: number; readonly label: string };
  /** The machine that it runs on, or ran on. */
  readonly host?: string;
  /** Of a part that failed: the reason, in one line. Of one that waits: the scheduler's word for what it waits for. */
  readonly error?: string;
}

export interface ClusterStatus {
  /** Absolute. */
  readonly folder: string;
  /** Undefined where the folder does not say: it has parts, and no run.json. */
  readonly kind?: CutKind;
  readonly parts: readonly PartStatus[];
  readonly counts: Readonly<Record<PartState, number>>;
  /** Of all parts together, from 0 to 1. */
  readonly progress: number;
  /** What makes the record of the parts. */
  readonly gather: { readonly state: PartState; readonly error?: string };
  /** The record of the whole run, absolute; null while it is not there. */
  readonly record: string | null;
  /** Null where the folder has no run.json. */
  readonly scheduler: {
    readonly name: SchedulerName;
    readonly submissions: readonly Submission[];
    /** False if it could not be asked: then the folder alone tells. */
    readonly asked: boolean;
  } | null;
}

/**
 * @param folder of a run, or with partial records
 * @throws UserError when it is neither
 */
export function statusOf(_folder: string): Promise<ClusterStatus> {
  return Promise.reject(new Error('not yet'));
}
