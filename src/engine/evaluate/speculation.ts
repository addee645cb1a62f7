/**
 * Speculative decoding: a draft proposes tokens, the target reads them all in one pass and keeps those that it agrees with, and adds
 * one of its own. Greedy text is the target's. Sampled text has the target's distribution: a drafted token d is taken with
 * the chance min(1, p(d) / q(d)), else one is drawn from max(0, p − q) (Leviathan et al. 2023).
 */
import { UserError } from '../errors';
import { argMax, drawFrom, probabilities, type Sampling } from './sample';
import type { Decoder } from '../model/decoder';
import type { Random } from '../random';

/** How tokens are chosen: the most likely one, or drawn. */
export type Choosing = { readonly greedy: true } | (Sampling & { readonly greedy?: false; readonly random: Random });

/** What reads a text, and can take back what it has read. */
export type Reader = Pick<Decoder, 'append' | 'appendAll' | 'goBack'>;

/** What a pair did so far. */
export interface Speculated {
  readonly rounds: number;
  /** Proposed tokens, and those of them that were taken. */
  readonly drafted: number;
  readonly accepted: number;
}

interface Proposal {
  readonly id: number;
  /** The draft's probabilities, if tokens are drawn. */
  readonly chances?: Float64Array;
}

/** What ends a draft before its length. */
export interface Ending {
  /** A token that the draft finds less likely. */
  readonly threshold: number;
  /** That token is proposed all the same. */
  readonly inclusive?: boolean;
}

/** A text that a pair writes. Both decoders are its own, and begin empty. */
export class Speculation {
  private readonly text: number[] = [];
  /** Tokens of the text that the draft has read; the target has read all but the last. */
  private read = 0;
  private rounds = 0;
  private drafted = 0;
  private accepted = 0;

  constructor(
    private readonly target: Reader,
    private readonly draft: Reader,
    private readonly choosing: Choosing,
    /** The most tokens that are proposed in a round. */
    private readonly length: number,
    /** Greedy texts only. */
    private readonly ending: Ending = { threshold: 0 },
  ) {}

  /** What was done so far. */
  get counts(): Speculated {
    return { rounds: this.rounds, drafted: this.drafted, accepted: this.accepted };
  }

  /**
   * Reads the prompt.
   * @returns the first token
   * @throws CancelledError
   */
  async begin(prompt: readonly number[], signal?: AbortSignal): Promise<number> {
    const logits = await this.target.append(prompt, signal);
    const first = this.choose(logits);
    await this.draft.append(prompt, signal);
    this.text.push(...prompt, first);
    this.read = prompt.length;
    return first;
  }

  /** Reads the prompt but for its last token, which the first round reads: so programs count that speculate at once. */
  async beginWithRound(prompt: readonly number[], signal?: AbortSignal): Promise<void> {
    if (prompt.length > 1) await this.target.append(prompt.slice(0, -1), signal);
    this.text.push(...prompt);
  }

  /**
   * The next tokens, one at least.
   * @param most tokens that are wanted, from 1
   */
  async round(most: number): Promise<number[]> {
    const proposals = await this.propose(Math.min(this.length, most - 1));
    const logits = await this.target.appendAll([this.text.at(-1)!, ...proposals.map(({ id }) => id)]);
    const vocabulary = logits.length / (proposals.length + 1);
    const taken: number[] = [];
    for (const [n, proposal] of proposals.entries()) {
      const own = this.judge(logits.subarray(n * vocabulary, (n + 1) * vocabulary), proposal);
      taken.push(own);
      if (own !== proposal.id) break;
    }
    const agreed = taken.filter((id, n) => id === proposals[n].id).length;
    if (agreed === proposals.length) taken.push(this.choose(logits.subarray(agreed * vocabulary)));
    this.target.goBack(proposals.length - agreed);
    // The draft has not read the last token that it proposed, unless one that it did not propose came after it.
    const unread = Math.max(0, this.read - this.text.length - agreed);
    this.draft.goBack(unread);
    this.read -= unread;
    this.text.push(...taken);
    this.rounds++;
    this.drafted += proposals.length;
    this.accepted += agreed;
    return taken;
  }

  private async propose(most: number): Promise<Proposal[]> {
    const proposals: Proposal[] = [];
    for (let due = this.text.slice(this.read); proposals.length < most; due = [proposals.at(-1)!.id]) {
      const logits = await this.draft.append(due);
      this.read += due.length;
      const isLast = this.isUnsure(logits);
      if (isLast && !this.ending.inclusive) break;
      proposals.push(this.proposal(logits));
      if (isLast) break;
    }
    return proposals;
  }

  private isUnsure(logits: Float32Array): boolean {
    const { threshold } = this.ending;
    return threshold > 0 && probabilities(logits, {})[argMax(logits)] < threshold;
  }

  private proposal(logits: Float32Array): Proposal {
    if (this.choosing.greedy) return { id: argMax(logits) };
    const chances = probabilities(logits, this.choosing);
    return { id: drawFrom(chances, this.choosing.random), chances };
  }

  /** The token that the target takes in the place of a proposed one: that one if it agrees. */
  private judge(logits: Float32Array, { id, chances }: Proposal): number {
    if (this.choosing.greedy) return argMax(logits);
    const own = probabilities(logits, this.choosing);
    const { random } = this.choosing;
    if (random.uniform() * chances![id] < own[id]) return id;
    return drawFrom(
      own.map((chance, token) => Math.max(0, chance - chances![token])),
      random,
    );
  }

  private choose(logits: Float32Array): number {
    if (this.choosing.greedy) return argMax(logits);
    return drawFrom(probabilities(logits, this.choosing), this.choosing.random);
  }
}

/** @throws UserError where a pair cannot speculate: rotations by the length of the text, and devices that keep the caches */
export function requirePair(target: Pick<Decoder, 'canGoBack'>, draft: Pick<Decoder, 'canGoBack'>): void {
  if (target.canGoBack && draft.canGoBack) return;
  throw new UserError(
    'A draft cannot be used here',
    'what was read of a text cannot be taken back: its caches lie on a device, its rotation depends on its length, or its blocks carry states',
    'Write without a draft, or on the CPU.',
  );
}
