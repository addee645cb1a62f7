/** The grid of speeds and memory in a record, as display data. Cells that make no sense are left out. */
import type { GridCellDigest, GridDigest, GridModelDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { onTop } from '../../format/on-top';
import { readResult, type Read } from '../read-result';
import type { GridResult } from '../results/grid';

export function gridOf(results: unknown): GridDigest {
  const read = readResult('grid', results);
  return {
    batches: read.batches ?? [],
    newTokens: read.newTokens ?? [],
    runs: read.runs ?? 0,
    warmup: read.warmup ?? 0,
    inTurns: read.inTurns !== false,
    limitBytes: read.limitBytes ?? null,
    prompt: read.prompt ?? '',
    models: (read.models ?? []).map(modelOf),
  };
}

type Model = Read<GridResult['models'][number]>;
type Cell = Read<GridResult['models'][number]['cells'][number]>;
type Figures = NonNullable<GridCellDigest['measured']>;

function modelOf(column: Model): GridModelDigest {
  const { label = '', model, identity, removed = [], ideal = null, failure, cells = [] } = column;
  const of = model === undefined || identity === undefined ? undefined : { model, identity, removed, ...onTop(column) };
  return defined({ label, of, ideal, failure, cells: cells.flatMap(cellOf) });
}

function cellOf({ batch, newTokens, predicted, outcome, failure, measured }: Cell): GridCellDigest[] {
  const predictedBytes = predicted?.total;
  if (batch === undefined || newTokens === undefined || predictedBytes === undefined) return [];
  const ended = outcome === 'measured' || outcome === 'failed' ? outcome : 'oom';
  return [
    defined({ batch, newTokens, predictedBytes, outcome: ended, failure, measured: measured && figuresOf(measured) }),
  ];
}

function figuresOf(figures: NonNullable<Cell['measured']>): Figures {
  const { latency, throughput, firstToken, laterToken, peakBytes } = figures;
  const spread = (of: typeof laterToken): Figures['latency'] => ({ mean: of?.mean ?? null, sd: of?.sd ?? null });
  const { busy = null, compute = null, bandwidth = null, speedUp = null, floorSpeedUp = null } = figures;
  return {
    latency: spread(latency),
    throughput: spread(throughput),
    firstToken: spread(firstToken),
    laterToken: spread(laterToken),
    peakBytes: spread(peakBytes),
    ...{ busy, compute, bandwidth, speedUp, floorSpeedUp },
  };
}
