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
import { LikenessSums } from './likeness-sums';
import type { HealStages } from './result';
import { type Site, stepsBetween } from './sites';
import type { Part, StreamName, Streams } from './streams';

/** What the walk left behind. */
export interface Walked {
  readonly streams: Streams;
  readonly patches: readonly KeyedPatch[];
  /** All rows, in the order of the streams' parts. */
  readonly ordered: TokenRows;
  /** The module at which the stream "start" is. */
  readonly start: number;
  /** Whether the stream "healed" is that of the healed model. */
  readonly isWalked: boolean;
}

interface Measured {
  readonly model: Model;
  /** Gives the dense stream. */
  readonly target: Model;
  readonly view: View;
}

/** Whether the rows of a part are measured. */
export const isMeasured = ({ measure }: Part): boolean => measure !== undefined;

/** Plain, healed, rounded. */
const STAGES = 3;

/** Models that pass here; a refit and a fold leave the stream of the healed one behind. */
const passes = (method: HealMethod): number => (method === 'scalar' ? 3 : 2);

/** Block applications of measuring. */
export function measureWork(
  architecture: Architecture,
  parts: readonly Part[],
  sites: readonly Site[],
  method: HealMethod,
): number {
  const rows = parts.filter(isMeasured).reduce((sum, part) => sum + part.rows, 0);
  return rows * ((passes(method) * sites.length) / 2 + comparisonWork(architecture, STAGES));
}

/** @returns the stages on the rows to be measured, fitted and held out; undefined where there are none */
export async function measureStages(
  { model, target, view }: Measured,
  walked: Walked,
  work: Work,
): Promise<{ readonly fit?: HealStages; readonly heldOut?: HealStages }> {
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
  const stages: { fit?: HealStages; heldOut?: HealStages } = {};
  for (const measure of ['fit', 'heldOut'] as const) {
    const parts = [...streams.parts.keys()].filter((p) => streams.parts[p].measure === measure);
    if (parts.length === 0) continue;
    work.step(`divergence from the whole model, ${measure === 'fit' ? 'fitted' : 'other'} rows`);
    const found = names.map(() => new LikenessSums());
    for (const some of streams.grouped(parts, 1 + names.length)) {
      const rows = some.flatMap((p) => {
        const { first, rows: count } = streams.parts[p];
        return walked.ordered.slice(first, first + count);
      });
      const teacher = { model: target, state: await streams.state('dense', some) };
      const states: State[] = [];
      for (const name of names) states.push(await streams.state(name, some));
      const compared = await compareStates(model, teacher, states, rows, work);
      compared.forEach((comparison, i) => found[i].add(comparison));
    }
    const rows = parts.reduce((sum, p) => sum + streams.parts[p].rows, 0);
    const [before, after, rounded] = found.map((sums) => sums.likeness());
    stages[measure] = { rows, before, after, rounded };
  }
  return stages;
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
        for (const [p, part] of streams.parts.entries()) {
          if (!isMeasured(part)) continue;
          await streams.write(to, p, await open.run(await streams.read(from, p)));
          work.advance(part.rows * (step.attention && step.ffn ? 1 : 1 / 2));
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
