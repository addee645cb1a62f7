/** How much a comparison of depth and width computes: operations that all count as plain products. Pure. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { DEPTH_METHODS, type VersusMethod } from '../engine/evaluate/versus-methods';
import { evaluationFlops, GRADIENT_SPEED, type RowShape, scoringFlops } from '../engine/importance/estimate';
import type { WidthMethod } from '../engine/importance/width/methods';

/** Passes over the calibration rows that a rival takes: once, and for each size. */
export const RIVAL_PASSES: Readonly<Record<WidthMethod, { readonly once: number; readonly each: number }>> = {
  'llm-pruner': { once: 3 / GRADIENT_SPEED, each: 0 },
  flap: { once: 1, each: 0.3 },
  'wanda-sp': { once: 0, each: 2 },
};

export interface VersusAmount {
  readonly methods: readonly VersusMethod[];
  /** Numbers of removed blocks. */
  readonly counts: readonly number[];
  /** Rows that models are chosen on, and rows that perplexity is measured on. */
  readonly scored: RowShape;
  readonly measured: RowShape;
}

/** Operations of choosing all models and of measuring them and the whole one. */
export function versusFlops(architecture: Architecture, { methods, counts, scored, measured }: VersusAmount): number {
  const once = evaluationFlops(architecture, scored);
  const depth = DEPTH_METHODS.filter((method) => methods.includes(method));
  const scoring = depth.map((method) => {
    const flops = scoringFlops(architecture, method, scored);
    return method === 'taylor' ? flops / GRADIENT_SPEED : flops;
  });
  const narrowing = methods.map((method) => {
    if (method === 'ppl' || method === 'taylor') return 0;
    return once * (RIVAL_PASSES[method].once + counts.length * RIVAL_PASSES[method].each);
  });
  const evaluating =
    evaluationFlops(architecture, measured) +
    sizesOf(architecture, counts).reduce(
      (sum, removed) => sum + methods.length * evaluationFlops(architecture, measured, removed),
      0,
    );
  return [...scoring, ...narrowing, evaluating].reduce((sum, each) => sum + each, 0);
}

/** Blocks in place of those of each size, whichever they are. */
export function sizesOf({ layers }: Pick<Architecture, 'layers'>, counts: readonly number[]): number[][] {
  const blocks = Array.from(layers.keys());
  return counts.map((count) => blocks.slice(0, Math.min(count, blocks.length - 1)));
}
