/** A text that a model generates token by token, when the caller asks for the next one. */
import { longestText } from '../checkpoint/architecture';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { Random } from '../random';
import { Decoder } from '../model/decoder';
import type { DecoderPool } from '../model/decoder-pool';
import type { Model } from '../model/model';
import { fullView, type View } from '../model/view';
import { requirePair, type Speculated, Speculation } from './speculation';
import { argMax, sample, type Sampling } from './sample';

export interface ContinuationOptions extends Sampling {
  readonly maxNewTokens: number;
  /** Always take the most likely token instead of sampling. */
  readonly greedy?: boolean;
  /** Seed for sampling. */
  readonly seed?: number;
  /** Continue after a token that ends the text. */
  readonly ignoreEos?: boolean;
  /** The model to generate with; the whole model when undefined. */
  readonly view?: View;
  /** Sessions that the model and the view share with others. */
  readonly pool?: DecoderPool;
  /** A model that proposes tokens, which the other one reads at once. */
  readonly draft?: Draft;
}

export interface Draft {
  /** With the same vocabulary. */
  readonly model: Model;
  readonly view: View;
  /** The most tokens that it proposes at once. */
  readonly length: number;
}

export interface Generated {
  /** The new tokens, without the token that ended the text. */
  readonly ids: readonly number[];
  /**
   * Why generation stopped: the model ended the text, the requested number was reached, the context is full, or it was
   * cancelled.
   */
  readonly stopped: 'eos' | 'length' | 'context' | 'cancelled';
  /** Seconds from the prompt to its first new token; NaN when there was none. */
  readonly timeToFirstToken: number;
  readonly prefillTokensPerSecond: number;
  /** Tokens per second after the first token; NaN when there were none. */
  readonly decodeTokensPerSecond: number;
  /** What a draft did. */
  readonly speculated?: Speculated;
}

export class Continuation {
  readonly ids: number[] = [];
  private ended: Generated['stopped'] | undefined;
  private prefillSeconds = NaN;
  private decodeSeconds = 0;
  private decoded = 0;
  /** Tokens that are known and not taken yet: a round of a draft gives several. */
  private readonly due: number[] = [];

  private constructor(
    private readonly model: Model,
    private readonly promptIds: readonly number[],
    private readonly options: ContinuationOptions,
    private readonly decoder: Decoder,
    private readonly random: Random,
    /** Maximum number of tokens. */
    readonly room: number,
    private readonly pair: Pair | undefined,
  ) {}

  /**
   * @param promptIds including the special tokens that the model expects at the start of a text
   * @throws UserError for an empty prompt or one that fills the model's context
   */
  static async open(model: Model, promptIds: readonly number[], options: ContinuationOptions): Promise<Continuation> {
    const { layers } = model.architecture;
    const context = longestText(model.architecture);
    checkPrompt(promptIds.length, context);
    const room = Math.min(options.maxNewTokens, context - promptIds.length);
    const { view = fullView(layers.length), pool } = options;
    const capacity = promptIds.length + room;
    const decoder = await Decoder.open(model, view, capacity, 1, pool);
    const random = new Random(options.seed ?? 0);
    try {
      const pair = options.draft && (await openPair(decoder, options.draft, { ...options, capacity, random }));
      return new Continuation(model, promptIds, options, decoder, random, room, pair);
    } catch (error) {
      await decoder.close();
      throw error;
    }
  }

  /**
   * Computes a token and forgets it. The first run of a session reads its weights from the disk, which the time to the first
   * token must not count: it would be that of whichever column comes first. Sessions that are opened for each run have no
   * other first one.
   */
  async warmUp(): Promise<void> {
    if (!this.decoder.kept) return;
    for (const decoder of [this.decoder, ...(this.pair ? [this.pair.draft] : [])]) {
      await decoder.append(this.promptIds.slice(0, 1));
      decoder.restart(1);
    }
  }

  /**
   * The next token, or undefined once the text has ended. Only time inside this method is measured.
   * @throws CancelledError between two pieces of a long prompt
   */
  async next(signal?: AbortSignal): Promise<number | undefined> {
    if (this.ended === undefined && this.ids.length >= this.room) {
      this.ended = this.room < this.options.maxNewTokens ? 'context' : 'length';
    }
    if (this.ended !== undefined) return undefined;
    if (this.due.length === 0) this.due.push(...(await this.advance(signal)));
    const id = this.due.shift()!;
    if (this.options.ignoreEos !== true && this.model.architecture.eosTokenIds.includes(id)) {
      this.ended = 'eos';
      return undefined;
    }
    this.ids.push(id);
    return id;
  }

  /** The result so far. */
  summary(): Generated {
    return {
      ids: this.ids,
      stopped: this.ended ?? 'cancelled',
      timeToFirstToken: this.prefillSeconds,
      prefillTokensPerSecond: this.promptIds.length / this.prefillSeconds,
      decodeTokensPerSecond: this.decoded > 0 ? this.decoded / this.decodeSeconds : NaN,
      ...(this.pair && { speculated: this.pair.speculation.counts }),
    };
  }

  async close(): Promise<void> {
    await this.pair?.draft.close();
    await this.decoder.close();
  }

  /** The next tokens: one, or with a draft those of a round. */
  private async advance(signal: AbortSignal | undefined): Promise<number[]> {
    const start = performance.now();
    const { speculation } = this.pair ?? {};
    if (this.ids.length === 0) {
      const first = speculation
        ? await speculation.begin(this.promptIds, signal)
        : this.choose(await this.decoder.append(this.promptIds, signal));
      this.prefillSeconds = (performance.now() - start) / 1000;
      return [first];
    }
    const next = speculation
      ? await speculation.round(this.room - this.ids.length)
      : [this.choose(await this.decoder.append(this.ids.slice(-1)))];
    this.decodeSeconds += (performance.now() - start) / 1000;
    this.decoded += next.length;
    return next;
  }

  private choose(logits: Float32Array): number {
    return this.options.greedy ? argMax(logits) : sample(logits, this.options, this.random);
  }
}

/** The draft's own decoder, and what it and the model do together. */
interface Pair {
  readonly draft: Decoder;
  readonly speculation: Speculation;
}

async function openPair(
  target: Decoder,
  { model, view, length }: Draft,
  {
    greedy,
    random,
    capacity,
    pool,
    ...sampling
  }: ContinuationOptions & {
    readonly capacity: number;
    readonly random: Random;
  },
): Promise<Pair> {
  const draft = await Decoder.open(model, view, capacity, 1, pool);
  try {
    requirePair(target, draft);
    const choosing = greedy ? { greedy } : { ...sampling, random };
    return { draft, speculation: new Speculation(target, draft, choosing, length) };
  } catch (error) {
    await draft.close();
    throw error;
  }
}

function checkPrompt(tokens: number, context: number): void {
  if (tokens === 0) {
    throw new UserError('There is no prompt', 'it has no tokens', 'Give at least one word or one token id.');
  }
  if (tokens >= context) {
    const why = `it has ${counted(tokens, 'token')}, the model's context is ${context}`;
    throw new UserError('The prompt does not fit into the model', why, 'Shorten the prompt.');
  }
}
