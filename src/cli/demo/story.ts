/** What the chapters of the demo share: the model, the material, the folder, and how the page is written. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { inPhases, type JobOptions } from '../../engine/progress';
import type { RunPart } from '../../jobs/run';
import type { Shell } from '../execute';
import type { DemoOptions } from '../commands/demo';
import type { Material } from './material';

export interface Story {
  readonly checkpoint: Checkpoint;
  readonly blocks: number;
  readonly material: Material;
  /** Tokens of a row: as the material has it, where the model's context allows. */
  readonly length: number;
  /** Where everything goes. */
  readonly folder: string;
  /** Blocks to remove. */
  readonly count: number;
  /** Where and how every job of the demo computes. */
  readonly compute: Pick<DemoOptions, 'device' | 'threads' | 'memory'>;
  readonly shell: Shell;
  /** Runs a job as a part of the demo. */
  readonly run: RunPart;
  /** The progress of each chapter. */
  readonly progress: Readonly<Record<Chapter, JobOptions>>;
}

/** What each chapter takes, in seconds with the sample model. */
const SHARES = { score: 5, prune: 1, retrain: 36, compare: 4, curve: 2 };

export type Chapter = keyof typeof SHARES;

/** One progress for all chapters. How long one takes says little about the next. */
export function chaptersOf(job: JobOptions, retrains: boolean): Readonly<Record<Chapter, JobOptions>> {
  const shares = { ...SHARES, retrain: retrains ? SHARES.retrain : 0 };
  const chapters = Object.keys(SHARES) as Chapter[];
  const jobs = inPhases(
    job,
    chapters.map((chapter) => ({ share: shares[chapter], unpaced: true })),
  );
  return Object.fromEntries(chapters.map((chapter, at) => [chapter, jobs[at]])) as Record<Chapter, JobOptions>;
}

/** Equal parts of a chapter's progress. */
export const inParts = (job: JobOptions, parts: number): JobOptions[] =>
  inPhases(
    job,
    Array.from({ length: parts }, () => ({ share: 1 })),
  );

/** Starts a chapter of the page. */
export function heading({ style, print }: Shell, title: string, ...lines: readonly string[]): void {
  print('', style.bold(title), ...lines);
}

/** Text of a model in one line of the page. */
export const inOneLine = (text: string, { shown }: Shell): string => shown(text.replace(/\s+/g, ' ').trim());

/** "4, 6 and 7". */
export function listed(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
