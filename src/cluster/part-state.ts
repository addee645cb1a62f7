/** What state a part is in, by all that is known of it. */
import { shownText } from '../engine/option-token';
import type { FoundProgress, FoundRecord } from './part-files';
import type { Queued } from './scheduler';

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

/** All that is known of a part. */
export interface Known {
  readonly number: number;
  readonly record?: FoundRecord;
  readonly progress?: FoundProgress;
  /** What the scheduler says. */
  readonly queued?: Queued;
  /** The scheduler was asked, had the part once and no longer knows it. */
  readonly gone: boolean;
  /** Whether it was handed to a scheduler, or begun in another way. */
  readonly submitted: boolean;
}

/** A part writes its progress every five seconds. Network disks show others what is written up to a minute later. */
const SILENT_SECONDS = 120;

export const NO_WORD = 'it ended without its record and without a word';

/** @param log gives the last lines that the part printed */
export async function stateOf(known: Known, log: () => Promise<readonly string[]>): Promise<PartStatus> {
  const { number, record, progress, queued, gone, submitted } = known;
  if (record && record.fault === undefined) return { number, state: 'done' };
  const place = queued?.host ?? progress?.host;
  const host = place === undefined ? {} : { host: place };
  if (queued?.state === 'running') return { number, state: 'running', ...progressOf(progress), ...host };
  if (queued?.state === 'waiting') {
    return { number, state: 'waiting', ...(queued.reason !== undefined && { error: queued.reason }) };
  }
  const failed = (error: string): PartStatus => ({ number, state: 'failed', ...host, error });
  if (record?.fault !== undefined) return failed(`its record cannot be used: ${record.fault}`);
  if (queued || gone) return failed(queued?.reason ?? saidBy(progress) ?? reasonIn(await log()) ?? NO_WORD);
  // No scheduler tells.
  if (!progress) return { number, state: 'waiting', ...(!submitted && { error: 'not submitted' }) };
  if (progress.state !== 'running') return failed(saidBy(progress) ?? 'it was cancelled');
  if (progress.age < SILENT_SECONDS) return { number, state: 'running', ...progressOf(progress), ...host };
  return failed(reasonIn(await log()) ?? `it has not been heard of for ${Math.round(progress.age)} s`);
}

function progressOf(found: FoundProgress | undefined): Pick<PartStatus, 'progress'> {
  if (found?.state !== 'running' || !found.progress) return {};
  const { label, done, total } = found.progress;
  return { progress: { share: total > 0 ? Math.min(1, Math.max(0, done / total)) : 0, label } };
}

const saidBy = (found: FoundProgress | undefined): string | undefined =>
  found?.error && shownText(`${found.error.what}: ${found.error.why}`);

/** The reason in the last lines of a log: that of Coppice, Slurm's daemon or a shell, else whatever came last. */
export function reasonIn(lines: readonly string[]): string | undefined {
  const last = lines.slice(-MOST_LINES);
  const at = last.findLastIndex((line) => /^(slurmstepd: )?error: /.test(line));
  const what = last
    .at(at)
    ?.replace(/^(slurmstepd: )?error: /, '')
    .trim();
  const why = at < 0 ? undefined : /^ {2}why: (.+)$/.exec(last.at(at + 1) ?? '')?.[1];
  const text = why === undefined ? what : `${what}: ${why}`;
  return text === undefined || text === '' ? undefined : text.slice(0, MOST_WORDS);
}

const MOST_LINES = 12;
const MOST_WORDS = 300;
