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
export async function decodedInSecond(
  spec: JobSpec,
  outcome: JobOutcome,
  architectureOf: (checkpoint: string) => Promise<Architecture | undefined>,
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { checkpoint, removed, tokensPerSecond } of ratesIn(spec, outcome)) {
    const blocks = removed.filter((entry) => typeof entry === 'number');
    if (typeof tokensPerSecond !== 'number' || !(tokensPerSecond > 0) || blocks.length < removed.length) continue;
    const whole = await architectureOf(checkpoint);
    const model = whole && withoutLayers(whole, blocks);
    if (model && parametersReadOf(model) >= LEAST_PARAMETERS) parts.push(decoding(model, tokensPerSecond));
  }
  return parts;
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
