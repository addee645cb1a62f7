/** Turns the records of one file into examples, and holds out a part of them. */
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../errors';
import type { Work } from '../../progress';
import type { Random } from '../../random';
import { instructionExample } from './alpaca';
import { chatExample } from './chat';
import { countTargets, type Example } from './example';
import { rowPrefix } from '../../tokenizer/bos';
import type { DataOptions, TextEncoder } from './options';
import { type Placed, type Records, unusable } from './records';
import { textPieces, streamExamples } from './windows';

/** Training and held-out part of a file. */
export interface Parts {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
}

export interface EncodedFile {
  /** The number of units that can be held out: windows of a text, or records. */
  readonly units: number;
  /** Records without a target within the length, which are left out. */
  readonly dropped: number;
  /** Records cut at the length. */
  readonly truncated: number;
  /** Holds out `count` units. */
  split(count: number, random: Random): Parts;
}

type EncodableRecords = Exclude<Records, { kind: 'batches' }>;

/** Units of work that `encodeRecords` reports: records, or pieces of a text. */
export function workOf(records: EncodableRecords): number {
  return records.kind === 'text' ? textPieces(records.text).length : records.records.length;
}

/**
 * Encodes one file.
 * @throws UserError when the tokenizer fails; CancelledError between two records
 */
export function encodeRecords(
  records: EncodableRecords,
  file: string,
  options: DataOptions,
  encoder: TextEncoder,
  work: Work,
): Promise<EncodedFile> {
  switch (records.kind) {
    case 'text':
      return encodeRunning(records.text, options, encoder, work);
    case 'documents':
      return encodeDocuments(records.records, options, encoder, work);
    case 'instructions': {
      const { prompt = 'alpaca' } = options;
      return encodeExamples(records.records, work, ({ value }) => instructionExample(value, prompt, encoder, options));
    }
    case 'chat':
      if (!encoder.hasChatTemplate) {
        const action = 'Use an instruction-tuned model, or data with "instruction" and "output" or "text".';
        throw unusable(file, 'it holds conversations, and the model’s tokenizer has no chat template', action);
      }
      return encodeExamples(records.records, work, ({ place, value }) =>
        atPlace(file, place, () => chatExample(value, encoder, options)),
      );
  }
}

/** Instructions and conversations: one example per record. */
async function encodeExamples<T>(
  records: readonly Placed<T>[],
  work: Work,
  encode: (record: Placed<T>) => Promise<{ example: Example; truncated: boolean }>,
): Promise<EncodedFile> {
  const found = await eachOf(records, work, encode);
  const usable = found.filter(({ example }) => countTargets(example) > 0);
  const examples = usable.map(({ example }) => example);
  return {
    units: examples.length,
    dropped: found.length - usable.length,
    truncated: usable.filter(({ truncated }) => truncated).length,
    split: (count, random) => drawn(examples, count, random),
  };
}

/** Documents are joined, each followed by EOS, and then cut into windows. The two parts share no document. */
async function encodeDocuments(
  records: readonly Placed<string>[],
  options: DataOptions,
  encoder: TextEncoder,
  work: Work,
): Promise<EncodedFile> {
  const { length, eosTokenId, beginning } = options;
  const written = records.filter(({ value }) => value.trim() !== '');
  work.advance(records.length - written.length);
  const documents = await eachOf(written, work, async ({ value }) => {
    const ids = await encoder.encode(value, { addSpecialTokens: beginning.mode === 'stream' });
    if (eosTokenId !== undefined && ids.at(-1) !== eosTokenId) ids.push(eosTokenId);
    return Int32Array.from(ids);
  });
  const prefix = rowPrefix(beginning);
  return {
    units: documents.length,
    dropped: records.length - written.length,
    truncated: 0,
    split: (count, random) => {
      const { train, heldOut } = drawn(documents, count, random);
      return { train: streamExamples(train, length, prefix), heldOut: streamExamples(heldOut, length, prefix) };
    },
  };
}

/** The last windows of a text are held out. A window from the middle would be partly known from its neighbours. */
async function encodeRunning(
  text: string,
  options: DataOptions,
  encoder: TextEncoder,
  work: Work,
): Promise<EncodedFile> {
  const pieces = textPieces(text).map((value, i) => ({ value, first: i === 0 }));
  const stream = await eachOf(pieces, work, async ({ value, first }) =>
    Int32Array.from(await encoder.encode(value, { addSpecialTokens: first && options.beginning.mode === 'stream' })),
  );
  const windows = streamExamples(stream, options.length, rowPrefix(options.beginning));
  return {
    units: windows.length,
    dropped: 0,
    truncated: 0,
    split: (count) => {
      const border = windows.length - count;
      return { train: windows.slice(0, border), heldOut: windows.slice(border) };
    },
  };
}

/** `count` random items, and the others; both in the original order. */
function drawn<T>(items: readonly T[], count: number, random: Random): { train: T[]; heldOut: T[] } {
  const order = random.shuffle(items.map((_, i) => i));
  const chosen = new Set(order.slice(0, count));
  return { train: items.filter((_, i) => !chosen.has(i)), heldOut: items.filter((_, i) => chosen.has(i)) };
}

/** Items that are encoded concurrently: while the tokenizer's process works on one, others are on their way. */
const AT_ONCE = 16;

/**
 * Maps the items in order, a few concurrently. In between it reports progress, checks for cancellation, and yields to
 * other work.
 */
async function eachOf<T, R>(items: readonly T[], work: Work, encode: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const some = await Promise.allSettled(items.slice(start, start + AT_ONCE).map(encode));
    for (const one of some) {
      if (one.status === 'rejected') throw one.reason; // of several errors, that of the first item
      results.push(one.value);
    }
    await setImmediate();
    work.advance(some.length);
  }
  return results;
}

/** Adds the record in which the chat template failed to its error. */
async function atPlace<T>(file: string, place: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const action = 'Change the conversation to what the template accepts: often user and assistant in turn.';
    throw unusable(file, `${place}: the chat template fails (${error.texts.why})`, action, error);
  }
}
