/**
 * Cached decoding of one text, or of several side by side, each with a length of its own. A cache in this process's
 * memory is fed to each run; the run returns only its own keys and values, which are then appended. A cache on a device
 * is returned as a whole by every run.
 *
 * If the weights fit into memory, in the precision of their products, sessions stay open: one for the whole model, or a
 * few (segments.ts), or those of a pool, which decoders share. Otherwise there is a session per step, opened only while it
 * is needed, which is slow.
 */
import { throwIfCancelled } from '../errors';
import { Graph } from '../onnx/graph';
import { floats, keepsTensors, type Feeds, type Session, type Tensor } from '../onnx/session';
import { buildDecoder, cacheNames, type CacheResult, mixersOf } from './decode-graph';
import { DecoderCaches, roomFor } from './decoder-caches';
import { lengthAfter, ofWindows, type Places, type Positions, positionsOf } from './decoder-positions';
import { DecoderStates, type SomeTexts } from './decoder-states';
import type { DecoderPool } from './decoder-pool';
import type { Model } from './model';
import { RotationsByLength } from './positions';
import { tableNames } from './rotary';
import { FedProducts, segmentBinding } from './segment-products';
import { type Segment, segmentsApart, segmentsInMemory } from './segments';
import { embedGroup, type Group, groupsOf } from './text-groups';
import { TextLengths } from './text-lengths';
import type { Step, View } from './view';

/** Prompt tokens per run: few enough that cancellation takes effect between runs. */
const TOKENS_PER_RUN = 256;
/** `GroupQueryAttention` of the WebGPU provider gives wrong results for 32 or more new tokens. */
const TOKENS_PER_RUN_WEBGPU = 31;

export class Decoder {
  private readonly sessions = new Map<Segment, Session>();
  private readonly caches: DecoderCaches;
  private readonly states: DecoderStates;
  /** Feeds that stay the same while the texts and the room of the caches do. */
  private readonly lasting = new Map<Segment, Feeds>();
  private readonly products: FedProducts;
  private readonly lengths: TextLengths;
  private readonly rotations: RotationsByLength;
  /** Tokens of each text so far. */
  private past: number[] = [];
  /** Maximum tokens of the caches, now. */
  private limit = 0;

  private constructor(
    private readonly model: Model,
    private readonly segments: readonly Segment[],
    /** Whether the sessions stay open between calls. */
    readonly kept: boolean,
    /** Maximum tokens of the caches. */
    readonly capacity: number,
    private readonly pool: DecoderPool | undefined,
  ) {
    this.caches = new DecoderCaches(model.architecture, segments);
    this.states = new DecoderStates(model.architecture, segments);
    this.lengths = new TextLengths(model.architecture, capacity);
    this.rotations = new RotationsByLength(model.architecture, capacity);
    this.products = new FedProducts(model.weights);
  }

  /**
   * @param capacity tokens of prompt and continuation together
   * @param texts that are written side by side: one by `append`, several by `appendToEach`
   * @param pool of sessions that the model and the view share with others
   */
  static async open(model: Model, view: View, capacity: number, texts = 1, pool?: DecoderPool): Promise<Decoder> {
    const shared = pool?.segmentsOf(model, view);
    const own = shared ? undefined : segmentsInMemory(model, view);
    const segments = shared ?? own ?? segmentsApart(view);
    const kept = shared !== undefined || own !== undefined;
    const decoder = new Decoder(model, segments, kept, capacity, shared && pool);
    try {
      decoder.restart(texts);
      if (kept) for (const segment of segments) await decoder.session(segment);
      return decoder;
    } catch (error) {
      await decoder.close();
      throw error;
    }
  }

  /** Texts side by side. */
  get texts(): number {
    return this.past.length;
  }

  /** Forgets all texts; that many start over. @param capacity tokens of each, at most the decoder's */
  restart(texts: number, capacity = this.capacity): void {
    this.caches.dispose();
    this.states.restart(texts);
    this.past = Array<number>(texts).fill(0);
    this.lengths.restart(texts);
    this.limit = capacity;
    this.makeRoom(this.onDevice ? capacity : roomFor(this.model.device.provider === 'cpu' ? 0 : 1, capacity));
  }

  /** Caches for so many tokens, with the same content. */
  private makeRoom(tokens: number): void {
    this.caches.makeRoom(this.past, tokens);
    this.lasting.clear();
  }

  /**
   * Appends tokens to the only text.
   * @returns the logits of the next token, (vocabulary); valid until the next call
   * @throws CancelledError
   */
  async append(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const { restarts, ids: due } = this.lengths.grow(0, ids);
    if (restarts) this.startOver(0);
    return this.appendTo(0, due, signal);
  }

  /**
   * Appends tokens to the only text.
   * @returns the logits of what follows each of them, (tokens, vocabulary); valid until the next call
   */
  async appendAll(ids: readonly number[]): Promise<Float32Array> {
    if (!this.canGoBack) throw new Error('every token of a text is told where it can be taken back');
    const [logits] = await this.run([{ first: 0, rows: [ids], all: true }]);
    return logits;
  }

  /** Reads one text from its start, in one run; not where caches stay on a device. @returns as `appendAll` */
  async readAll(ids: readonly number[]): Promise<Float32Array> {
    this.restart(1);
    this.lengths.grow(0, ids);
    const [logits] = await this.run([{ first: 0, rows: [ids], all: true }]);
    return logits;
  }

  /** Takes the last tokens of the only text back. */
  goBack(tokens: number): void {
    if (!this.canGoBack || tokens > this.past[0]) throw new Error(`${tokens} tokens cannot be taken back`);
    this.past[0] -= tokens;
  }

  /**
   * Whether `goBack` works: caches are in this process's memory, angles do not depend on the length of the text, and every block has
   * caches, from which tokens can be cut.
   */
  get canGoBack(): boolean {
    return !this.onDevice && !this.lengths.matters && this.segments.every((segment) => !this.carries(segment));
  }

  /**
   * Appends a token to each text.
   * @returns the logits of what follows each, (texts, vocabulary); valid until the next call
   */
  async appendToEach(ids: readonly number[]): Promise<Float32Array> {
    const due = ids.map((id, text) => this.lengths.grow(text, [id]));
    const isUniform = due.every(
      ({ restarts }, text) => !restarts && this.lengths.classOf(text) === this.lengths.classOf(0),
    );
    if (isUniform) {
      const [logits] = await this.run([{ first: 0, rows: ids.map((id) => [id]) }]);
      return logits;
    }
    for (const [text, { restarts }] of due.entries()) if (restarts) this.startOver(text);
    const rows = due.map((text) => text.ids);
    return this.onDevice ? this.tokenByToken(rows) : this.eachAlone(rows);
  }

  /** The tokens of a text are about to be computed again, with other angles. */
  private startOver(text: number): void {
    this.past[text] = 0;
    this.states.clear(text);
    this.lasting.clear();
  }

  /** Appends to each text for itself. @returns as `appendToEach` */
  private async eachAlone(rows: readonly (readonly number[])[], signal?: AbortSignal): Promise<Float32Array> {
    const { vocabulary } = this.model.architecture;
    const all = new Float32Array(rows.length * vocabulary);
    for (const [text, row] of rows.entries()) all.set(await this.appendTo(text, row, signal), text * vocabulary);
    return all;
  }

  /**
   * Starts over with prompts of any lengths. On a device, several prompts must have one length.
   * @param capacity tokens of each text, at most the decoder's
   * @returns the logits of what follows each, (texts, vocabulary); valid until the next call
   * @throws CancelledError
   */
  async begin(
    prompts: readonly (readonly number[])[],
    capacity = this.capacity,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.restart(prompts.length, capacity);
    if (prompts.length === 1) return this.append(prompts[0], signal);
    prompts.forEach((prompt, text) => this.lengths.grow(text, prompt));
    if (this.onDevice) return this.tokenByToken(prompts, signal);
    if (prompts.some((_, text) => this.lengths.classOf(text) !== this.lengths.classOf(0))) {
      return this.eachAlone(prompts, signal);
    }
    const { vocabulary } = this.model.architecture;
    const all = new Float32Array(prompts.length * vocabulary);
    // A prompt that is longer than a run goes alone, the others together.
    for (const [text, prompt] of prompts.entries()) {
      if (prompt.length > TOKENS_PER_RUN) all.set(await this.appendTo(text, prompt, signal), text * vocabulary);
    }
    const groups = groupsOf(prompts, TOKENS_PER_RUN);
    throwIfCancelled(signal);
    for (const some of this.kept ? groups.map((group) => [group]) : [groups]) {
      throwIfCancelled(signal);
      const logits = await this.run(some);
      some.forEach(({ first }, i) => all.set(logits[i], first * vocabulary));
    }
    return all;
  }

  /**
   * Goes on with some of the texts and forgets the others. Caches on a device cannot do that.
   * @param texts indices, ascending
   */
  keep(texts: readonly number[]): void {
    if (this.onDevice) throw new Error('caches on a device are not cut');
    this.caches.keep(this.texts, texts);
    this.states.keep(texts);
    this.lengths.keep(texts);
    this.lasting.clear();
    this.past = texts.map((text) => this.past[text]);
  }

  /** What a block carries beside keys and values, (texts, …) by name; valid until the next call. */
  carried(block: number): Readonly<Record<string, Tensor>> {
    return this.states.ofBlock(block);
  }

  /** Whether `keep` works. */
  get canForget(): boolean {
    return !this.onDevice;
  }

  /** In runs that are short enough to be cancelled between them. */
  private async appendTo(text: number, ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const limit = this.model.device.provider === 'webgpu' ? TOKENS_PER_RUN_WEBGPU : TOKENS_PER_RUN;
    let logits = new Float32Array(0) as Float32Array;
    for (let at = 0; at < ids.length; at += limit) {
      throwIfCancelled(signal);
      [logits] = await this.run([{ first: text, rows: [ids.slice(at, at + limit)] }]);
    }
    return logits;
  }

  /** Token by token, because a run returns the caches of all texts, and of one token each where there is a past. */
  private async tokenByToken(rows: readonly (readonly number[])[], signal?: AbortSignal): Promise<Float32Array> {
    const { length } = rows[0];
    if (rows.some((row) => row.length !== length)) throw new Error('texts on a device have one length');
    let logits = new Float32Array(0) as Float32Array;
    for (let at = 0; at < length; at++) {
      throwIfCancelled(signal);
      [logits] = await this.run([{ first: 0, rows: rows.map((row) => [row[at]]) }]);
    }
    return logits;
  }

  /** One pass over the model. @returns for each group the logits of what follows, (texts, vocabulary) */
  private async run(groups: readonly Group[]): Promise<Float32Array[]> {
    const total = Math.max(...groups.map((group) => lengthAfter(group, this.past)));
    // The fused operator puts the new tokens into the caches' room, plain products have them beside the caches.
    if (!this.onDevice && !this.plain) this.grow(total);
    const { room } = this.caches;
    const places: Places = { past: this.past, capacity: this.capacity, room, ...this.attention };
    const positions = groups.map((group) => positionsOf(this.model.architecture, group, places));
    let states: Tensor[] = [];
    const appends: (() => void)[] = [];
    for (const group of groups) states.push(await embedGroup(this.model, group));
    for (const segment of this.segments) {
      const session = await this.session(segment);
      const next: Tensor[] = [];
      for (const [i, group] of groups.entries()) {
        const result = await session.run(...this.feedsAndFetches(segment, states[i], positions[i], group));
        this.states.adopt(segment, result, textsOf(group));
        if (this.onDevice) this.caches.adopt(segment, result);
        else if (this.attending(segment).length > 0) appends.push(() => this.appendKeys(segment, result, group));
        next.push(segment.head ? result.logits : result.y);
      }
      states = next;
      if (!this.kept) await this.closeSession(segment);
    }
    if (!this.onDevice) this.grow(total);
    for (const append of appends) append();
    for (const { first, rows } of groups) rows.forEach((row, i) => (this.past[first + i] += row.length));
    return states.map(floats);
  }

  /** Room for texts of so many tokens in caches of this process's memory. */
  private grow(tokens: number): void {
    if (tokens > this.caches.room) this.makeRoom(roomFor(tokens, this.limit));
  }

  private appendKeys(segment: Segment, result: Record<string, Tensor>, { first, rows }: Group): void {
    this.caches.append(segment, floats(result.new), { first, counts: rows.map((row) => row.length) }, this.past);
  }

  private feedsAndFetches(
    segment: Segment,
    x: Tensor,
    { attention, ends, counts }: Positions,
    group: Group,
  ): [Feeds, Record<string, Tensor | null>] {
    const steps = this.attending(segment);
    const carries = this.carries(segment);
    const feeds: Feeds = {
      x,
      ...this.lastingFeeds(segment, group),
      ...(carries && { counts, ...this.states.feeds(segment, textsOf(group)) }),
      ...(segment.head && { ends }),
      ...((steps.length > 0 || carries) && ofWindows(this.model.architecture, steps, attention)),
    };
    const fetches: Record<string, Tensor | null> = { [segment.head ? 'logits' : 'y']: null };
    for (const name of this.states.results(segment)) fetches[name] = null;
    if (steps.length > 0 && !this.onDevice) fetches.new = null;
    if (this.onDevice) for (const i of steps.keys()) for (const name of cacheNames(i).present) fetches[name] = null;
    return [feeds, fetches];
  }

  /** Caches, rotation tables and products of low rank. */
  private lastingFeeds(segment: Segment, group: Group): Feeds {
    const isWhole = group.rows.length === this.texts && !this.onDevice;
    const known = isWhole ? this.lasting.get(segment) : undefined;
    if (known) return known;
    const { first, rows } = group;
    const feeds: Record<string, Tensor> = {
      ...this.products.of(segment),
      ...this.caches.feeds(segment, this.texts, first, rows.length),
    };
    const steps = this.attending(segment);
    const tables = tableNames(this.model.architecture, steps);
    const rotations = this.rotations.of(this.lengths.classOf(first));
    for (const [i, { block }] of steps.entries()) Object.assign(feeds, rotations.of(block, tables[i]));
    if (isWhole) this.lasting.set(segment, feeds);
    return feeds;
  }

  /** Whether caches stay on the device. They can while the session that owns them is open. */
  private get onDevice(): boolean {
    return this.kept && keepsTensors(this.model.device.provider);
  }

  /** The CPU's fused operator copies caches for each head of the queries; those of devices pass over a cap on scores without an error. */
  private get plain(): boolean {
    return this.model.device.provider === 'cpu' || this.model.architecture.style.scoreCap !== null;
  }

  private get attention(): Pick<Places, 'plain' | 'onDevice'> {
    return { plain: this.plain, onDevice: this.onDevice };
  }

  private get cacheResult(): CacheResult {
    return this.onDevice ? 'present' : 'new';
  }

  private attending({ steps }: Segment): readonly Step[] {
    return mixersOf(this.model.architecture, steps).attending;
  }

  private carries({ steps }: Segment): boolean {
    return mixersOf(this.model.architecture, steps).carrying.length > 0;
  }

  private async session(segment: Segment): Promise<Session> {
    let session = this.sessions.get(segment);
    if (!session) {
      const open = (): Promise<Session> => this.openSession(segment);
      session = await (this.pool ? this.pool.acquire(segment, open) : open());
      this.sessions.set(segment, session);
    }
    return session;
  }

  private openSession(segment: Segment): Promise<Session> {
    const { architecture, weights } = this.model;
    const g = new Graph();
    const shape = { steps: segment.steps, head: segment.head, caches: this.cacheResult, plain: this.plain };
    buildDecoder(g, architecture, shape, segmentBinding(g, weights, segment));
    const present = this.attending(segment).flatMap((_, i) => cacheNames(i).present);
    const onDevice = this.onDevice ? [...present, ...this.states.results(segment)] : undefined;
    return this.model.openSession(g.serialize(), { onDevice, prepack: true });
  }

  private async closeSession(segment: Segment): Promise<void> {
    const session = this.sessions.get(segment);
    this.sessions.delete(segment);
    if (session) await (this.pool ? this.pool.release(segment) : session.close());
  }

  async close(): Promise<void> {
    for (const segment of this.sessions.keys()) await this.closeSession(segment);
    this.caches.dispose();
    this.states.dispose();
    this.lasting.clear();
  }
}

const textsOf = ({ first, rows }: Group): SomeTexts => ({ first, count: rows.length });
