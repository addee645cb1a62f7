/** How near models are to a whole one on some rows: perplexity and KL divergence. */
import { summariseComparison } from '../../src/engine/importance/losses';
import { compareStates, comparisonWork } from '../../src/engine/model/divergence';
import { Forward, type TokenRows } from '../../src/engine/model/forward';
import type { Model } from '../../src/engine/model/model';
import { releaseState, type State } from '../../src/engine/model/states';
import { fullView, stepsOf, type View } from '../../src/engine/model/view';
import { Work } from '../../src/engine/progress';

export interface Near {
  readonly ppl: number;
  /** Mean KL(whole ‖ model) in nats. */
  readonly kl: number;
}

/** Measures models against one whole model, whose states are computed once. */
export type Measure = (model: Model, view: View) => Promise<Near>;

/** Hands `use` a measure over `rows`, all of one length. */
export async function measuring<T>(whole: Model, rows: TokenRows, use: (measure: Measure) => Promise<T>): Promise<T> {
  const teacher = { model: whole, state: await lastState(whole, fullView(whole.architecture.layers.length), rows) };
  try {
    return await use(async (model, view) => {
      const state = await lastState(model, view, rows);
      const work = new Work({}, rows.length * comparisonWork(model.architecture, 1), 'row-blocks', 'comparing');
      const [compared] = await compareStates(model, teacher, [state], rows, work);
      releaseState(state);
      const { ppl, kl } = summariseComparison(compared, rows[0].length - 1);
      return { ppl, kl };
    });
  } finally {
    releaseState(teacher.state);
  }
}

async function lastState(model: Model, view: View, rows: TokenRows): Promise<State> {
  const forward = new Forward(model, rows[0].length);
  let state = await forward.embed(rows);
  for (const step of stepsOf(view)) {
    const open = await forward.open(step, true);
    for (const [c, chunk] of state.entries()) {
      const next = await open.run(chunk);
      chunk.release();
      state = state.with(c, next);
    }
    await open.close();
  }
  return state;
}
