/** How long a comparison of depth and width takes on this machine, before it starts. */
import { availableParallelism } from 'node:os';
import { withoutLayers } from '../engine/checkpoint/architecture';
import type { Protocol } from '../engine/evaluate/grid/protocol';
import { DEPTH_METHODS, type VersusMethod } from '../engine/evaluate/versus-methods';
import { evaluationFlops, GRADIENT_SPEED, type RowShape, scoringFlops } from '../engine/importance/estimate';
import { fullView } from '../engine/model/view';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from './coppice';
import { flopsEstimate } from './estimates';
import { gridEstimate } from './grid-estimate';

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

/** Passes over the calibration rows that a rival takes: once, and for each size. */
const RIVALS = {
  'llm-pruner': { once: 3 / GRADIENT_SPEED, each: 0 },
  flap: { once: 1, each: 0.3 },
  'wanda-sp': { once: 0, each: 2 },
} as const;

/** "about 12:00" */
export function versusEstimate(coppice: Coppice, { architecture }: Chosen, asked: VersusQuestion): string {
  const { methods, counts, plan, measured, speed } = asked;
  const { samples: rows, length: wanted } = coppice.config.calibration;
  const length = Math.min(wanted, architecture.context);
  const once = evaluationFlops(architecture, { rows, length });
  const depth = DEPTH_METHODS.filter((method) => methods.includes(method));
  const scoring = depth.map((method) => {
    const flops = scoringFlops(architecture, method, { rows, length });
    return method === 'taylor' ? flops / GRADIENT_SPEED : flops;
  });
  const narrowing = methods.map((method) => {
    if (method === 'ppl' || method === 'taylor') return 0;
    return once * (RIVALS[method].once + counts.length * RIVALS[method].each);
  });
  const blocks = Array.from(architecture.layers.keys());
  const sizes = counts.map((count) => blocks.slice(0, Math.min(count, blocks.length - 1)));
  const perSize = methods.length;
  const evaluating =
    evaluationFlops(architecture, measured) +
    sizes.reduce((sum, removed) => sum + perSize * evaluationFlops(architecture, measured, removed), 0);
  const models = [[], ...sizes.flatMap((removed) => methods.map(() => removed)), ...(plan ? [sizes[0]] : [])];
  const subjects = models.map((removed) => {
    const own = withoutLayers(architecture, removed);
    return { architecture: own, view: fullView(own.layers.length) };
  });
  const threads = coppice.config.compute.threads ?? availableParallelism();
  const more = speed ? gridEstimate(coppice.context.globalState, subjects, speed, threads).seconds : 0;
  const flops = [...scoring, ...narrowing, evaluating].reduce((sum, each) => sum + each, 0);
  return flopsEstimate(coppice, flops, architecture, length, more);
}
