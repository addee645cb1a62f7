/** Shared data of the demo's chapters: the model, the material, the folder, and the output. */
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
  /** Tokens per row: the material's length, limited by the model's context. */
  readonly length: number;
  /** The folder for all output. */
  readonly folder: string;
  /** Blocks to remove. */
  readonly count: number;
  /** Compute options of all jobs of the demo. */
  readonly compute: Pick<DemoOptions, 'device' | 'threads' | 'memory'>;
  readonly shell: Shell;
  /** Runs a job as a part of the demo. */
  readonly run: RunPart;
  /** The same for measuring one model. Its notes say how to compare it with others, which the demo does itself. */
  readonly measure: RunPart;
  /** The progress of each chapter. */
  readonly progress: Readonly<Record<Chapter, JobOptions>>;
}

/** Duration of each chapter with the sample model, in seconds. */
const SHARES = { score: 5, prune: 1, heal: 4, retrain: 36, compare: 5, curve: 2 };

export type Chapter = keyof typeof SHARES;

/** One progress for all chapters. The duration of one does not predict the next. */
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

/** A model's text on one line. */
export const inOneLine = (text: string, { shown }: Shell): string => shown(text.replace(/\s+/g, ' ').trim());

/** "4, 6 and 7". */
export function listed(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
