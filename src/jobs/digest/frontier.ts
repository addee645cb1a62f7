/** Sizes against perplexity in a record, as display data. */
import type { FrontierDigest, FrontierPointDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { readResult, type Read } from '../read-result';
import type { FrontierPoint } from '../results/frontier';

/** Undefined if the record has no points, or one that is not whole: places of points would be others. */
export function frontierOf(results: unknown): FrontierDigest | undefined {
  const {
    text,
    calibrated = false,
    weighed = false,
    criterion = null,
    original,
    fit,
    points: read = [],
  } = readResult('frontier', results);
  const points = read.flatMap(pointOf);
  if (points.length === 0 || points.length !== read.length) return undefined;
  const { bytes, ppl } = original ?? {};
  return {
    text: text?.name ?? '',
    rows: text?.rows ?? null,
    calibrated,
    weighed,
    criterion,
    original: bytes === undefined || ppl === undefined ? null : { bytes, ppl },
    points,
    fit:
      fit?.bytes === undefined
        ? null
        : {
            bytes: fit.bytes,
            point: typeof fit.point === 'number' && fit.point < points.length ? fit.point : null,
            isClear: fit.isClear ?? false,
            commands: fit.commands ?? [],
          },
  };
}

function pointOf({ type, count, bytes, ppl, behind, ...more }: Read<FrontierPoint>): FrontierPointDigest[] {
  if (type === undefined || count === undefined || bytes === undefined || ppl === undefined) return [];
  const { removed = [], healed = false, parameters = null, frontier = false, fits } = more;
  const difference = behind?.difference;
  return [
    defined({
      ...{ type, count, removed, healed, bytes, parameters, ppl, frontier, fits },
      behind: difference === undefined ? undefined : { difference, interval: behind?.interval ?? null },
    }),
  ];
}
