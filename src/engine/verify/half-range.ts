/**
 * How large the numbers get that an exported model multiplies in float16. Its logits do not say it: onnxruntime's CPU provider
 * multiplies half precision in float32, where nothing ends at 65504, but a GPU does not.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, throwIfCancelled } from '../errors';
import type { ModelOptions } from '../model/model';
import type { OpenedModel } from '../model/opened';
import { floats, int64, openSession } from '../onnx/session';
import type { JobOptions } from '../progress';
import { checkpointWeights } from '../weights/checkpoint';
import { withChanges } from '../weights/overlay';
import { ONNX_FOLDER } from '../write/onnx/kinds';
import { planOnnx, type PlannedOnnx } from '../write/onnx/plan';
import { firstCaches } from './onnx-reader';
import { keptBlocksOf } from './verify';

/**
 * The largest number that goes into a matrix of fp16 or comes out of one; undefined if the folder's files are not laid out as
 * Coppice does it now.
 * @throws UserError when a file cannot be read; CancelledError
 */
export async function largestInHalf(
  { checkpoint, changes, view }: OpenedModel,
  folder: string,
  rows: readonly (readonly number[])[],
  { threads }: ModelOptions,
  { signal }: JobOptions,
): Promise<number | undefined> {
  const weights = withChanges(checkpointWeights(checkpoint), changes);
  const kept = keptBlocksOf(view);
  let planned: PlannedOnnx;
  try {
    // Targets differ in nothing that is looked at here.
    planned = await planOnnx(weights, { kept, kind: 'fp16', target: 'cpu', withLargest: true, signal });
  } finally {
    await weights.close();
  }
  const models = join(folder, ONNX_FOLDER);
  for (const { name, bytes } of planned.data) if ((await sizeOf(join(models, name))) !== bytes) return undefined;
  const session = await openSession({ bytes: planned.model, folder: models }, { provider: 'cpu', threads });
  try {
    let most = 0;
    for (const row of rows) {
      throwIfCancelled(signal);
      const results = await session.run({
        input_ids: int64(row, [1, row.length]),
        attention_mask: int64(Array<number>(row.length).fill(1), [1, row.length]),
        ...firstCaches(session),
      });
      most = Math.max(most, floats(results.largest)[0]);
    }
    return most;
  } finally {
    await session.close();
  }
}

/** Undefined for a file that is not there. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
