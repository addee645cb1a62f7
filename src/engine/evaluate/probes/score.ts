/** What models score in probes, from their answers, and what a further model has lost. */
import { taskResult } from '../tasks/accuracy';
import { taskDifference } from '../tasks/differences';
import type { ProbeOfTask } from '../tasks/item';
import type { ItemResult, PairedDifference, TaskDifference } from '../tasks/results';
import { isAble } from './able';
import type { ProbeName } from '../../../format/probes';

/** Of one model. */
export interface ProbeScore {
  readonly items: number;
  /** Mean of what its questions count. */
  readonly score: number;
  /** Null for a single question. */
  readonly stderr: number | null;
  /** Score of a model that guesses. */
  readonly chance: number;
  /** Above that by more than 1.96 standard errors. */
  readonly able: boolean;
  readonly sha256: string;
  readonly results: readonly ItemResult[];
}

/** Of a further model to the first one. */
export interface ProbeDifference
  extends PairedDifference, Pick<TaskDifference, 'lost' | 'gained' | 'pValue' | 'differing'> {
  /** The first one can do it. */
  readonly able: boolean;
  /** What is lost of the score, at least 0; null where the first one cannot do it. */
  readonly loss: number | null;
}

export type ByProbe<T> = Readonly<Partial<Record<ProbeName, T>>>;

export function probeScore({ chance, sha256 }: ProbeOfTask, name: string, results: readonly ItemResult[]): ProbeScore {
  const { items, acc: score, accStderr: stderr } = taskResult({ name, reported: 'acc', normalised: false }, results);
  return { items, score, stderr, chance, able: isAble({ score, stderr, chance }), sha256, results };
}

/** @throws UserError when the two did not answer the same questions */
export function probeDifference(name: string, first: ProbeScore, other: ProbeScore): ProbeDifference {
  const asTask = ({ results }: ProbeScore) => taskResult({ name, reported: 'acc', normalised: false }, results);
  const { difference, interval, lost, gained, pValue, differing } = taskDifference(asTask(first), asTask(other));
  const loss = first.able ? Math.max(0, -difference) : null;
  return { difference, interval, lost, gained, pValue, differing, able: first.able, loss };
}

/** The most that is lost in a probe that the first model can do; null where it can do none. */
export function worstLoss(differences: ByProbe<ProbeDifference>): number | null {
  const losses = Object.values(differences).flatMap(({ loss }) => loss ?? []);
  return losses.length === 0 ? null : Math.max(...losses);
}
