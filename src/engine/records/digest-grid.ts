/** The grid of speeds and memory in a record, as display data. Cells that make no sense are left out. */
import { readOnTop } from '../../format/on-top';
import { isObject, type JsonObject } from '../../format/json';
import type { GridCellDigest, GridDigest, GridModelDigest } from './digest-types';
import { entries, finite, objects, text } from './fields';

export function gridOf(results: JsonObject): GridDigest {
  return {
    batches: numbers(results.batches),
    newTokens: numbers(results.newTokens),
    runs: finite(results.runs) ?? 0,
    warmup: finite(results.warmup) ?? 0,
    inTurns: results.inTurns !== false,
    limitBytes: finite(results.limitBytes),
    prompt: text(results.prompt) ?? '',
    models: objects(results.models).map(modelOf),
  };
}

const numbers = (value: unknown): number[] => entries(value).filter((each) => typeof each === 'number');

function modelOf(model: JsonObject): GridModelDigest {
  const [name, identity] = [text(model.model), text(model.identity)];
  const failure = text(model.failure);
  const of = { model: name ?? '', identity: identity ?? '', removed: entries(model.removed), ...readOnTop(model) };
  return {
    label: text(model.label) ?? '',
    ...(name !== undefined && identity !== undefined && { of }),
    ideal: finite(model.ideal),
    ...(failure !== undefined && { failure }),
    cells: objects(model.cells).flatMap(cellOf),
  };
}

function cellOf({ batch, newTokens, predicted, outcome, failure, measured }: JsonObject): GridCellDigest[] {
  const [texts, length] = [finite(batch), finite(newTokens)];
  const bytes = isObject(predicted) ? finite(predicted.total) : null;
  if (texts === null || length === null || bytes === null) return [];
  const why = text(failure);
  return [
    {
      batch: texts,
      newTokens: length,
      predictedBytes: bytes,
      outcome: outcome === 'measured' || outcome === 'failed' ? outcome : 'oom',
      ...(why !== undefined && { failure: why }),
      ...(isObject(measured) && { measured: figuresOf(measured) }),
    },
  ];
}

function figuresOf(measured: JsonObject): NonNullable<GridCellDigest['measured']> {
  const spread = (value: unknown): { mean: number | null; sd: number | null } =>
    isObject(value) ? { mean: finite(value.mean), sd: finite(value.sd) } : { mean: null, sd: null };
  const { latency, throughput, firstToken, laterToken, peakBytes } = measured;
  return {
    latency: spread(latency),
    throughput: spread(throughput),
    firstToken: spread(firstToken),
    laterToken: spread(laterToken),
    peakBytes: spread(peakBytes),
    busy: finite(measured.busy),
    compute: finite(measured.compute),
    bandwidth: finite(measured.bandwidth),
    speedUp: finite(measured.speedUp),
    floorSpeedUp: finite(measured.floorSpeedUp),
  };
}
