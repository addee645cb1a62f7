/** The models of a comparison: what each method makes of a model at each size. Nothing is measured here but time. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { withoutLayers } from '../../engine/checkpoint/architecture';
import { layerSizes } from '../../engine/checkpoint/kinds/parts';
import { meanLayerParameters, modelSize, parametersOf } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { DeviceError, UserError } from '../../engine/errors';
import { ascending } from '../../engine/evaluate/grid/protocol';
import { meanSd } from '../../engine/evaluate/grid/statistics';
import { DEPTH_METHODS, type DepthMethod, METHOD_TITLES, usualCounts } from '../../engine/evaluate/versus-methods';
import { blocksToRemove } from '../../engine/importance/count';
import { type Ranking, selectByScores } from '../../engine/importance/ranking';
import { runCriterion } from '../../engine/importance/run-criterion';
import { keepList, requireRoom } from '../../engine/importance/select';
import { option } from '../../engine/option-token';
import { type JobOptions, labelled } from '../../engine/progress';
import type { VersusModel } from '../results/versus';
import type { OptionsFor } from '../kinds';
import type { LabelledModel } from '../option';
import { type JobContext, modelOptions, secondsSince } from '../run';
import { words } from './columns';

export type VersusOptions = OptionsFor<'versus'>;

/** A model with the way to open it; one that could not be made has none. */
export interface Candidate {
  readonly model: VersusModel;
  readonly column?: LabelledModel;
}

/** A size that models of all methods have. */
export interface Size {
  readonly count: number;
  readonly parameters: number;
}

/** An order of blocks, and the seconds that it took. */
export interface Ranked {
  readonly method: DepthMethod;
  readonly ranking: Ranking;
  readonly seconds: number;
}

/** Blocks that are kept, and numbers of blocks to remove. @throws UserError for shares that the model cannot lose */
export function askedCounts(
  { counts, ratios, plan, keep, keepEnds }: VersusOptions,
  architecture: Architecture,
): { readonly kept: ReadonlySet<number>; readonly counts: readonly number[] } {
  const blocks = architecture.layers.length;
  const kept = keepList(architecture.layers, { keepEnds, keep });
  if (ratios) return { kept, counts: countsOf(ratios, architecture, kept) };
  const usual = plan ? [] : usualCounts(blocks, Math.min(blocks - 1, Math.max(1, blocks - kept.size)));
  return { kept, counts: ascending([...(counts ?? usual), ...(plan ? [plan.length] : [])]) };
}

/** One number for each share, so that a reader knows which is which. @throws UserError for two that are the same number */
function countsOf(ratios: readonly number[], architecture: Architecture, kept: ReadonlySet<number>): number[] {
  const size = modelSize(architecture);
  const counts = ascending(ratios.map((ratio) => blocksToRemove({ kind: 'ratio', ratio }, size)));
  counts.forEach((count) => requireRoom(architecture.layers.length, count, kept));
  if (counts.length === ratios.length) return counts;
  throw new UserError(
    'Two of the shares are the same size',
    `of ${architecture.layers.length} blocks they remove ${counts.join(', ')}`,
    `Give shares that are further apart, or ${option('counts')}.`,
  );
}

/** Scores the blocks by each depth method that is asked for. */
export async function rankings(
  checkpoint: Checkpoint,
  options: VersusOptions,
  context: JobContext,
  jobs: Readonly<Record<DepthMethod, JobOptions>>,
): Promise<Ranked[]> {
  const { methods, calibration, samples, length, seed, share, bos } = options;
  const ranked: Ranked[] = [];
  for (const method of DEPTH_METHODS) {
    if (methods && !methods.includes(method)) continue;
    const start = performance.now();
    const settings = { calibration, samples, length, seed, share, bos, norm: 'l1', reduction: 'sum' } as const;
    const compute = { ...modelOptions(options, context), precision: 'float32' } as const;
    const job = labelled(jobs[method], METHOD_TITLES[method]);
    const scored = await runCriterion(checkpoint, method, { ...settings, ...compute }, job);
    scored.warnings.forEach(context.warn);
    ranked.push({ method, ranking: scored.ranking, seconds: secondsSince(start) });
  }
  return ranked;
}

/** The size of the model without so many blocks: those of the first order, or mean ones. */
export function sizesOf(
  architecture: Architecture,
  counts: readonly number[],
  kept: ReadonlySet<number>,
  [first]: readonly Ranked[],
): Size[] {
  const { length } = architecture.layers;
  return counts.map((count) => {
    const removed = first && orUndefined(() => selectByScores(first.ranking, length, count, kept));
    const mean = parametersOf(architecture) - count * meanLayerParameters(architecture);
    return { count, parameters: removed ? parametersOf(withoutLayers(architecture, removed)) : Math.round(mean) };
  });
}

/** The model without the blocks of an order, or the reason why they cannot be removed. */
export function depthCandidate(
  architecture: Architecture,
  path: string,
  { method, ranking, seconds }: Ranked,
  count: number,
  kept: ReadonlySet<number>,
): Candidate {
  const base = { method, kind: 'depth', count, label: labelOf(method, count), removed: [] } as const;
  return orFailure(base, () => {
    const removed = selectByScores(ranking, architecture.layers.length, count, kept);
    return withoutBlocks(architecture, path, { ...base, removed, pruningSeconds: seconds });
  });
}

/** The model without blocks that a person chose. */
export const planCandidate = (architecture: Architecture, path: string, plan: readonly number[]): Candidate =>
  withoutBlocks(architecture, path, {
    method: 'plan',
    kind: 'depth',
    count: plan.length,
    label: labelOf('plan', plan.length),
    removed: plan,
  });

function withoutBlocks(
  architecture: Architecture,
  path: string,
  model: VersusModel & { readonly removed: readonly number[] },
): Candidate {
  const { label, removed } = model;
  return {
    model: { ...model, ...shapeOf(withoutLayers(architecture, removed)) },
    column: { label, checkpoint: path, remove: removed },
  };
}

/** The model itself. */
export const wholeCandidate = (architecture: Architecture, path: string): Candidate => ({
  model: { method: 'whole', kind: 'whole', label: 'Original', count: 0, removed: [], ...shapeOf(architecture) },
  column: { label: 'Original', checkpoint: path },
});

export const labelOf = (method: keyof typeof METHOD_TITLES, count: number): string =>
  `${METHOD_TITLES[method]}, ${count}`;

/** What Table 1 of the paper says of a model. */
export function shapeOf(
  architecture: Architecture,
): Required<Pick<VersusModel, 'parameters' | 'blocks' | 'heads' | 'ffn'>> {
  const { layers } = architecture;
  return {
    parameters: parametersOf(architecture),
    blocks: layers.length,
    heads: meanSd(layers.map((layer) => layerSizes(layer).heads)),
    ffn: meanSd(layers.map((layer) => layerSizes(layer).ffn)),
  };
}

/** @throws errors that are not about this model alone */
function orFailure(base: VersusModel, make: () => Candidate): Candidate {
  try {
    return make();
  } catch (error) {
    return failedCandidate(base, error);
  }
}

/** @throws the error if it is not about this model alone */
export function failedCandidate(base: VersusModel, error: unknown): Candidate {
  if (!(error instanceof UserError) || error instanceof DeviceError) throw error;
  return { model: { ...base, failure: words(error) } };
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
