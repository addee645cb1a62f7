/**
 * The checkpoint that a benchmark measures: what the command line names, else SmolLM2-135M of the reference material
 * beside the repository.
 */
import { hasShared, shared, smollm2Folder } from '../../test/support/shared';

/** @throws Error when nothing is named and the reference material is not there */
export function checkpointOr(named: string | undefined): string {
  if (named !== undefined) return named;
  if (hasShared) return smollm2Folder();
  throw new Error('name a checkpoint: npm run bench -- NAME CHECKPOINT');
}

/** A `{"rows": …}` file of equally long rows of SmolLM2's tokens, unless one is named. @throws Error as `checkpointOr` */
export function rowsFileOr(named: string | undefined): string {
  if (named !== undefined) return named;
  if (hasShared) return shared('golden/smollm2-135m/calibration.json');
  throw new Error('name a file {"rows": [[id, …], …]}: npm run bench -- NAME CHECKPOINT ROWS.json');
}
