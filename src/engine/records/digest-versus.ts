/** The comparison of depth and width in a record, as display data. */
import { isObject, type JsonObject } from '../../format/json';
import type { VersusDigest, VersusModelDigest } from './digest-types';
import { entries, finite, jsonNumber, objects, text } from './fields';

const KINDS = ['whole', 'depth', 'width'] as const;

/** Undefined if the record has no models. */
export function versusOf(results: JsonObject): VersusDigest | undefined {
  const models = objects(results.models).flatMap(modelOf);
  if (models.length === 0) return undefined;
  const source = isObject(results.text) ? results.text : {};
  const speed = isObject(results.speed) ? results.speed : undefined;
  return {
    text: text(source.name) ?? '',
    rows: finite(source.rows),
    calibrated: source.from === 'calibration',
    ...(typeof results.prompt === 'string' && { prompt: results.prompt }),
    speed: speed
      ? {
          batch: finite(speed.batch) ?? 1,
          newTokens: finite(speed.newTokens) ?? 0,
          runs: finite(speed.runs) ?? 0,
          warmup: finite(speed.warmup) ?? 0,
          inTurns: speed.inTurns !== false,
        }
      : null,
    cancelled: results.ended === 'cancelled',
    models,
  };
}

function modelOf(model: JsonObject): VersusModelDigest[] {
  const [method, count] = [text(model.method), finite(model.count)];
  const kind = KINDS.find((each) => each === model.kind);
  if (method === undefined || count === null || kind === undefined) return [];
  const continuation = text(model.continuation);
  const [ppl, failure, speedFailure] = [jsonNumber(model.ppl), text(model.failure), text(model.speedFailure)];
  const { difference } = model;
  return [
    {
      method,
      kind,
      count,
      removed: entries(model.removed),
      ratio: finite(model.ratio),
      parameters: finite(model.parameters),
      blocks: finite(model.blocks),
      heads: spreadOf(model.heads),
      ffn: spreadOf(model.ffn),
      ...(ppl !== undefined && { ppl }),
      accuracy: finite(model.accuracy),
      difference: isObject(difference)
        ? { difference: finite(difference.difference), interval: finite(difference.interval) }
        : null,
      latency: spreadOf(model.latency),
      throughput: spreadOf(model.throughput),
      memoryBytes: finite(model.memoryBytes),
      speedUp: finite(model.speedUp),
      pruningSeconds: finite(model.pruningSeconds),
      ...(continuation !== undefined && { continuation }),
      ...(failure !== undefined && { failure }),
      ...(speedFailure !== undefined && { speedFailure }),
    },
  ];
}

function spreadOf(value: unknown): { mean: number; sd: number } | null {
  const [mean, sd] = isObject(value) ? [finite(value.mean), finite(value.sd)] : [null, null];
  return mean === null ? null : { mean, sd: sd ?? 0 };
}
