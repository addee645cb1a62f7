/**
 * A checkpoint's tokenizer and chat template. Both are programs that came with the checkpoint (regular expressions,
 * Jinja), so they run in a separate process (keeper.ts, process.ts). If one never ends or takes all memory, the user
 * gets an error that names the file, and can cancel the waiting job.
 */
import { throwIfCancelled } from '../errors';
import type { ChatMessage } from './chat';
import { readTokenizerTexts, type TokenizerTexts } from './files';
import { Keeper, type KeeperOptions } from './keeper';
import { type StreamState, streamStart } from './stream';
import type { Reply, Task } from './tasks';

export type { ChatMessage };

/** An immediate result, or one from another process. */
export type Awaitable<T> = T | Promise<T>;

export interface EncodeOptions {
  /** Adds the tokens that the tokenizer puts around a text, such as BOS. */
  readonly addSpecialTokens: boolean;
}

export interface DecodeOptions {
  /** Leaves out the special tokens (begin and end of text, chat marks). */
  readonly skipSpecialTokens: boolean;
  /**
   * Ids before these, such as a prompt. The text is then what these add to the text of those: decoders handle the start of
   * a text specially (SentencePiece drops its first blank), and a continuation does not start one.
   */
  readonly after?: readonly number[];
}

/** Decodes a stream of ids. */
export interface StreamDecoder {
  /** Takes the next ids; returns the text that became certain, often ''. */
  push(...ids: readonly number[]): Promise<string>;
  /** Returns the rest, after the last id. */
  end(): Promise<string>;
}

export interface Tokenizer {
  /** One more than the largest id. A model's vocabulary is often padded beyond it. */
  readonly vocabularySize: number;
  readonly hasChatTemplate: boolean;
  /** The token that it puts before a text, by its post-processor or `add_bos_token`; undefined if none. */
  readonly beginsWith?: number;
  /** Token ids of `text`. Throws `UserError` if the tokenizer fails, `CancelledError`. */
  encode(text: string, options: EncodeOptions): Promise<number[]>;
  /** The same of each text, in one go. */
  encodeEach(texts: readonly string[], options: EncodeOptions): Promise<number[][]>;
  /** Text of `ids`; ids without a token give no text. Throws `UserError` if the tokenizer fails. */
  decode(ids: readonly number[], options: DecodeOptions): Promise<string>;
  /** Decodes a stream of ids: the joined pieces equal `decode` of all ids. Skips special tokens by default. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /**
   * The conversation, formatted by the checkpoint's chat template. Throws `UserError` if there is no template or it
   * fails.
   */
  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): Promise<string>;
}

/**
 * Loads the tokenizer of a checkpoint, from its folder or its GGUF file. It needs no closing: its process ends when it idles or when the current
 * process ends.
 *
 * @param options aborting `signal` ends the current task; the tokenizer still runs later tasks
 * @throws UserError if there is none or it cannot be used, CancelledError
 */
export async function loadTokenizer(place: string, options: KeeperOptions = {}): Promise<Tokenizer> {
  throwIfCancelled(options.signal);
  return tokenizerOf(await readTokenizerTexts(place), options);
}

/** The same from texts of its files. @throws UserError if it cannot be used, CancelledError */
export async function tokenizerOf(texts: TokenizerTexts, options: KeeperOptions = {}): Promise<Tokenizer> {
  const keeper = new Keeper(texts, options);
  const { vocabularySize, hasChatTemplate, beginsWith } = await keeper.load();
  return new KeptTokenizer(keeper, vocabularySize, hasChatTemplate, beginsWith);
}

class KeptTokenizer implements Tokenizer {
  constructor(
    private readonly keeper: Keeper,
    readonly vocabularySize: number,
    readonly hasChatTemplate: boolean,
    readonly beginsWith: number | undefined,
  ) {}

  async encode(text: string, { addSpecialTokens }: EncodeOptions): Promise<number[]> {
    const { ids } = await this.ask({ kind: 'encode', text, addSpecialTokens }, text.length);
    return Array.from(ids);
  }

  async encodeEach(texts: readonly string[], { addSpecialTokens }: EncodeOptions): Promise<number[][]> {
    const size = texts.reduce((sum, { length }) => sum + length, 0);
    const { ids, counts } = await this.ask({ kind: 'encodeEach', texts, addSpecialTokens }, size);
    let at = 0;
    return Array.from(counts, (count) => Array.from(ids.subarray(at, (at += count))));
  }

  async decode(ids: readonly number[], { skipSpecialTokens, after = [] }: DecodeOptions): Promise<string> {
    const lists = { ids: Int32Array.from(ids), after: Int32Array.from(after) };
    return (await this.ask({ kind: 'decode', ...lists, skipSpecialTokens }, ids.length + after.length)).text;
  }

  streamDecoder({ skipSpecialTokens, after }: DecodeOptions = { skipSpecialTokens: true }): StreamDecoder {
    let state: StreamState = streamStart(after);
    let last: Promise<unknown> = Promise.resolve(); // steps run in order, even if the caller does not wait
    const step = (ids: readonly number[], ends: boolean): Promise<string> => {
      const next = last.then(async () => {
        const size = state.shown.length + ids.length;
        const reply = await this.ask({ kind: 'stream', state, ids, ends, skipSpecialTokens }, size);
        state = reply.state;
        return reply.text;
      });
      last = next.catch(() => undefined);
      return next;
    };
    return { push: (...ids) => step(ids, false), end: () => step([], true) };
  }

  async chat(
    messages: readonly ChatMessage[],
    { addGenerationPrompt }: { addGenerationPrompt: boolean },
  ): Promise<string> {
    const size = messages.reduce((sum, { content }) => sum + content.length, 0);
    return (await this.ask({ kind: 'chat', messages, addGenerationPrompt }, size)).text;
  }

  private ask<T extends Task>(task: T, size: number): Promise<Reply<T>> {
    return this.keeper.ask(task, size);
  }
}
