/**
 * How long a grid of speeds takes: a run reads all weights once a step, and computes its products. The rates come from
 * the last grid on this machine, together with how far its runs were from them. Does not use VS Code.
 */
import type { Architecture } from '../engine/checkpoint/architecture';
import { DECODER } from '../engine/evaluate/grid/memory';
import { PAPER_PROMPT_TOKENS, type Protocol } from '../engine/evaluate/grid/protocol';
import { bytesRead, flopsOf } from '../engine/evaluate/grid/work';
import type { View } from '../engine/model/view';
import { isObject } from '../format/json';
import type { GridResult } from '../protocol/grid';
import type { SpeedStore } from './machine-speeds';

const KEY = 'gridRates';

/** What runs achieve, all overheads included. */
export interface AchievedRates {
  readonly provider: string;
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** A guess without measurements: a thread of a CPU with wide registers, and a memory of two channels. */
const GUESS = { flopsPerThread: 20e9, bytesPerSecond: 8e9 };

export interface Measured {
  readonly architecture: Architecture;
  readonly view: View;
}

/** @param threads of this machine */
export function gridEstimate(
  store: SpeedStore,
  models: readonly Measured[],
  { batches, newTokens, runs, warmup }: Protocol,
  threads: number,
): { readonly seconds: number; readonly measured: boolean } {
  const kept = store.get(KEY);
  const measured = isRates(kept);
  const { flopsPerSecond, bytesPerSecond } = measured
    ? kept
    : { flopsPerSecond: GUESS.flopsPerThread * threads, bytesPerSecond: GUESS.bytesPerSecond };
  let seconds = 0;
  for (const { architecture, view } of models) {
    for (const batch of batches) {
      for (const length of newTokens) {
        const cell = { batch, promptTokens: PAPER_PROMPT_TOKENS, newTokens: length };
        const reading = bytesRead(architecture, view, cell, DECODER) / bytesPerSecond;
        seconds += (runs + warmup) * (reading + flopsOf(architecture, view, cell) / flopsPerSecond);
      }
    }
  }
  return { seconds, measured };
}

/**
 * Keeps what the runs of a grid achieved: both rates as the device has them, divided by how much longer its cells took.
 */
export function learnGrid(store: SpeedStore, { rates: { after }, models, device }: GridResult): void {
  const ratios = models.flatMap(({ cells }) =>
    cells.flatMap(({ measured }) => (measured ? measured.latency.mean / measured.floor : [])),
  );
  if (ratios.length === 0 || after.bytesPerSecond === undefined) return;
  const slower = Math.max(1, ratios.reduce((sum, each) => sum + each, 0) / ratios.length);
  const achieved: AchievedRates = {
    provider: device,
    flopsPerSecond: after.flopsPerSecond / slower,
    bytesPerSecond: after.bytesPerSecond / slower,
  };
  void store.update(KEY, achieved);
}

function isRates(value: unknown): value is AchievedRates {
  const isPositive = (n: unknown): boolean => typeof n === 'number' && Number.isFinite(n) && n > 0;
  return isObject(value) && isPositive(value.flopsPerSecond) && isPositive(value.bytesPerSecond);
}
