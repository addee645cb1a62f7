/**
 * Training text that the unpruned model writes itself, for users who have none: drawn at temperature 1 from the beginning
 * of a text on, so that it is what the model takes text to be. Its token ids are the rows; nothing is encoded anew.
 */
import { createHash } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';
import { readSmallFile } from '../checkpoint/file';
import { UserError } from '../errors';
import { sample } from '../evaluate/sample';
import { type JobOptions, Work } from '../progress';
import { Random } from '../random';
import { modelName } from '../runs/record';
import { Decoder } from '../transformer/decoder';
import type { Model } from '../transformer/model';
import type { View } from '../transformer/view';
import { exampleOfText } from './data/example';
import type { TrainingData } from './data/load';
import { heldOutCount } from './data/options';

export interface SelfDataOptions {
  /** Tokens to write, about. */
  readonly tokens: number;
  /** Tokens of a row. */
  readonly length: number;
  readonly seed: number;
  /** As in `DataOptions`. */
  readonly heldOut?: number;
  /** First ids to choose from for a model that has no begin-of-text token. */
  readonly openings: readonly number[];
  /** Where the rows are kept, so that a resumed run has the same. */
  readonly cache: string;
}

/** Texts written at a time. Twice as many gain a tenth more, and take twice the cache. */
const TEXTS = 16;

/** The rows of the cache, or newly written ones. @throws UserError, CancelledError */
export async function selfData(
  model: Model,
  view: View,
  options: SelfDataOptions,
  job: JobOptions,
): Promise<TrainingData> {
  const { length, seed } = options;
  const key = JSON.stringify([model.checkpoint.identity, view, options.tokens, length, seed]);
  let rows = await readCache(options.cache, key);
  if (!rows) {
    rows = await writeRows(model, view, options, job);
    await writeFile(`${options.cache}.tmp`, JSON.stringify({ key, rows }));
    await rename(`${options.cache}.tmp`, options.cache);
  }
  const examples = rows.map((row) => exampleOfText(Int32Array.from(row)));
  const border = examples.length - heldOutCount(examples.length, options.heldOut);
  const [train, heldOut] = [examples.slice(0, border), examples.slice(border)];
  const part = (some: typeof examples) => {
    return { examples: some.length, tokens: some.length * length, targets: some.length * (length - 1) };
  };
  const sha256 = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
  const file = `text by ${modelName(model.checkpoint)}`;
  return {
    train,
    heldOut,
    describe: {
      files: [{ file, sha256, kind: 'text' }],
      ...{ length, seed, train: part(train), heldOut: part(heldOut), dropped: 0, truncated: 0 },
    },
  };
}

async function writeRows(
  model: Model,
  view: View,
  { tokens, length, seed, openings }: SelfDataOptions,
  job: JobOptions,
): Promise<number[][]> {
  const { bosTokenId, eosTokenIds, vocabulary } = model.architecture;
  const count = Math.max(2, Math.ceil(tokens / length));
  const work = new Work(job, count * length, 'tokens', 'the model writes its training text');
  const rows = Array.from({ length: count }, (_, r) => {
    const random = new Random(seed + r);
    return { random, ids: [bosTokenId ?? opening(openings, random)] };
  });
  for (let at = 0; at < count; at += TEXTS) {
    const some = rows.slice(at, at + TEXTS);
    const decoder = await Decoder.open(model, view, length, some.length);
    try {
      while (some[0].ids.length < length) {
        const last = some.map(({ ids }) => ids[ids.length - 1]);
        const logits = some.length === 1 ? await decoder.append(last) : await decoder.appendToEach(last);
        some.forEach(({ ids, random }, r) => {
          const ended = bosTokenId !== undefined && eosTokenIds.includes(last[r]) && last[r] !== bosTokenId;
          // After its end a text is followed by the next, as in pre-training.
          ids.push(ended ? bosTokenId : sample(logits.subarray(r * vocabulary, (r + 1) * vocabulary), {}, random));
        });
        work.advance(some.length);
      }
    } finally {
      await decoder.close();
    }
  }
  return rows.map(({ ids }) => ids);
}

function opening(openings: readonly number[], random: Random): number {
  if (openings.length > 0) return openings[random.below(openings.length)];
  throw new UserError(
    'The model cannot begin a text',
    'its config.json has no "bos_token_id", and it has no tokenizer to encode a first word with',
    'Add tokenizer.json to the checkpoint, or name a file with --data.',
  );
}

/** Ten million tokens: days of writing. */
const MOST_CACHE_BYTES = 100e6;

async function readCache(path: string, key: string): Promise<number[][] | undefined> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  const text = (await readSmallFile(path, MOST_CACHE_BYTES)).toString('utf8');
  const cache = JSON.parse(text) as { key: string; rows: number[][] };
  return cache.key === key ? cache.rows : undefined;
}
