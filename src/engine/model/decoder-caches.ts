/**
 * Keys and values of the earlier tokens of some texts, for each block that attends. In this process's memory they grow, and
 * a run's new ones are appended; on a device every run returns them as a whole.
 */
import type { Architecture } from '../checkpoint/architecture';
import { attentionOf, windowOf } from '../checkpoint/kinds/parts';
import { fusedHeadDim } from '../onnx/ops/attention';
import { float32, floats, int64, type Feeds, type Tensor } from '../onnx/session';
import { cacheNames, maskName, mixersOf } from './decode-graph';
import type { Segment } from './segments';

/** Caches in this process's memory grow by this many tokens. Every run reads a cache with all of its room. */
const GROWTH = 64;

/** The room of growing caches that have to hold so many tokens. */
export const roomFor = (tokens: number, limit: number): number => Math.min(limit, Math.ceil(tokens / GROWTH) * GROWTH);

/** Keys and values of a block. */
type Cache = readonly [Tensor, Tensor];

/** Some consecutive texts with the number of new tokens of each. */
export interface NewTokens {
  readonly first: number;
  readonly counts: readonly number[];
}

/** A score whose softmax is 0 beside any other. */
const HIDDEN = -1e30;

/** New tokens of some texts, as many for each, and the caches before them. */
interface SlottedRun {
  /** Tokens of each text so far. */
  readonly starts: readonly number[];
  readonly length: number;
  /** Of the caches. */
  readonly room: number;
}

/**
 * What plain products over caches are fed (decode-graph.ts): what each new token sees of the slots and of the new tokens.
 * @param places whether the graph puts the new tokens into the caches; all texts have one length then
 */
export function slotFeeds({ layers }: Architecture, run: SlottedRun, places: boolean): Feeds {
  const { starts, length, room } = run;
  const feeds: Record<string, Tensor> = {};
  for (const window of new Set(layers.map(windowOf))) feeds[maskName(window)] = slotMask(run, window);
  if (!places) return feeds;
  const [start] = starts;
  const tokens = Array.from({ length: room }, (_, slot) => Math.min(Math.max(slot - start, 0), length - 1));
  const fresh = Float32Array.from(tokens, (_, slot) => Number(slot >= start && slot < start + length));
  return { ...feeds, slots: int64(tokens, [room]), fresh: float32(fresh, [room, 1]) };
}

/** (texts, 1, length, room + length) */
function slotMask({ starts, length, room }: SlottedRun, window: number | null): Tensor {
  const width = room + length;
  const mask = new Float32Array(starts.length * length * width).fill(HIDDEN);
  for (const [text, start] of starts.entries()) {
    for (let token = 0; token < length; token++) {
      const row = (text * length + token) * width;
      const first = window === null ? 0 : Math.max(0, start + token - window + 1); // position
      mask.fill(0, row + Math.min(first, start), row + start);
      mask.fill(0, row + room + Math.max(0, first - start), row + room + token + 1);
    }
  }
  return float32(mask, [starts.length, 1, length, width]);
}

export class DecoderCaches {
  /** By block. */
  private caches = new Map<number, Cache>();
  /** Tokens that the caches have room for. */
  room = 0;

  constructor(
    private readonly architecture: Architecture,
    private readonly segments: readonly Segment[],
  ) {}

  /**
   * Replaces the caches by larger ones, (texts, kvHeads, room, fusedHeadDim) each, with the same content.
   * @param past tokens of each text so far
   */
  makeRoom(past: readonly number[], room: number): void {
    const texts = past.length;
    for (const { block } of this.segments.flatMap((segment) => this.attending(segment))) {
      const { kvHeads, headDim } = attentionOf(this.architecture.layers[block]);
      const width = fusedHeadDim(headDim);
      const [before, after] = [this.room * width, room * width];
      const larger = (which: number): Tensor => {
        const old = before > 0 ? floats(this.caches.get(block)![which]) : undefined;
        const cache = new Float32Array(texts * kvHeads * after);
        for (let head = 0; old && head < texts * kvHeads; head++) {
          const used = past[Math.floor(head / kvHeads)] * width;
          cache.set(old.subarray(head * before, head * before + used), head * after);
        }
        return float32(cache, this.shape(block, texts, room));
      };
      this.caches.set(block, [larger(0), larger(1)]);
    }
    this.room = room;
  }

  /** Forgets all but some of `texts` texts. @param kept indices, ascending */
  keep(texts: number, kept: readonly number[]): void {
    for (const [block, cache] of this.caches) {
      const [keys, values] = cache.map((whole) => {
        const size = floats(whole).length / texts;
        const fewer = new Float32Array(kept.length * size);
        kept.forEach((text, i) => fewer.set(floats(whole).subarray(text * size, (text + 1) * size), i * size));
        return float32(fewer, this.shape(block, kept.length, this.room));
      });
      this.caches.set(block, [keys, values]);
    }
  }

  /** The feeds of a segment for `rows` of `texts` texts from `first` on; they share the caches' memory. */
  feeds(segment: Segment, texts: number, first: number, rows: number): Feeds {
    const feeds: Record<string, Tensor> = {};
    for (const [i, { block }] of this.attending(segment).entries()) {
      cacheNames(i).past.forEach((name, which) => (feeds[name] = this.part(block, which, texts, first, rows)));
    }
    return feeds;
  }

  /** The part of a block's keys (0) or values (1) that belongs to some texts. */
  private part(block: number, which: number, texts: number, first: number, rows: number): Tensor {
    const whole = this.caches.get(block)![which];
    if (rows === texts) return whole;
    const shape = this.shape(block, rows, this.room);
    const size = shape.slice(1).reduce((a, b) => a * b);
    return float32(floats(whole).subarray(first * size, (first + rows) * size), shape);
  }

  /** Takes over what a run on a device returned. */
  adopt(segment: Segment, result: Readonly<Record<string, Tensor>>): void {
    for (const [i, { block }] of this.attending(segment).entries()) {
      for (const tensor of this.caches.get(block)!) tensor.dispose();
      const [keys, values] = cacheNames(i).present.map((name) => result[name]);
      this.caches.set(block, [keys, values]);
    }
  }

  /**
   * Appends what a run returned: for each token of `given` the keys and values of each step in turn.
   * @param past tokens of each text before the run
   */
  append(segment: Segment, given: Float32Array, { first, counts }: NewTokens, past: readonly number[]): void {
    const length = Math.max(...counts);
    const perToken = given.length / (counts.length * length);
    let offset = 0; // of the numbers of a cache among those of a token
    for (const { block } of this.attending(segment)) {
      const { kvHeads, headDim } = attentionOf(this.architecture.layers[block]);
      const width = fusedHeadDim(headDim);
      for (const tensor of this.caches.get(block)!) {
        const cache = floats(tensor);
        for (const [i, count] of counts.entries()) {
          const text = first + i;
          for (let position = 0; position < count; position++) {
            const token = (i * length + position) * perToken + offset;
            for (let head = 0; head < kvHeads; head++) {
              const from = token + head * headDim;
              const to = ((text * kvHeads + head) * this.room + past[text] + position) * width;
              cache.set(given.subarray(from, from + headDim), to);
            }
          }
        }
        offset += kvHeads * headDim;
      }
    }
  }

  dispose(): void {
    for (const cache of this.caches.values()) for (const tensor of cache) tensor.dispose();
    this.caches.clear();
    this.room = 0;
  }

  private attending({ steps }: Segment): ReturnType<typeof mixersOf>['attending'] {
    return mixersOf(this.architecture, steps).attending;
  }

  private shape(block: number, texts: number, room: number): readonly number[] {
    const { kvHeads, headDim } = attentionOf(this.architecture.layers[block]);
    return [texts, kvHeads, room, fusedHeadDim(headDim)];
  }
}
