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
import { fusedHeadDim } from '../onnx/ops/attention';
import { float32, floats, int32, int64, keepsTensors, type Feeds, type Session, type Tensor } from '../onnx/session';
import { buildDecoder, cacheNames, type CacheResult } from './decode-graph';
import type { DecoderPool } from './decoder-pool';
import type { Model } from './model';
import { RotationTables } from './positions';
import { tableNames } from './rotary';
import { FedProducts, segmentBinding } from './segment-products';
import { attending, type Segment, segmentsApart, segmentsInMemory } from './segments';
import type { View } from './view';

/** Prompt tokens per run: few enough that cancellation takes effect between runs. */
const TOKENS_PER_RUN = 256;
/** `GroupQueryAttention` of the WebGPU provider gives wrong results for 32 or more new tokens. */
const TOKENS_PER_RUN_WEBGPU = 31;
/** Caches in this process's memory grow by this many tokens. The operator copies a cache with all of its room. */
const GROWTH = 64;

/** New tokens of some consecutive texts, each text's at once. */
interface Group {
  /** The first of the texts. */
  readonly first: number;
  /** As many for each, unless these are the first tokens of the texts; with several for a text that goes on, one text. */
  readonly rows: readonly (readonly number[])[];
}

/** Keys and values of a block's earlier tokens. */
type Cache = readonly [Tensor, Tensor];

export class Decoder {
  private readonly sessions = new Map<Segment, Session>();
  /** By block. */
  private caches = new Map<number, Cache>();
  /** Feeds that stay the same while the texts and the room of the caches do. */
  private readonly lasting = new Map<Segment, Feeds>();
  private readonly products: FedProducts;
  private readonly rotations: RotationTables;
  /** Tokens of each text so far. */
  private past: number[] = [];
  /** Maximum tokens of the caches, now. */
  private limit = 0;
  /** Tokens that the caches currently have room for. */
  private room = 0;

  private constructor(
    private readonly model: Model,
    private readonly segments: readonly Segment[],
    /** Whether the sessions stay open between calls. */
    readonly kept: boolean,
    /** Maximum tokens of the caches. */
    readonly capacity: number,
    private readonly pool: DecoderPool | undefined,
  ) {
    this.rotations = new RotationTables(model.architecture, capacity);
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
    this.disposeCaches();
    this.past = Array<number>(texts).fill(0);
    this.limit = capacity;
    this.room = 0;
    this.makeRoom(this.onDevice ? capacity : Math.min(GROWTH, capacity));
  }

  /**
   * Appends tokens to the only text.
   * @returns the logits of the next token, (vocabulary); valid until the next call
   * @throws CancelledError
   */
  async append(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    return this.appendTo(0, ids, signal);
  }

  /**
   * Appends a token to each text.
   * @returns the logits of what follows each, (texts, vocabulary); valid until the next call
   */
  async appendToEach(ids: readonly number[]): Promise<Float32Array> {
    const [logits] = await this.run([{ first: 0, rows: ids.map((id) => [id]) }]);
    return logits;
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
    if (this.onDevice) return this.beginOnDevice(prompts, signal);
    const { vocabulary } = this.model.architecture;
    const all = new Float32Array(prompts.length * vocabulary);
    // A prompt that is longer than a run goes alone, the others together.
    for (const [text, prompt] of prompts.entries()) {
      if (prompt.length > TOKENS_PER_RUN) all.set(await this.appendTo(text, prompt, signal), text * vocabulary);
    }
    const groups = groupsOf(prompts);
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
    const kept = texts.map((text) => this.past[text]);
    for (const [block, cache] of this.caches) {
      const [keys, values] = cache.map((whole) => {
        const size = floats(whole).length / this.texts;
        const fewer = new Float32Array(texts.length * size);
        texts.forEach((text, i) => fewer.set(floats(whole).subarray(text * size, (text + 1) * size), i * size));
        return float32(fewer, this.cacheShape(block, texts.length, this.room));
      });
      this.caches.set(block, [keys, values]);
    }
    this.lasting.clear();
    this.past = kept;
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
  private async beginOnDevice(
    prompts: readonly (readonly number[])[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const { length } = prompts[0];
    if (prompts.some((prompt) => prompt.length !== length)) throw new Error('prompts on a device have one length');
    let logits = new Float32Array(0) as Float32Array;
    for (let at = 0; at < length; at++) {
      throwIfCancelled(signal);
      logits = await this.appendToEach(prompts.map((prompt) => prompt[at]));
    }
    return logits;
  }

  /** One pass over the model. @returns for each group the logits of what follows, (texts, vocabulary) */
  private async run(groups: readonly Group[]): Promise<Float32Array[]> {
    const total = Math.max(...groups.map((group) => this.lengthAfter(group)));
    if (!this.onDevice && total > this.room) this.makeRoom(Math.min(this.limit, Math.ceil(total / GROWTH) * GROWTH));
    const positions = groups.map((group) => this.positionsOf(group));
    let states: Tensor[] = [];
    for (const group of groups) states.push(await this.embed(group));
    for (const segment of this.segments) {
      const session = await this.session(segment);
      const next: Tensor[] = [];
      for (const [i, group] of groups.entries()) {
        const result = await session.run(...this.feedsAndFetches(segment, states[i], positions[i], group));
        this.keepCaches(segment, result, group);
        next.push(segment.head ? result.logits : result.y);
      }
      states = next;
      if (!this.kept) await this.closeSession(segment);
    }
    for (const { first, rows } of groups) rows.forEach((row, i) => (this.past[first + i] += row.length));
    return states.map(floats);
  }

  /** Tokens of the longest text of a group, with its new ones. */
  private lengthAfter({ first, rows }: Group): number {
    return Math.max(...rows.map((row, i) => this.past[first + i] + row.length));
  }

  /** The states of a group's new tokens, (texts · length, hidden). A shorter row repeats its last token. */
  private async embed({ rows }: Group): Promise<Tensor> {
    const { hidden } = this.model.architecture;
    const length = longest(rows);
    const ids = rows.flatMap((row) => Array.from({ length }, (_, i) => row[Math.min(i, row.length - 1)]));
    return float32(await this.model.embedding.lookUp(ids), [ids.length, hidden]);
  }

  /** Feeds about the places of a group's new tokens. */
  private positionsOf(group: Group): { readonly attention: Feeds; readonly ends: Tensor } {
    const { first, rows } = group;
    const length = longest(rows);
    const starts = rows.map((_, i) => this.past[first + i]);
    const places = starts.flatMap((start) => Array.from({ length }, (_, i) => Math.min(start + i, this.capacity - 1)));
    const lasts = rows.map((row, i) => starts[i] + row.length - 1);
    const ends = rows.map((row, i) => i * length + row.length - 1);
    return {
      attention: {
        lastPositions: int32(lasts, [rows.length]),
        totalLength: int32([this.lengthAfter(group)], [1]),
        positions: int64(places, [rows.length, length]),
      },
      ends: int64(ends, [rows.length]),
    };
  }

  private feedsAndFetches(
    segment: Segment,
    x: Tensor,
    { attention, ends }: ReturnType<Decoder['positionsOf']>,
    group: Group,
  ): [Feeds, Record<string, Tensor | null>] {
    const steps = attending(segment);
    const feeds: Feeds = {
      x,
      ...this.lastingFeeds(segment, group),
      ...(segment.head && { ends }),
      ...(steps.length > 0 && attention),
    };
    const fetches: Record<string, Tensor | null> = { [segment.head ? 'logits' : 'y']: null };
    if (steps.length > 0 && !this.onDevice) fetches.new = null;
    if (this.onDevice) for (const i of steps.keys()) for (const name of cacheNames(i).present) fetches[name] = null;
    return [feeds, fetches];
  }

  /** Caches, rotation tables and products of low rank. */
  private lastingFeeds(segment: Segment, group: Group): Feeds {
    const isWhole = group.rows.length === this.texts && !this.onDevice;
    const known = isWhole ? this.lasting.get(segment) : undefined;
    if (known) return known;
    const feeds: Record<string, Tensor> = { ...this.products.of(segment) };
    const steps = attending(segment);
    const tables = tableNames(this.model.architecture, steps);
    for (const [i, { block }] of steps.entries()) {
      Object.assign(feeds, this.rotations.of(block, tables[i]));
      cacheNames(i).past.forEach((name, which) => (feeds[name] = this.cacheOf(block, which, group)));
    }
    if (isWhole) this.lasting.set(segment, feeds);
    return feeds;
  }

  /** The part of a block's keys (0) or values (1) that belongs to a group's texts; it shares the cache's memory. */
  private cacheOf(block: number, which: number, { first, rows }: Group): Tensor {
    const whole = this.caches.get(block)![which];
    if (rows.length === this.texts) return whole;
    const shape = this.cacheShape(block, rows.length, this.room);
    const size = shape.slice(1).reduce((a, b) => a * b);
    return float32(floats(whole).subarray(first * size, (first + rows.length) * size), shape);
  }

  private cacheShape(block: number, texts: number, room: number): readonly number[] {
    const { kvHeads, headDim } = this.model.architecture.layers[block];
    return [texts, kvHeads, room, fusedHeadDim(headDim)];
  }

  /** Replaces the caches by larger ones, (texts, kvHeads, room, fusedHeadDim) each, with the same content. */
  private makeRoom(room: number): void {
    for (const { block } of this.segments.flatMap(attending)) {
      const { kvHeads, headDim } = this.model.architecture.layers[block];
      const width = fusedHeadDim(headDim);
      const [before, after] = [this.room * width, room * width];
      const larger = (which: number): Tensor => {
        const old = before > 0 ? floats(this.caches.get(block)![which]) : undefined;
        const cache = new Float32Array(this.texts * kvHeads * after);
        for (let head = 0; old && head < this.texts * kvHeads; head++) {
          const used = this.past[Math.floor(head / kvHeads)] * width;
          cache.set(old.subarray(head * before, head * before + used), head * after);
        }
        return float32(cache, this.cacheShape(block, this.texts, room));
      };
      this.caches.set(block, [larger(0), larger(1)]);
    }
    this.lasting.clear();
    this.room = room;
  }

  private disposeCaches(): void {
    for (const cache of this.caches.values()) for (const tensor of cache) tensor.dispose();
    this.caches.clear();
    this.lasting.clear();
  }

  /** Whether caches stay on the device. They can while the session that owns them is open. */
  private get onDevice(): boolean {
    return this.kept && keepsTensors(this.model.device.provider);
  }

  private get cacheResult(): CacheResult {
    return this.onDevice ? 'present' : 'new';
  }

  private keepCaches(segment: Segment, result: Record<string, Tensor>, group: Group): void {
    const steps = attending(segment);
    if (!this.onDevice) {
      if (steps.length > 0) this.writeBehind(segment, floats(result.new), group);
      return;
    }
    for (const [i, { block }] of steps.entries()) {
      for (const tensor of this.caches.get(block)!) tensor.dispose();
      const [keys, values] = cacheNames(i).present.map((name) => result[name]);
      this.caches.set(block, [keys, values]);
    }
  }

  /** Appends to the caches what a run gave: for each token of `given` the keys and values of each step in turn. */
  private writeBehind(segment: Segment, given: Float32Array, { first, rows }: Group): void {
    const { layers } = this.model.architecture;
    const length = longest(rows);
    const perToken = given.length / (rows.length * length);
    let offset = 0; // of the numbers of a cache among those of a token
    for (const { block } of attending(segment)) {
      const { kvHeads, headDim } = layers[block];
      const width = fusedHeadDim(headDim);
      for (const tensor of this.caches.get(block)!) {
        const cache = floats(tensor);
        for (const [i, row] of rows.entries()) {
          const text = first + i;
          for (let position = 0; position < row.length; position++) {
            const token = (i * length + position) * perToken + offset;
            for (let head = 0; head < kvHeads; head++) {
              const from = token + head * headDim;
              const to = ((text * kvHeads + head) * this.room + this.past[text] + position) * width;
              cache.set(given.subarray(from, from + headDim), to);
            }
          }
        }
        offset += kvHeads * headDim;
      }
    }
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
    const shape = { steps: segment.steps, head: segment.head, caches: this.cacheResult };
    buildDecoder(g, architecture, shape, segmentBinding(g, weights, segment));
    const present = attending(segment).flatMap((_, i) => cacheNames(i).present);
    const onDevice = this.onDevice ? present : undefined;
    return this.model.openSession(g.serialize(), { onDevice, prepack: true });
  }

  private async closeSession(segment: Segment): Promise<void> {
    const session = this.sessions.get(segment);
    this.sessions.delete(segment);
    if (session) await (this.pool ? this.pool.release(segment) : session.close());
  }

  async close(): Promise<void> {
    for (const segment of this.sessions.keys()) await this.closeSession(segment);
    this.disposeCaches();
  }
}

const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length));

/** Neighbours whose first tokens fit into one run, filled up to the longest of them; no prompt that is longer than a run. */
function groupsOf(prompts: readonly (readonly number[])[]): Group[] {
  const groups: { first: number; rows: (readonly number[])[] }[] = [];
  for (const [text, prompt] of prompts.entries()) {
    if (prompt.length > TOKENS_PER_RUN) continue;
    const last = groups.at(-1);
    const isNext = last !== undefined && last.first + last.rows.length === text;
    if (isNext && (last.rows.length + 1) * longest([...last.rows, prompt]) <= TOKENS_PER_RUN) last.rows.push(prompt);
    else groups.push({ first: text, rows: [prompt] });
  }
  return groups;
}
