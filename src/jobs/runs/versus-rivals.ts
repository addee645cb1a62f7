/** The rivals: each gathers its statistics once, and narrows the model to every size. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { JobOptions } from '../../engine/progress';
import type { RunInput } from '../../engine/records/record';
import type { JobContext } from '../run';
import type { Candidate, Size, VersusOptions } from './versus-models';

interface Rivals {
  readonly checkpoint: Checkpoint;
  readonly options: VersusOptions;
  readonly sizes: readonly Size[];
  /** For files of widths. */
  readonly folder: string;
}

export async function rivalCandidates(
  _: Rivals,
  __: JobContext,
  ___: JobOptions,
): Promise<{ readonly candidates: readonly Candidate[]; readonly inputs: readonly RunInput[] }> {
  return { candidates: [], inputs: [] };
}
