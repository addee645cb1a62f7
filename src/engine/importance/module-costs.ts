/** What leaving out an attention or FFN module saves: bytes of the files, or seconds of a pass over the rows. */
import { moduleParameters } from '../checkpoint/parameters';
import { moduleBytes } from '../checkpoint/reduction';
import type { Architecture, LayerShape } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { throwIfCancelled } from '../errors';
import { median } from '../median';
import { Forward, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { releaseState } from '../model/states';
import { fullView, type Step, stepsOf } from '../model/view';
import type { JobOptions } from '../progress';
import type { ModuleCost } from './module-cost';

/** What a step saves; attention and FFN together are the sum of both. */
export type Saves = (step: Step) => number;

/** Passes that are timed; the fastest counts. */
const PASSES = 5;
/** Rows that are timed: one run of most models. */
const ROWS = 4;

/**
 * Seconds are measured over a few of the rows, in the model's arithmetic. Modules of one shape are taken to be equally fast, because
 * noise would choose between them otherwise.
 * @param rows tokens, all of one length
 * @throws CancelledError
 */
export async function savesOf(
  cost: ModuleCost,
  model: Model,
  rows: TokenRows,
  { signal }: JobOptions = {},
): Promise<Saves> {
  return cost === 'bytes' ? bytesOf(model.checkpoint) : ofHalves(await moduleSeconds(model, rows, signal));
}

/** Bytes of the files. */
export const bytesOf = (checkpoint: Checkpoint): Saves => ofHalves(moduleBytes(checkpoint));

const ofHalves =
  (halves: readonly Halves[]): Saves =>
  ({ block, attention, ffn }) =>
    (attention ? halves[block].attention : 0) + (ffn ? halves[block].ffn : 0);

/** How much may go. */
export interface Amount {
  /** As much as so many mean blocks save. */
  readonly count: number;
  /** In place of that, so many parameters. */
  readonly parameters?: number;
}

/** The size that parts must fit into together, and what each takes of it. */
export interface Room {
  readonly takes: Saves;
  readonly size: number;
}

/** @param saves what a part saves, of which an amount in blocks is reckoned */
export const roomFor = (architecture: Architecture, saves: Saves, { count, parameters }: Amount): Room =>
  parameters === undefined
    ? { takes: saves, size: count * meanBlock(architecture, saves) }
    : roomOf(architecture, parameters);

/** Room of so many parameters. */
export const roomOf = (architecture: Architecture, parameters: number): Room => ({
  takes: ofHalves(architecture.layers.map((_, block) => moduleParameters(architecture, block))),
  size: parameters,
});

/** What a mean block of the whole model saves. */
export function meanBlock({ layers }: Pick<Architecture, 'layers'>, saves: Saves): number {
  const all = stepsOf(fullView(layers.length));
  return all.reduce((sum, step) => sum + saves(step), 0) / layers.length;
}

interface Halves {
  readonly attention: number;
  readonly ffn: number;
}

async function moduleSeconds(model: Model, rows: TokenRows, signal?: AbortSignal): Promise<Halves[]> {
  const { layers } = model.architecture;
  const forward = new Forward(model, rows[0].length);
  const before = await forward.embed(rows.slice(0, Math.min(ROWS, forward.rowsPerChunk)));
  const times = new Map<string, number[]>();
  const kindOf = (block: number, isAttention: boolean): string => `${isAttention} ${shapeKey(layers[block])}`;
  try {
    for (const step of stepsOf(fullView(layers.length), true)) {
      throwIfCancelled(signal);
      const open = await forward.open(step, true);
      let least = Infinity;
      for (let pass = 0; pass < PASSES; pass++) {
        const start = performance.now();
        for (const chunk of before) (await open.run(chunk)).release();
        least = Math.min(least, (performance.now() - start) / 1000);
      }
      await open.close();
      const kind = kindOf(step.block, step.attention);
      times.set(kind, [...(times.get(kind) ?? []), least]);
    }
  } finally {
    releaseState(before);
  }
  const of = (block: number, isAttention: boolean): number => median(times.get(kindOf(block, isAttention))!);
  return layers.map((_, block) => ({ attention: of(block, true), ffn: of(block, false) }));
}

const shapeKey = (shape: LayerShape): string => JSON.stringify(shape);
