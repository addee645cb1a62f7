/** How near the pruned model is to the whole one: plain, healed, and healed with rounded weights. */
import type { Architecture } from '../checkpoint/architecture';
import { compareStates, comparisonWork } from '../model/divergence';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import type { State } from '../model/states';
import type { Work } from '../progress';
import { Overlay } from '../weights/overlay';
import type { KeyedPatch } from '../weights/patches';
import { Rounded } from '../weights/rounded';
import type { WeightSource } from '../weights/source';
import type { HealMethod } from './methods';
import { type Measured, rowLikeness, type RowLikeness, type RowStages } from './row-likeness';
import { type Site, stepsBetween } from './sites';
import type { RowRun, StreamName, Streams } from './streams';

/** What the walk left behind. */
export interface Walked {
  readonly streams: Streams;
  readonly patches: readonly KeyedPatch[];
  /** All rows, in the order of the streams' runs. */
  readonly ordered: TokenRows;
  /** The module at which the stream "start" is. */
  readonly start: number;
  /** Whether the stream "healed" is that of the healed model. */
  readonly isWalked: boolean;
}

interface HealedModel {
  readonly model: Model;
  /** Gives the dense stream. */
  readonly target: Model;
  readonly view: View;
}

/** Whether the rows of a run are measured. */
export const isMeasured = ({ measure }: RowRun): boolean => measure !== undefined;

/** Plain, healed, rounded. */
const STAGES = 3;

/** Models that pass here; a refit and a fold leave the stream of the healed one behind. */
const passes = (method: HealMethod): number => (method === 'scalar' ? 3 : 2);

/** Block applications of measuring. */
export function measureWork(
  architecture: Architecture,
  runs: readonly RowRun[],
  sites: readonly Site[],
  method: HealMethod,
): number {
  const rows = runs.filter(isMeasured).reduce((sum, run) => sum + run.rows, 0);
  return rows * ((passes(method) * sites.length) / 2 + comparisonWork(architecture, STAGES));
}

/** @returns the rows to be measured, fitted and held out; undefined where there are none */
export async function measureStages(
  { model, target, view }: HealedModel,
  walked: Walked,
  work: Work,
): Promise<Measured> {
  const { streams, patches, isWalked } = walked;
  const { weights } = model;
  work.step('the plain model');
  await through(model, weights, view, walked, 'plain', work);
  if (!isWalked) {
    work.step('the healed model');
    await through(model, new Overlay(weights, patches), view, walked, 'healed', work);
  }
  work.step('the healed model with rounded weights');
  await through(model, new Rounded(new Overlay(weights, patches), weights), view, walked, 'target', work);
  const names = ['plain', 'healed', 'target'] as const;
  const measured: { fit?: RowStages; heldOut?: RowStages } = {};
  for (const measure of ['fit', 'heldOut'] as const) {
    const runs = [...streams.runs.keys()].filter((p) => streams.runs[p].measure === measure);
    if (runs.length === 0) continue;
    work.step(`KL divergence from the original, ${measure === 'fit' ? 'fitted' : 'other'} rows`);
    const found = names.map((): RowLikeness[] => []);
    for (const some of streams.grouped(runs, 1 + names.length)) {
      const rows = some.flatMap((p) => {
        const { first, rows: count } = streams.runs[p];
        return walked.ordered.slice(first, first + count);
      });
      const teacher = { model: target, state: await streams.state('dense', some) };
      const states: State[] = [];
      for (const name of names) states.push(await streams.state(name, some));
      const compared = await compareStates(model, teacher, states, rows, work);
      compared.forEach((comparison, i) => found[i].push(...rowLikeness(comparison, rows[0].length - 1)));
    }
    measured[measure] = found;
  }
  return measured;
}

/** Takes the measured rows from "start" to the end of the view, with the weights of a source. */
async function through(
  whole: Model,
  weights: WeightSource,
  view: View,
  { streams, start, ordered }: Walked,
  to: StreamName,
  work: Work,
): Promise<void> {
  const model = await whole.withWeights(weights);
  try {
    const forward = new Forward(model, ordered[0].length, streams.tokensPerChunk);
    const kept = stepsBetween(start, 2 * view.attention.length).flatMap((step) => {
      const own = { ...step, attention: step.attention && view.attention[step.block] };
      return own.attention || (own.ffn && view.ffn[step.block])
        ? [{ ...own, ffn: own.ffn && view.ffn[step.block] }]
        : [];
    });
    if (kept.length === 0) await streams.copy('start', to, isMeasured);
    let from: StreamName = 'start';
    for (const step of kept) {
      const open = await forward.open(step, true);
      try {
        for (const [p, run] of streams.runs.entries()) {
          if (!isMeasured(run)) continue;
          await streams.write(to, p, await open.run(await streams.read(from, p)));
          work.advance(run.rows * (step.attention && step.ffn ? 1 : 1 / 2));
        }
      } finally {
        await open.close();
      }
      from = to;
    }
  } finally {
    await model.close();
  }
}
