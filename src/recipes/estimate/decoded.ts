/** What jobs tell of decoding: how many bytes of weights this machine reads in a second, token by token. Pure. */
import { type Architecture, withoutLayers } from '../../engine/checkpoint/architecture';
import { parametersReadOf } from '../../engine/checkpoint/parameters';
import type { JsonNumber } from '../../format/json';
import type { JobOutcome, JobSpec } from '../../protocol/jobs';
import type { RemovedEntry } from '../../protocol/json';
import { decoding } from './parts';
import type { Part } from './speeds';

/** Smaller models stay in the processor's caches, and say nothing of others. */
const LEAST_PARAMETERS = 20e6;

/**
 * What each model of the job decoded in one second, in float32; none for other jobs and precisions.
 * @param architectureOf of the checkpoint at a path, undefined where it is not known
 */
export function decodedInSecond(
  spec: JobSpec,
  outcome: JobOutcome,
  architectureOf: (checkpoint: string) => Architecture | undefined,
): Part[] {
  return ratesIn(spec, outcome).flatMap(({ checkpoint, removed, tokensPerSecond }) => {
    const whole = architectureOf(checkpoint);
    const blocks = removed.filter((entry) => typeof entry === 'number');
    if (!whole || blocks.length < removed.length) return [];
    if (typeof tokensPerSecond !== 'number' || !(tokensPerSecond > 0)) return [];
    const model = withoutLayers(whole, blocks);
    return parametersReadOf(model) < LEAST_PARAMETERS ? [] : [decoding(model, tokensPerSecond)];
  });
}

interface Rate {
  readonly checkpoint: string;
  readonly removed: readonly RemovedEntry[];
  readonly tokensPerSecond?: JsonNumber;
}

function ratesIn(spec: JobSpec, outcome: JobOutcome): Rate[] {
  if (spec.kind === 'generate') {
    const { result } = outcome as JobOutcome<'generate'>;
    if (!('ids' in result) || result.precision !== 'float32') return [];
    const { removed, decodeTokensPerSecond: tokensPerSecond } = result;
    return [{ checkpoint: spec.checkpoint, removed, tokensPerSecond }];
  }
  if (spec.kind !== 'speeds') return [];
  const { models, precision } = (outcome as JobOutcome<'speeds'>).result;
  if (precision !== 'float32') return [];
  return models.map(({ removed, decodeTokensPerSecond: tokensPerSecond }, i) => {
    return { checkpoint: spec.columns[i].checkpoint, removed, tokensPerSecond };
  });
}
