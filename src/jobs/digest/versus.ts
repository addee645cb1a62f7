/** The comparison of depth and width in a record, as display data. */
import type { SpreadDigest, VersusDigest, VersusModelDigest } from '../../engine/records/digest-types';
import { defined } from '../../format/defined';
import { readResult, type Read } from '../read-result';
import type { VersusModel } from '../results/versus';

const KINDS = ['whole', 'depth', 'width'] as const;

/** Undefined if the record has no models. */
export function versusOf(results: unknown): VersusDigest | undefined {
  const { text, prompt, speed, ended, ...read } = readResult('versus', results);
  const models = (read.models ?? []).flatMap(modelOf);
  if (models.length === 0) return undefined;
  const { batch = 1, newTokens = 0, runs = 0, warmup = 0, inTurns = true } = speed ?? {};
  return defined({
    text: text?.name ?? '',
    rows: text?.rows ?? null,
    calibrated: text?.from === 'calibration',
    prompt,
    speed: speed ? { batch, newTokens, runs, warmup, inTurns } : null,
    cancelled: ended === 'cancelled',
    models,
  });
}

function modelOf(model: Read<VersusModel>): VersusModelDigest[] {
  const { method, count, removed = [], difference: of } = model;
  const kind = KINDS.find((each) => each === model.kind);
  if (method === undefined || count === undefined || kind === undefined) return [];
  const { ratio = null, parameters = null, blocks = null, accuracy = null, ...more } = model;
  const { memoryBytes = null, speedUp = null, pruningSeconds = null, ppl, continuation, failure, speedFailure } = more;
  const difference = of ? { difference: of.difference ?? null, interval: of.interval ?? null } : null;
  const [heads, ffn, latency, throughput] = [model.heads, model.ffn, model.latency, model.throughput].map(spreadOf);
  return [
    defined({
      ...{ method, kind, count, removed, ratio, parameters, blocks, heads, ffn, ppl, accuracy, difference },
      ...{ latency, throughput, memoryBytes, speedUp, pruningSeconds, continuation, failure, speedFailure },
    }),
  ];
}

const spreadOf = (spread: VersusModel['heads'] | Read<VersusModel['heads']>): SpreadDigest | null =>
  spread?.mean === undefined ? null : { mean: spread.mean, sd: spread.sd ?? 0 };
