/** The loss of a file in the real llama.cpp beside the one here. Apart from llamacpp.ts, which host tests bundle: this needs the engine. */
import assert from 'node:assert/strict';
import { sweepLosses } from '../../src/engine/importance/sweep';
import type { TokenRows } from '../../src/engine/model/forward';
import type { Model } from '../../src/engine/model/model';
import { stepsOf, type View } from '../../src/engine/model/view';
import { lossOfLlamaCpp } from './llamacpp';

/** llama.cpp rounds activations, so the same weights have nearly the same loss: within 1 %. */
export async function checkLossOfLlamaCpp(file: string, model: Model, rows: TokenRows, view: View): Promise<void> {
  const { full: losses } = await sweepLosses(model, rows, stepsOf(view), []);
  const own = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const theirs = lossOfLlamaCpp(
    file,
    rows.map((row) => Array.from(row)),
  );
  assert.ok(Math.abs(theirs / own - 1) < 0.01, `llama.cpp ${theirs}, Coppice ${own}`);
}
