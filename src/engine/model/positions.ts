/** What a run must be told of positions, for rows of one length that start at position 0. */
import type { Architecture } from '../checkpoint/architecture';
import { float32, int32, type Feeds, type Tensor } from '../onnx/session';
import { rotaryTable } from './rotary';

export class Positions {
  private readonly rotary: Feeds;
  private readonly fusedFeeds = new Map<number, Feeds>();
  private readonly masks = new Map<number | null, Tensor>();

  constructor(
    private readonly architecture: Architecture,
    /** Tokens of a row. */
    readonly length: number,
  ) {
    this.rotary = rotaryFeeds(architecture, length);
  }

  /** For fused attention: cos, sin, lastPositions, totalLength. */
  fused(rows: number): Feeds {
    let feeds = this.fusedFeeds.get(rows);
    if (!feeds) {
      const lastPositions = int32(new Int32Array(rows).fill(this.length - 1), [rows]);
      feeds = { ...this.rotary, lastPositions, totalLength: int32([this.length], [1]) };
      this.fusedFeeds.set(rows, feeds);
    }
    return feeds;
  }

  /** For plain attention in the given block: cos, sin, mask. */
  plain(block: number): Feeds {
    const window = this.architecture.slidingWindow[block];
    let mask = this.masks.get(window);
    if (!mask) this.masks.set(window, (mask = causalMask(this.length, window)));
    return { ...this.rotary, mask };
  }
}

/** The rotation's tables for positions 0 … length − 1: cos and sin, (length, headDim / 2). */
export function rotaryFeeds(architecture: Architecture, length: number): Feeds {
  const { cos, sin } = rotaryTable(architecture, length);
  const shape = [length, architecture.headDim / 2];
  return { cos: float32(cos, shape), sin: float32(sin, shape) };
}

/** 0 where position i may see position j, else a number that the softmax turns to nothing. (length, length) */
export function causalMask(length: number, window: number | null): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      if (j > i || (window !== null && j <= i - window)) mask[i * length + j] = -1e30;
    }
  }
  return float32(mask, [length, length]);
}
