/**
 * Cached decoding of one text, or of several side by side, each with a length of its own. A cache in this process's
 * memory is fed to each run; the run returns only its own keys and values, which are then appended. A cache on a device
 * is returned as a whole by every run.
 *
 * The whole model is one session if its weights fit into memory, in the precision of its products. Otherwise there is a session per step, opened
 * only while it is needed, which is slow.
 */
import { memoryFor } from '../memory';
import { throwIfCancelled } from '../errors';
import { Graph } from '../onnx/graph';
import { fusedHeadDim } from '../onnx/ops/attention';
import { float32, floats, int32, int64, keepsTensors, type Feeds, type Session, type Tensor } from '../onnx/session';
import { withLayers } from '../checkpoint/architecture';
import { bytesOfWeights } from '../weights/bytes';
import { sourceBinding } from './binding';
import { buildDecoder, cacheNames, type CacheResult } from './decode-graph';
import type { Model } from './model';
import { RotationTables } from './positions';
import { rotaryNames } from './rotary';
import { stepsOf, type Step, type View } from './view';

/** Prompt tokens per run: few enough that cancellation takes effect between runs. */
const TOKENS_PER_RUN = 256;
/** `GroupQueryAttention` of the WebGPU provider gives wrong results for 32 or more new tokens. */
const TOKENS_PER_RUN_WEBGPU = 31;
/** Weights in the graph may take at most this many bytes, because a model file in memory is limited to 2 GiB. */
const MAX_BYTES_IN_GRAPH = 2 ** 30;

/** Caches in this process's memory grow by this many tokens. The operator copies a cache with all of its room. */
const GROWTH = 64;

/** Consecutive steps in one session. */
interface Segment {
  readonly steps: readonly Step[];
  readonly head: boolean;
}

/** New tokens of some consecutive texts, each text's at once. */
interface Group {
  /** The first of the texts. */
  readonly first: number;
  /** As many for each, unless these are the first tokens of the texts; with several for a text that goes on, one text. */
  readonly rows: readonly (readonly number[])[];
}

/** The steps with a cache. */
function attending({ steps }: Segment): readonly Step[] {
  return steps.filter((step) => step.attention);
}

export class Decoder {
  private readonly sessions = new Map<Segment, Session>();
  private caches: Record<string, Tensor> = {};
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
    /** Maximum tokens of the caches. */
    readonly capacity: number,
  ) {
    this.rotations = new RotationTables(model.architecture, capacity);
  }

  /**
   * @param capacity tokens of prompt and continuation together
   * @param texts that are written side by side: one by `append`, several by `appendToEach`
   */
  static async open(model: Model, view: View, capacity: number, texts = 1): Promise<Decoder> {
    const { architecture: a } = model;
    const steps = stepsOf(view);
    const { bytesInGraph } = model.weights;
    const computed = withLayers(
      a,
      steps.map((step) => step.block),
    );
    const bytes = bytesOfWeights(computed, model.precision) + bytesInGraph;
    const fits = bytes < memoryFor('decoding') && bytesInGraph <= MAX_BYTES_IN_GRAPH;
    const whole: Segment[] = [{ steps, head: true }];
    const apart: Segment[] = [...steps.map((s) => ({ steps: [s], head: false })), { steps: [], head: true }];
    const decoder = new Decoder(model, fits ? whole : apart, capacity);
    decoder.restart(texts);
    if (decoder.kept) await decoder.session(decoder.segments[0]);
    return decoder;
  }

  /** Whether the model stays in memory between calls. */
  get kept(): boolean {
    return this.segments.length === 1;
  }

  /** Texts side by side. */
  get texts(): number {
    return this.past.length;
  }

  /** Forgets all texts; that many start over. @param capacity tokens of each, at most the decoder's */
  restart(texts: number, capacity = this.capacity): void {
    for (const cache of Object.values(this.caches)) cache.dispose();
    this.caches = {};
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
    for (const { block, cache, name, rowSize } of this.hostCaches()) {
      const fewer = new Float32Array(texts.length * rowSize);
      texts.forEach((text, i) => fewer.set(cache.subarray(text * rowSize, (text + 1) * rowSize), i * rowSize));
      this.caches[name] = float32(fewer, this.cacheShape(block, texts.length, this.room));
    }
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
    const feeds: Record<string, Tensor> = { x };
    const fetches: Record<string, Tensor | null> = { [segment.head ? 'logits' : 'y']: null };
    const steps = attending(segment);
    if (segment.head) feeds.ends = ends;
    if (steps.length > 0) Object.assign(feeds, attention);
    for (const step of steps) {
      Object.assign(feeds, this.rotations.of(step.block, rotaryNames(this.model.architecture, step.block)));
      const names = cacheNames(step);
      for (const name of names.past) feeds[name] = this.cacheOf(name, step.block, group);
      for (const name of names[this.cacheResult]) fetches[name] = null;
    }
    return [feeds, fetches];
  }

  /** The part of a cache that belongs to a group's texts; it shares the cache's memory. */
  private cacheOf(name: string, block: number, { first, rows }: Group): Tensor {
    const whole = this.caches[name];
    if (rows.length === this.texts) return whole;
    const shape = this.cacheShape(block, rows.length, this.room);
    const size = shape.slice(1).reduce((a, b) => a * b);
    return float32(floats(whole).subarray(first * size, (first + rows.length) * size), shape);
  }

  private cacheShape(block: number, texts: number, room: number): readonly number[] {
    const { kvHeads, headDim } = this.model.architecture.layers[block];
    return [texts, kvHeads, room, fusedHeadDim(headDim)];
  }

  /** The caches in this process's memory. `rowSize`: numbers of a text. */
  private hostCaches(): {
    readonly block: number;
    readonly name: string;
    readonly cache: Float32Array;
    readonly rowSize: number;
  }[] {
    return this.segments.flatMap(attending).flatMap((step) =>
      cacheNames(step).past.map((name) => {
        const cache = floats(this.caches[name]);
        return { block: step.block, name, cache, rowSize: cache.length / this.texts };
      }),
    );
  }

  /** Replaces the caches by larger ones, (texts, kvHeads, room, fusedHeadDim) each, with the same content. */
  private makeRoom(room: number): void {
    for (const step of this.segments.flatMap(attending)) {
      const { kvHeads, headDim } = this.model.architecture.layers[step.block];
      const width = fusedHeadDim(headDim);
      const [before, after] = [this.room * width, room * width];
      for (const name of cacheNames(step).past) {
        const old = before > 0 ? floats(this.caches[name]) : undefined;
        const cache = new Float32Array(this.texts * kvHeads * after);
        for (let head = 0; old && head < this.texts * kvHeads; head++) {
          const used = this.past[Math.floor(head / kvHeads)] * width;
          cache.set(old.subarray(head * before, head * before + used), head * after);
        }
        this.caches[name] = float32(cache, this.cacheShape(step.block, this.texts, room));
      }
    }
    this.room = room;
  }

  /** Whether caches stay on the device. They can while the sessions that own them are open. */
  private get onDevice(): boolean {
    return this.kept && keepsTensors(this.model.device.provider);
  }

  private get cacheResult(): CacheResult {
    return this.onDevice ? 'present' : 'new';
  }

  private keepCaches(segment: Segment, result: Record<string, Tensor>, group: Group): void {
    for (const step of attending(segment)) {
      const names = cacheNames(step);
      names.past.forEach((name, i) => {
        const given = result[names[this.cacheResult][i]];
        if (this.onDevice) {
          this.caches[name].dispose();
          this.caches[name] = given;
        } else this.writeBehind(step, floats(this.caches[name]), floats(given), group);
      });
    }
  }

  /** Appends the new `rows`, (texts · length, kvHeads · headDim), to the step's `cache`. */
  private writeBehind({ block }: Step, cache: Float32Array, given: Float32Array, { first, rows }: Group): void {
    const { kvHeads, headDim } = this.model.architecture.layers[block];
    const width = fusedHeadDim(headDim);
    const length = longest(rows);
    for (const [i, row] of rows.entries()) {
      const text = first + i;
      for (let position = 0; position < row.length; position++) {
        for (let head = 0; head < kvHeads; head++) {
          const from = ((i * length + position) * kvHeads + head) * headDim;
          const to = ((text * kvHeads + head) * this.room + this.past[text] + position) * width;
          cache.set(given.subarray(from, from + headDim), to);
        }
      }
    }
  }

  private async session(segment: Segment): Promise<Session> {
    let session = this.sessions.get(segment);
    if (!session) {
      const { architecture, weights } = this.model;
      const g = new Graph();
      const binding = sourceBinding(g, weights);
      const shape = { steps: segment.steps, head: segment.head, caches: this.cacheResult };
      buildDecoder(g, architecture, shape, binding);
      const onDevice = this.onDevice ? attending(segment).flatMap((step) => cacheNames(step).present) : undefined;
      session = await this.model.openSession(g.serialize(), { onDevice, prepack: true });
      this.sessions.set(segment, session);
    }
    return session;
  }

  private async closeSession(segment: Segment): Promise<void> {
    await this.sessions.get(segment)?.close();
    this.sessions.delete(segment);
  }

  async close(): Promise<void> {
    for (const segment of this.sessions.keys()) await this.closeSession(segment);
    for (const tensor of Object.values(this.caches)) tensor.dispose();
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
