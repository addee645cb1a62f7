/**
 * Comparable speeds of one text by several models, or of one alone. Each is open and warmed up first, and then they take
 * turns, so that other load on the machine slows all of them equally.
 */
import { longestText } from '../checkpoint/architecture';
import type { JobOptions } from '../progress';
import { Decoder } from '../model/decoder';
import type { Model } from '../model/model';
import type { View } from '../model/view';
import { Random } from '../random';
import { timedRun, type TimedRun } from './grid/timed-run';
import { spreadOf } from '../median';

export interface TurnOptions {
  /** Length of the prompt, and tokens to decode after it. */
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Measured turns of each model. */
  readonly repeats: number;
  readonly seed: number;
}

/** Statistics over the turns. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface TurnSpeeds {
  /** Tokens a second. */
  readonly prefill: Spread;
  readonly decode: Spread;
  /** Seconds. */
  readonly timeToFirstToken: Spread;
}

/**
 * Lengths that fit the context of every model. If the requested ones do not fit, two thirds of the context are for the
 * prompt.
 */
export function fittingLengths(
  models: readonly Model[],
  { promptTokens, newTokens }: Pick<TurnOptions, 'promptTokens' | 'newTokens'>,
): { promptTokens: number; newTokens: number } {
  const context = Math.min(...models.map(({ architecture }) => longestText(architecture)));
  if (promptTokens + newTokens <= context) return { promptTokens, newTokens };
  const written = Math.max(1, Math.min(newTokens, Math.floor(context / 3)));
  return { promptTokens: Math.min(promptTokens, context - written), newTokens: written };
}

/**
 * @param onLoaded called once every model has written a token
 * @returns the speeds of each model, in the given order
 * @throws CancelledError
 */
export async function measureInTurns(
  models: readonly { readonly model: Model; readonly view: View }[],
  { promptTokens, newTokens, repeats, seed }: TurnOptions,
  job: JobOptions = {},
  onLoaded?: () => void,
): Promise<TurnSpeeds[]> {
  const total = models.length * (repeats + 1);
  const runs = models.map((): TimedRun[] => []);
  const decoders: Decoder[] = [];
  try {
    for (const { model, view } of models) {
      const decoder = await Decoder.open(model, view, promptTokens + newTokens);
      decoders.push(decoder);
      await timedRun(model, decoder, { prompts: [promptOf(model, 1, seed)], newTokens: 1 }, job.signal);
    }
    onLoaded?.();
    let done = 0;
    for (let round = 0; round <= repeats; round++) {
      for (const [i, { model }] of models.entries()) {
        job.onProgress?.({ label: round === 0 ? 'warming up' : 'measuring', done: done++, total, unit: 'runs' });
        const prompts = [promptOf(model, promptTokens, seed)];
        const run = await timedRun(model, decoders[i], { prompts, newTokens }, job.signal);
        if (round > 0) runs[i].push(run);
      }
    }
  } finally {
    for (const decoder of decoders) await decoder.close();
  }
  job.onProgress?.({ label: 'measuring', done: total, total, unit: 'runs' });
  return runs.map((own) => ({
    prefill: spreadOf(own.map(({ firstSeconds }) => promptTokens / firstSeconds)),
    decode: spreadOf(own.map(({ laterSeconds = NaN }) => 1 / laterSeconds)),
    timeToFirstToken: spreadOf(own.map(({ firstSeconds }) => firstSeconds)),
  }));
}

/** Random ids: speed does not depend on the content of the text. */
export function promptOf({ architecture }: Model, tokens: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: tokens }, () => random.below(architecture.vocabulary));
}
