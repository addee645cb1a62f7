/** Memory of sessions that a score keeps open from one pass over the model to the next. */
import { parametersOf } from '../engine/checkpoint/parameters';
import { memoryShare } from '../engine/memory';
import { heldSessionBytes } from '../engine/model/held-sessions';
import type { Precision } from '../engine/precision';
import { bytesOfWeights } from '../engine/weights/bytes';
import { howScored, scoredCount, type Scoring } from './choosing';
import type { EstimatedJob } from './job';

/** These go through all blocks once more for each block that they remove. */
const IN_ROUNDS: readonly Scoring['criterion'][] = ['greedy', 'search'];

/** Models whose blocks stay open: none where the model is passed once. */
function passedOften(job: EstimatedJob, { criterion, screen, raced }: Scoring): readonly Precision[] {
  const isScreened = screen.exact !== undefined || job.options.precision === 'int8';
  if (IN_ROUNDS.includes(criterion)) return isScreened ? ['float32', 'int8'] : ['float32'];
  if (raced === 1) return [];
  return isScreened ? ['int8'] : ['float32'];
}

/** Blocks that one score has to name: a round of an iterative pruning asks for one. */
function wanted(job: EstimatedJob): number {
  if (job.kind === 'iterate') return 1;
  return job.kind === 'prune' ? Math.max(1, job.removed.length) : scoredCount(job);
}

/**
 * Bytes at the peak besides those of a sweep that opens one block at a time. Weights are there twice, as read and as kernels want them;
 * those of the head belong to two graphs.
 * @param free bytes of memory; open sessions may take a share of them
 */
export function heldBytes(job: EstimatedJob, free: number): number {
  const scoring = howScored(job, wanted(job));
  const { architecture } = scoring;
  const head = architecture.vocabulary * architecture.hidden;
  return passedOften(job, scoring)
    .filter((precision) => heldSessionBytes(architecture, precision) <= memoryShare('sweepSessions') * free)
    .map((precision) => 2 * bytesOfWeights(architecture, precision) * (1 + head / parametersOf(architecture)))
    .reduce((sum, bytes) => sum + bytes, 0);
}
