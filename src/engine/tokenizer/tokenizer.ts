/**
 * A checkpoint's tokenizer and chat template. Both are programs that came with the checkpoint (regular expressions, Jinja), so
 * they run in a process of their own (keeper.ts, process.ts): one that never ends, or that takes all memory, is an error
 * that names the file, and the job that waits for it can be cancelled.
 */
import { throwIfCancelled } from '../errors';
import type { ChatMessage } from './chat';
import { readTokenizerTexts } from './files';
import { Keeper, type KeeperOptions } from './keeper';
import { STREAM_START, type StreamState } from './stream';
import type { Reply, Task } from './tasks';

export type { ChatMessage };

/** What is there at once, or comes from another process. */
export type Awaitable<T> = T | Promise<T>;

export interface EncodeOptions {
  /** With what the tokenizer puts around a text, such as BOS. */
  readonly addSpecialTokens: boolean;
}

export interface DecodeOptions {
  /** Leaves out the special tokens (begin and end of text, chat marks). */
  readonly skipSpecialTokens: boolean;
}

/** Decodes ids as they come. */
export interface StreamDecoder {
  /** Takes the next ids; gives the text that became certain, often ''. */
  push(...ids: readonly number[]): Promise<string>;
  /** The rest, once no more ids come. */
  end(): Promise<string>;
}

export interface Tokenizer {
  /** One more than the largest id. A model's vocabulary is often padded beyond it. */
  readonly vocabularySize: number;
  readonly hasChatTemplate: boolean;
  /** Token ids of `text`. Throws `UserError` where the tokenizer cannot, `CancelledError`. */
  encode(text: string, options: EncodeOptions): Promise<number[]>;
  /** Text of `ids`; ids that are no token give no text. Throws `UserError` where the tokenizer cannot. */
  decode(ids: readonly number[], options: DecodeOptions): Promise<string>;
  /** Decodes ids as they come: the pieces joined equal `decode` of all. Special tokens are skipped unless said otherwise. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** The conversation as the checkpoint's chat template writes it. Throws `UserError` where there is none or it fails. */
  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): Promise<string>;
}

/**
 * Loads the tokenizer of a checkpoint's folder. Nothing has to be closed: its process ends when it is not used, and with
 * this one.
 *
 * @param options `signal` ends what the tokenizer is at when it is aborted; what is asked of it later it still does
 * @throws UserError when there is none or it cannot be used, CancelledError
 */
export async function loadTokenizer(folder: string, options: KeeperOptions = {}): Promise<Tokenizer> {
  throwIfCancelled(options.signal);
  const texts = await readTokenizerTexts(folder);
  const keeper = new Keeper(texts, options);
  const { vocabularySize, hasChatTemplate } = await keeper.load();
  return new KeptTokenizer(keeper, vocabularySize, hasChatTemplate);
}

class KeptTokenizer implements Tokenizer {
  constructor(
    private readonly keeper: Keeper,
    readonly vocabularySize: number,
    readonly hasChatTemplate: boolean,
  ) {}

  async encode(text: string, { addSpecialTokens }: EncodeOptions): Promise<number[]> {
    const { ids } = await this.ask({ kind: 'encode', text, addSpecialTokens }, text.length);
    return Array.from(ids);
  }

  async decode(ids: readonly number[], { skipSpecialTokens }: DecodeOptions): Promise<string> {
    const task = { kind: 'decode', ids: Int32Array.from(ids), skipSpecialTokens } as const;
    return (await this.ask(task, ids.length)).text;
  }

  streamDecoder({ skipSpecialTokens }: DecodeOptions = { skipSpecialTokens: true }): StreamDecoder {
    let state: StreamState = STREAM_START;
    let last: Promise<unknown> = Promise.resolve(); // steps follow each other, also where the caller does not wait
    const step = (ids: readonly number[], ends: boolean): Promise<string> => {
      const next = last.then(async () => {
        const reply = await this.ask({ kind: 'stream', state, ids, ends, skipSpecialTokens }, ids.length);
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
