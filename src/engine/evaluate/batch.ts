/**
 * Several texts that a model writes side by side: each step reads the weights once for all of them. Every text has its
 * own prompt, its own random numbers and its own end, so it is the text that the model writes alone.
 */
import { longestText } from '../checkpoint/architecture';
import type { Random } from '../random';
import type { Decoder } from '../model/decoder';
import type { Model } from '../model/model';
import type { Generated } from './continuation';
import { argMax, sample, type Sampling } from './sample';

/** A text before it is written. */
export interface Opening {
  /** With the special tokens that the model expects at the start of a text. */
  readonly promptIds: readonly number[];
  readonly maxNewTokens: number;
  /** For drawing; the most likely token is taken without it. */
  readonly random?: Random;
}

export interface BatchText {
  readonly ids: readonly number[];
  readonly stopped: Generated['stopped'];
}

/** A text as it grows. */
interface Growing {
  readonly opening: Opening;
  readonly ids: number[];
  /** Maximum number of new tokens: those asked for, or what the context has room for. */
  readonly room: number;
  stopped?: Generated['stopped'];
}

export class Batch {
  private readonly texts: readonly Growing[];
  /** Those that go on, in the decoder's order. */
  private writing: Growing[];

  /**
   * @param decoder has room for the longest prompt and its new tokens; the batch takes it over
   * @param openings on a device, prompts of one length
   */
  constructor(
    private readonly model: Model,
    private readonly decoder: Decoder,
    openings: readonly Opening[],
    private readonly options: Sampling & { readonly ignoreEos?: boolean },
  ) {
    const context = longestText(model.architecture);
    this.texts = openings.map((opening) => {
      const room = Math.min(opening.maxNewTokens, context - opening.promptIds.length);
      return { opening, ids: [], room };
    });
    this.writing = [...this.texts];
  }

  /**
   * Writes a token of each text that goes on.
   * @returns how many tokens were written; 0 once all texts have ended
   * @throws CancelledError while prompts are read
   */
  async next(signal?: AbortSignal): Promise<number> {
    const begun = this.texts.some(({ ids }) => ids.length > 0);
    if (begun) this.endFull();
    if (this.writing.length === 0) return 0;
    const logits = await (begun ? this.goOn() : this.begin(signal));
    const { vocabulary, eosTokenIds } = this.model.architecture;
    const ended: Growing[] = [];
    // Without `canForget` the decoder still has the texts that ended.
    const rows = this.decoder.canForget ? this.writing : this.texts;
    for (const text of this.writing) {
      const row = rows.indexOf(text);
      const id = this.choose(text, logits.subarray(row * vocabulary, (row + 1) * vocabulary));
      if (this.options.ignoreEos !== true && eosTokenIds.includes(id)) {
        text.stopped = 'eos';
        ended.push(text);
      } else text.ids.push(id);
    }
    const written = this.writing.length - ended.length;
    this.forget(ended);
    return written + ended.length;
  }

  /** The texts so far, in the order of their prompts. */
  get results(): BatchText[] {
    return this.texts.map(({ ids, stopped }) => ({ ids, stopped: stopped ?? 'cancelled' }));
  }

  private begin(signal: AbortSignal | undefined): Promise<Float32Array> {
    const prompts = this.texts.map(({ opening }) => opening.promptIds);
    const capacity = Math.max(...this.texts.map(({ opening, room }) => opening.promptIds.length + room));
    return this.decoder.begin(prompts, capacity, signal);
  }

  private goOn(): Promise<Float32Array> {
    const texts = this.decoder.canForget ? this.writing : this.texts;
    // A text that has ended gets some token; its logits are not used.
    return this.decoder.appendToEach(texts.map(({ ids }) => ids.at(-1) ?? 0));
  }

  private choose({ opening }: Growing, logits: Float32Array): number {
    return opening.random ? sample(logits, this.options, opening.random) : argMax(logits);
  }

  /** Ends the texts that have all their tokens. */
  private endFull(): void {
    const full = this.writing.filter(({ ids, room }) => ids.length >= room);
    for (const text of full) text.stopped = text.room < text.opening.maxNewTokens ? 'context' : 'length';
    this.forget(full);
  }

  private forget(ended: readonly Growing[]): void {
    if (ended.length === 0) return;
    const rows = [...this.writing.keys()].filter((row) => !ended.includes(this.writing[row]));
    if (this.decoder.canForget && rows.length > 0) this.decoder.keep(rows);
    this.writing = rows.map((row) => this.writing[row]);
  }
}
