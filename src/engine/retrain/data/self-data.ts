/**
 * Training text that the unpruned model generates, for users without data. It is sampled at temperature 1 from the
 * start of a text, so it follows the model's own distribution. The generated token ids are the rows; nothing is encoded
 * again.
 */
import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { isObject } from '../../../format/json';
import { readSmallFile } from '../../files/regular-file';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import { sample } from '../../evaluate/sample';
import { type JobOptions, Work } from '../../progress';
import { Random } from '../../random';
import { modelName } from '../../records/record';
import { cannotWrite } from '../../system-failure';
import { Decoder } from '../../model/decoder';
import type { Model } from '../../model/model';
import type { View } from '../../model/view';
import type { BosChoice } from '../../../format/bos';
import { exampleOfText } from './example';
import { evaluationSize } from './held-out';
import type { TrainingData } from './load';
import { heldOutCount } from './options';

export interface SelfDataOptions {
  /** Approximate number of tokens to generate. */
  readonly tokens: number;
  /** Tokens of a row. */
  readonly length: number;
  readonly seed: number;
  /** As in `DataOptions`. */
  readonly heldOut?: number;
  /** First tokens to choose from, for texts that do not begin with a begin-of-text token. */
  readonly openings: readonly number[];
  /**
   * 'none' begins with an opening. Otherwise a text begins with the token of the model's config, if it names one, because a
   * first token must be given. It is the one with which the model begins to write.
   */
  readonly bos?: BosChoice;
  /** Where the rows are saved as they are generated, so that a resumed run need not generate them again. */
  readonly cache: string;
  /** A growing cache of other runs, whose rows are taken over. It is not written. */
  readonly shared?: string;
  /**
   * The cache serves any number of tokens, and grows. The last rows may then differ in a token from those of a run that
   * asks for another number, because texts that are generated together share their products.
   */
  readonly growing?: boolean;
}

const WRITING = 'the model writes its training text';
/** Number of texts that are generated together. Twice as many are a tenth faster, and need twice the cache. */
const TEXTS = 16;

/** The rows of the cache, or newly generated ones. @throws UserError, CancelledError */
export async function selfData(
  model: Model,
  view: View,
  options: SelfDataOptions,
  job: JobOptions,
): Promise<TrainingData> {
  const { length, seed } = options;
  const rows = await writeRows(model, view, options, job);
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
      length,
      seed,
      train: part(train),
      dropped: 0,
      truncated: 0,
      heldOut: { ...part(heldOut), looked: evaluationSize(heldOut.length) },
    },
  };
}

async function writeRows(
  model: Model,
  view: View,
  { tokens, length, seed, openings, cache, shared, growing = false, bos }: SelfDataOptions,
  job: JobOptions,
): Promise<readonly number[][]> {
  const { eosTokenIds, vocabulary } = model.architecture;
  const bosTokenId = bos === 'none' ? undefined : model.architecture.bosTokenId;
  const count = Math.max(2, Math.ceil(tokens / length));
  const keyFor = (amount: number | 'any'): string =>
    JSON.stringify([model.checkpoint.identity, view, amount, length, seed, ...(bos === 'none' ? [bos] : [])]);
  const key = keyFor(growing ? 'any' : tokens);
  const [own, others] = [await readCache(cache, key), shared ? await readCache(shared, keyFor('any')) : []];
  const rows = (own.length > 0 ? own : others).slice(0, count);
  // What was taken over must be there when a stopped run goes on.
  if (own.length === 0 && rows.length > 0) await writeCache(cache, JSON.stringify({ key, rows }));
  const work = new Work(job, (count - rows.length) * length, 'tokens', WRITING);
  // The same groups as without an interruption, so that the numbers are the same.
  while (rows.length < count) {
    const some = Array.from({ length: Math.min(TEXTS, count - rows.length) }, (_, r) => {
      const random = new Random(seed + rows.length + r);
      return { random, ids: [bosTokenId ?? opening(openings, random)] };
    });
    const decoder = await Decoder.open(model, view, length, some.length);
    try {
      while (some[0].ids.length < length) {
        const last = some.map(({ ids }) => ids[ids.length - 1]);
        const logits = some.length === 1 ? await decoder.append(last) : await decoder.appendToEach(last);
        some.forEach(({ ids, random }, r) => {
          const ended = bosTokenId !== undefined && eosTokenIds.includes(last[r]) && last[r] !== bosTokenId;
          // When a text ends, the next one follows, as in pre-training.
          ids.push(ended ? bosTokenId : sample(logits.subarray(r * vocabulary, (r + 1) * vocabulary), {}, random));
        });
        const written = rows.length * length + some.length * some[0].ids.length;
        work.step(`${WRITING}, ${written} of ${count * length} tokens`);
        work.advance(some.length);
      }
    } finally {
      await decoder.close();
    }
    rows.push(...some.map(({ ids }) => ids));
    await writeCache(cache, JSON.stringify({ key, rows }));
  }
  return rows;
}

function opening(openings: readonly number[], random: Random): number {
  if (openings.length > 0) return openings[random.below(openings.length)];
  throw new UserError(
    'The model cannot start a text',
    'its config.json has no "bos_token_id", and it has no tokenizer to encode a first word',
    `Add tokenizer.json to the checkpoint, or name a file with ${option('data')}.`,
  );
}

/** Ten million tokens, which take days to generate. */
const MAX_CACHE_BYTES = 100e6;

/** Writes the file atomically. @throws UserError */
async function writeCache(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, text, { flush: true });
    await rename(temporary, path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** The rows so far. A file that cannot be read, or that belongs to another text, counts as none. */
async function readCache(path: string, key: string): Promise<number[][]> {
  try {
    const cache: unknown = JSON.parse((await readSmallFile(path, MAX_CACHE_BYTES)).toString('utf8'));
    return isObject(cache) && cache.key === key && isRows(cache.rows) ? cache.rows : [];
  } catch {
    return [];
  }
}

const isRows = (rows: unknown): rows is number[][] =>
  Array.isArray(rows) && rows.every((row) => Array.isArray(row) && row.every(Number.isSafeInteger));
