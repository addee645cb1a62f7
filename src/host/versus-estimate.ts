/** How long a comparison of depth and width takes on this machine, before it starts. */
import { availableParallelism } from 'node:os';
import { withoutLayers } from '../engine/checkpoint/architecture';
import type { Protocol } from '../engine/evaluate/grid/protocol';
import type { VersusMethod } from '../engine/evaluate/versus-methods';
import type { RowShape } from '../engine/importance/estimate';
import { fullView } from '../engine/model/view';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from './coppice';
import { flopsEstimate } from './estimates';
import { gridEstimate } from '../jobs/grid-estimate';
import { sizesOf, versusFlops } from '../jobs/versus-work';

export interface VersusQuestion {
  readonly methods: readonly VersusMethod[];
  readonly counts: readonly number[];
  /** A plan is one more model. */
  readonly plan: boolean;
  /** Rows that perplexity is measured on. */
  readonly measured: RowShape;
  /** Undefined if speed is not measured. */
  readonly speed?: Protocol;
}

/** "about 12:00" */
export function versusEstimate(coppice: Coppice, { architecture }: Chosen, asked: VersusQuestion): string {
  const { methods, counts, plan, measured, speed } = asked;
  const { samples: rows, length: wanted } = coppice.config.calibration;
  const length = Math.min(wanted, architecture.context);
  const sizes = sizesOf(architecture, counts);
  const models = [[], ...sizes.flatMap((removed) => methods.map(() => removed)), ...(plan ? [sizes[0]] : [])];
  const subjects = models.map((removed) => {
    const own = withoutLayers(architecture, removed);
    return { architecture: own, view: fullView(own.layers.length) };
  });
  const threads = coppice.config.compute.threads ?? availableParallelism();
  const more = speed ? gridEstimate(coppice.context.globalState, subjects, speed, threads).seconds : 0;
  const flops = versusFlops(architecture, { methods, counts, scored: { rows, length }, measured });
  return flopsEstimate(coppice, flops, architecture, length, more);
}
