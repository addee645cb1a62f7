/** An open model against the float64 forward over the same checkpoint. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { generate } from '../../src/engine/evaluate/generate';
import { streamResidual } from '../../src/engine/importance/residual';
import { sweepLosses } from '../../src/engine/importance/sweep';
import type { Model } from '../../src/engine/model/model';
import { fullView, stepsOf, viewWithout, type RemovedPart, type Step } from '../../src/engine/model/view';
import { referenceForward, type ReferenceForward, type ReferenceModel } from '../reference/forward';
import { referenceGreedy, referenceTokenNlls } from '../reference/measures';
import { assertAllClose, type Tolerance } from './close';
import { decodedLogits } from './model';

/** float32 against float64 over toys, whose logits are of the order of 1. */
const CLOSE = { absolute: 5e-5 };

/** Logits at every position, from a text that grows token by token, and the residual stream as a whole. */
export async function checkForward(
  model: Model,
  reference: ReferenceModel,
  rows: readonly (readonly number[])[],
  close: Tolerance = CLOSE,
): Promise<void> {
  const steps = stepsOf(fullView(model.architecture.layers.length));
  const expected = rows.map((ids) => referenceForward(reference, ids));
  const [ids] = rows;
  const logits = await decodedLogits(
    model,
    ids.map((id) => [id]),
  );
  for (const [t, row] of logits.entries()) {
    // A rotation may depend on the length of the text, which has t + 1 tokens here.
    const soFar = grows(reference, ids.length) ? referenceForward(reference, ids.slice(0, t + 1)) : expected[0];
    assertAllClose(row, soFar.logits[t], close, `logits at ${t}`);
  }
  await streamResidual(model, rows, steps, (k, firstRow, before, after) => {
    const states = (f: (r: ReferenceForward) => readonly Float64Array[]): number[] =>
      expected.slice(firstRow, firstRow + after.rows).flatMap((r) => f(r).flatMap((v) => [...v]));
    if (k === 0)
      assertAllClose(
        before.data,
        states((r) => r.residuals[0]),
        close,
        'embedding',
      );
    assertAllClose(
      after.data,
      states((r) => r.residuals[k + 1]),
      close,
      `after block ${k}`,
    );
  });
}

/** Whether angles of a model change on the way to a text of `length` tokens. */
const grows = ({ config }: ReferenceModel, length: number): boolean =>
  config.layers.some(({ rotation }) => !isDeepStrictEqual(rotation?.(1), rotation?.(length)));

/** Losses of every token, with nothing left out, and with each of `steps` left out. */
export async function checkSweep(
  model: Model,
  reference: ReferenceModel,
  rows: readonly (readonly number[])[],
  steps: readonly Step[],
  close: Tolerance = CLOSE,
): Promise<void> {
  const { full, without } = await sweepLosses(model, rows, steps, [...steps.keys()]);
  const losses = (removed: readonly RemovedPart[]): number[] => {
    const view = viewWithout(model.architecture.layers.length, removed);
    return rows.flatMap((ids) => referenceTokenNlls(reference, ids, view));
  };
  assertAllClose(full, losses([]), close, 'losses');
  for (const [k, { block, attention, ffn }] of steps.entries()) {
    const removed = attention && ffn ? [{ block }] : [{ block, part: attention ? 'attention' : 'ffn' } as const];
    assertAllClose(without[k], losses(removed), close, `losses without ${JSON.stringify(removed[0])}`);
  }
}

/** Greedy text of a view, up to the first near tie. */
export async function checkGreedyText(
  model: Model,
  reference: ReferenceModel,
  prompt: readonly number[],
  newTokens: number,
  removed: readonly RemovedPart[],
): Promise<void> {
  const view = viewWithout(model.architecture.layers.length, removed);
  const { ids, margins } = referenceGreedy(reference, prompt, newTokens, view);
  const tie = margins.findIndex((margin) => margin < 1e-3);
  const expected = ids.slice(0, tie === -1 ? ids.length : tie);
  assert.ok(expected.length >= newTokens / 2, 'the seed makes a near tie early: nothing would be compared');
  const settings = { maxNewTokens: expected.length, greedy: true, ignoreEos: true, view };
  assert.deepEqual((await generate(model, prompt, settings)).ids, expected);
}
