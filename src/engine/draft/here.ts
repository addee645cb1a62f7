/** A model and its draft in Coppice itself: the texts that they write together, as a program that speculates would. */
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import { argMax } from '../evaluate/sample';
import { type Ending, requirePair, Speculation } from '../evaluate/speculation';
import { Decoder } from '../model/decoder';
import type { Model, ModelOptions } from '../model/model';
import { withModel } from '../model/opened';
import { fullView } from '../model/view';
import { type JobOptions, Work } from '../progress';
import { sameIds } from '../same-ids';
import type { OwnText, PairRun, RanText } from '../verify/consumers/pairs';

/** Two checkpoints. */
export interface PairPaths {
  readonly target: string;
  readonly draft: string;
}

/**
 * Runs a pair greedily on texts. Where a text is another one, the model writes it alone too.
 * @param inclusive the token that ends a draft is proposed all the same
 * @throws UserError when a model cannot be read or cannot be taken back; CancelledError
 */
export async function runPairHere(
  { target, draft }: PairPaths,
  { texts, length, threshold, inclusive }: PairRun & Pick<Ending, 'inclusive'>,
  compute: ModelOptions,
  job: JobOptions,
): Promise<RanText[]> {
  const size = Math.max(...texts.map(({ prompt, ids }) => prompt.length + ids.length));
  const work = new Work(job, texts.length, 'texts', 'running the pair');
  const done: RanText[] = [];
  await withDecoder(target, size, compute, (own) =>
    withDecoder(draft, size, compute, async (proposing) => {
      requirePair(own, proposing);
      for (const text of texts) {
        own.restart(1);
        proposing.restart(1);
        const pair = new Speculation(own, proposing, { greedy: true }, length, { threshold, inclusive });
        const one = await together(pair, text, job);
        done.push(sameIds(one.ids, text.ids) ? one : { ...one, ...(await alone(own, text.prompt, one.ids, job)) });
        work.advance(1);
      }
    }),
  );
  return done;
}

async function withDecoder<T>(
  path: string,
  size: number,
  compute: ModelOptions,
  body: (decoder: Decoder) => Promise<T>,
): Promise<T> {
  const checkpoint = await openCheckpoint(path);
  const view = fullView(requireArchitecture(checkpoint).layers.length);
  return withModel(checkpoint, compute, async (model: Model) => {
    const decoder = await Decoder.open(model, view, size);
    try {
      return await body(decoder);
    } finally {
      await decoder.close();
    }
  });
}

async function together(pair: Speculation, { prompt, ids }: OwnText, { signal }: JobOptions): Promise<RanText> {
  const written: number[] = [];
  await pair.beginWithRound(prompt, signal);
  while (written.length < ids.length) written.push(...(await pair.round(ids.length - written.length)));
  return { ids: written, rounds: pair.counts.rounds };
}

/** What the model writes alone, and how sure it is of its first token that is another one. */
async function alone(
  own: Decoder,
  prompt: readonly number[],
  other: readonly number[],
  { signal }: JobOptions,
): Promise<Pick<RanText, 'alone' | 'lead'>> {
  own.restart(1);
  const ids: number[] = [];
  let lead: number | undefined;
  for (let due = prompt; ids.length < other.length; due = ids.slice(-1)) {
    const logits = await own.append(due, signal);
    const id = argMax(logits);
    const there = other[ids.length];
    if (id !== there) lead ??= logits[id] - logits[there];
    ids.push(id);
  }
  return { alone: ids, ...(lead !== undefined && { lead }) };
}
