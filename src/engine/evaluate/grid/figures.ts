/** The figures of a cell from its runs. */
import { availableParallelism } from 'node:os';
import type { Model } from '../../model/model';
import type { View } from '../../model/view';
import { usualThreads } from '../../onnx/threads';
import { type Cell, DECODER } from './memory';
import type { CellFigures, Rates } from './result';
import { meanSd, throughputOf } from './statistics';
import type { TimedRun } from './timed-run';
import { bytesRead, type DeviceRates, floorSeconds, flopsOf } from './work';

export interface CellRun extends TimedRun {
  readonly peakBytes: number;
}

/** @param first the same cell of the model that others are compared with */
export function cellFigures(
  { model, view }: { readonly model: Model; readonly view: View },
  cell: Cell,
  runs: readonly CellRun[],
  rates: Rates,
  first: CellFigures | undefined,
): CellFigures {
  const { architecture: a } = model;
  const times = runs.map(({ seconds }) => seconds);
  const later = runs.flatMap(({ laterSeconds }) => laterSeconds ?? []);
  const latency = meanSd(times);
  const throughput = throughputOf(times, cell.batch * cell.newTokens);
  const peakBytes = meanSd(runs.map((run) => run.peakBytes));
  const { flopsPerSecond, bytesPerSecond } = best(rates);
  const floor = floorSeconds(a, view, cell, DECODER, { flopsPerSecond, bytesPerSecond });
  const cpu = meanSd(runs.map(({ cpuSeconds }) => cpuSeconds)).mean;
  const bytes = bytesRead(a, view, cell, DECODER);
  return {
    times,
    latency,
    throughput,
    firstToken: meanSd(runs.map(({ firstSeconds }) => firstSeconds)),
    laterToken: later.length > 0 ? meanSd(later) : null,
    peakBytes,
    busy: cpu / (latency.mean * threadsOf(model)),
    compute: flopsOf(a, view, cell) / (latency.mean * flopsPerSecond),
    bandwidth: bytesPerSecond === undefined ? null : bytes / (latency.mean * bytesPerSecond),
    floor,
    speedUp: first ? throughput.mean / first.throughput.mean : null,
    floorSpeedUp: first ? first.floor / floor : null,
    memorySaved: first ? first.peakBytes.mean - peakBytes.mean : null,
  };
}

/** The better of both measurements: other load makes a rate only lower. */
function best({ before, after }: Rates): DeviceRates {
  const reading = [before.bytesPerSecond, after.bytesPerSecond].filter((rate) => rate !== undefined);
  return {
    flopsPerSecond: Math.max(before.flopsPerSecond, after.flopsPerSecond),
    ...(reading.length > 0 && { bytesPerSecond: Math.max(...reading) }),
  };
}

/** Threads that a run uses. */
export const threadsOf = ({ threads }: Pick<Model, 'threads'>): number =>
  threads ?? usualThreads() ?? availableParallelism();
