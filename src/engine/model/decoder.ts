/**
 * Cached decoding of one text, or of several side by side. A cache in this process's memory is fed to each run; the run
 * returns only its own keys and values, which are then appended. A cache on a device is returned as a whole by every
 * run.
 *
 * The whole model is one session if its float32 weights fit into memory. Otherwise there is a session per step, opened
 * only while it is needed, which is slow.
 */
import { memoryFor } from '../memory';
import { throwIfCancelled } from '../errors';
import { Graph } from '../onnx/graph';
import { fusedHeadDim } from '../onnx/ops/attention';
import { float32, floats, int32, int64, keepsTensors, type Feeds, type Session, type Tensor } from '../onnx/session';
import { withLayers } from '../checkpoint/architecture';
import { parametersOf } from '../checkpoint/parameters';
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

/** The steps with a cache. */
function attending({ steps }: Segment): readonly Step[] {
  return steps.filter((step) => step.attention);
}

export class Decoder {
  private readonly sessions = new Map<Segment, Session>();
  private readonly caches: Record<string, Tensor> = {};
  private readonly rotations: RotationTables;
  private past = 0;
  /** Tokens that the caches currently have room for. */
  private room = 0;

  private constructor(
    private readonly model: Model,
    private readonly segments: readonly Segment[],
    /** Maximum tokens of the caches. */
    readonly capacity: number,
    /** Texts that are generated side by side. */
    private readonly texts: number,
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
    const bytes = 4 * parametersOf(computed) + bytesInGraph;
    const fits = bytes < memoryFor('decoding') && bytesInGraph <= MAX_BYTES_IN_GRAPH;
    const whole: Segment[] = [{ steps, head: true }];
    const apart: Segment[] = [...steps.map((s) => ({ steps: [s], head: false })), { steps: [], head: true }];
    const decoder = new Decoder(model, fits ? whole : apart, capacity, texts);
    decoder.makeRoom(decoder.onDevice ? capacity : Math.min(GROWTH, capacity));
    if (decoder.kept) await decoder.session(decoder.segments[0]);
    return decoder;
  }

  /** Whether sessions stay open between calls. */
  private get kept(): boolean {
    return this.segments.length === 1;
  }

  /**
   * Appends tokens to the text.
   * @returns the logits of the next token, (vocabulary); valid until the next call
   * @throws CancelledError
   */
  async append(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const limit = this.model.device.provider === 'webgpu' ? TOKENS_PER_RUN_WEBGPU : TOKENS_PER_RUN;
    let logits = new Float32Array(0) as Float32Array;
    for (let at = 0; at < ids.length; at += limit) {
      throwIfCancelled(signal);
      const some = ids.slice(at, at + limit);
      logits = await this.run(some, some.length);
    }
    return logits;
  }

  /**
   * Appends a token to each text.
   * @returns the logits of what follows each, (texts, vocabulary); valid until the next call
   */
  appendToEach(ids: readonly number[]): Promise<Float32Array> {
    return this.run(ids, 1);
  }

  /** @param length new tokens of each text */
  private async run(ids: readonly number[], length: number): Promise<Float32Array> {
    const { hidden } = this.model.architecture;
    const total = this.past + length;
    if (!this.onDevice && total > this.room) this.makeRoom(Math.min(this.capacity, Math.ceil(total / GROWTH) * GROWTH));
    const position: Feeds = {
      lastPositions: int32(new Int32Array(this.texts).fill(total - 1), [this.texts]),
      totalLength: int32([total], [1]),
      offset: int64([this.past], [1]),
    };
    let x = float32(await this.model.embedding.lookUp(ids), [ids.length, hidden]);
    for (const segment of this.segments) {
      const session = await this.session(segment);
      const result = await session.run(...this.feedsAndFetches(segment, x, position));
      this.keepCaches(segment, result, length);
      x = segment.head ? result.logits : result.y;
      if (!this.kept) await this.closeSession(segment);
    }
    this.past = total;
    return floats(x);
  }

  private feedsAndFetches(segment: Segment, x: Tensor, position: Feeds): [Feeds, Record<string, Tensor | null>] {
    const feeds: Record<string, Tensor> = { x };
    const fetches: Record<string, Tensor | null> = { [segment.head ? 'logits' : 'y']: null };
    const steps = attending(segment);
    if (steps.length > 0) Object.assign(feeds, position);
    for (const step of steps) {
      Object.assign(feeds, this.rotations.of(step.block, rotaryNames(this.model.architecture, step.block)));
      const names = cacheNames(step);
      for (const name of names.past) feeds[name] = this.caches[name];
      for (const name of names[this.cacheResult]) fetches[name] = null;
    }
    return [feeds, fetches];
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
          cache.set(old.subarray(head * before, head * before + this.past * width), head * after);
        }
        this.caches[name] = float32(cache, [this.texts, kvHeads, room, width]);
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

  private keepCaches(segment: Segment, result: Record<string, Tensor>, length: number): void {
    for (const step of attending(segment)) {
      const names = cacheNames(step);
      names.past.forEach((name, i) => {
        const given = result[names[this.cacheResult][i]];
        if (this.onDevice) {
          this.caches[name].dispose();
          this.caches[name] = given;
        } else this.writeBehind(step, floats(this.caches[name]), floats(given), length);
      });
    }
  }

  /** Appends `rows`, (texts · length, kvHeads · headDim), to the step's `cache`. */
  private writeBehind({ block }: Step, cache: Float32Array, rows: Float32Array, length: number): void {
    const { kvHeads, headDim } = this.model.architecture.layers[block];
    for (let i = 0; i * headDim < rows.length; i++) {
      const [text, position, head] = [Math.floor(i / kvHeads / length), Math.floor(i / kvHeads) % length, i % kvHeads];
      const at = (text * kvHeads + head) * this.room + this.past + position;
      cache.set(rows.subarray(i * headDim, (i + 1) * headDim), at * fusedHeadDim(headDim));
    }
  }

  private async session(segment: Segment): Promise<Session> {
    let session = this.sessions.get(segment);
    if (!session) {
      const { architecture, weights } = this.model;
      const g = new Graph();
      const { texts, cacheResult } = this;
      const binding = sourceBinding(g, weights);
      buildDecoder(g, architecture, { steps: segment.steps, head: segment.head, texts, caches: cacheResult }, binding);
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
