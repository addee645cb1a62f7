/** The losses of tokens in the first blocks of a model, for programs that are bundled. */
import { sweepLosses } from '../../src/engine/importance/sweep';
import type { Model } from '../../src/engine/model/model';
import { fullView, stepsOf } from '../../src/engine/model/view';

/** @param rows tokens, all of one length @param kept how many of the first blocks there are */
export async function tokenLosses(
  model: Model,
  rows: readonly (readonly number[])[],
  kept: number,
): Promise<readonly number[]> {
  const { attention, ffn } = fullView(model.architecture.layers.length);
  const first = (parts: readonly boolean[]): boolean[] => parts.map((_, block) => block < kept);
  const view = { attention: first(attention), ffn: first(ffn) };
  const ids = rows.map((row) => Int32Array.from(row));
  const { full } = await sweepLosses(model, ids, stepsOf(view), []);
  return [...full];
}
