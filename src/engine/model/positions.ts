/** Feeds about positions, for rows of one length that start at position 0. */
import type { Architecture } from '../checkpoint/architecture';
import { attentionIn, windowOf } from '../checkpoint/kinds/parts';
import { float32, int32, type Feeds, type Tensor } from '../onnx/session';
import { pairsOf, rotaryNames, rotaryTable, type RotaryNames } from './rotary';

export class Positions {
  private readonly tables: RotationTables;
  private readonly starts = new Map<number, Feeds>();
  private readonly masks = new Map<number | null, Tensor>();

  constructor(
    private readonly architecture: Architecture,
    /** Tokens of a row. */
    readonly length: number,
  ) {
    this.tables = new RotationTables(architecture, length);
  }

  /** For fused attention in the given block: cos, sin, lastPositions, totalLength. */
  fused(rows: number, block: number): Feeds {
    let start = this.starts.get(rows);
    if (!start) {
      const lastPositions = int32(new Int32Array(rows).fill(this.length - 1), [rows]);
      start = { lastPositions, totalLength: int32([this.length], [1]) };
      this.starts.set(rows, start);
    }
    return { ...this.tables.of(block), ...start };
  }

  /** For plain attention in the given block: cos, sin, mask. */
  plain(block: number): Feeds {
    const window = windowOf(this.architecture.layers[block]);
    let mask = this.masks.get(window);
    if (!mask) this.masks.set(window, (mask = causalMask(this.length, window)));
    return { ...this.tables.of(block), mask };
  }
}

/** The rotation tables of texts by the class of their length. Those of two classes are kept: with dynamic scaling every token makes one. */
export class RotationsByLength {
  private readonly tables = new Map<number, RotationTables>();

  /** @param capacity tokens of a text */
  constructor(
    private readonly architecture: Architecture,
    private readonly capacity: number,
  ) {}

  /** @param length class of the length (`lengthClass`) */
  of(length: number): RotationTables {
    const known = this.tables.get(length);
    if (known) return known;
    if (this.tables.size > 1) this.tables.delete(this.tables.keys().next().value!);
    const tables = new RotationTables(this.architecture, this.capacity, [length]);
    this.tables.set(length, tables);
    return tables;
  }
}

/** The rotation tables of a model's blocks for positions 0 … length − 1. Blocks with equal rotations share them. */
export class RotationTables {
  /** By the name of the cosines. */
  private readonly tables = new Map<string, { readonly cos: Tensor; readonly sin: Tensor }>();

  /** @param sequences lengths of sequences, each of which gives a table, one below the other; `length` when undefined */
  constructor(
    private readonly architecture: Architecture,
    private readonly length: number,
    private readonly sequences: readonly number[] = [length],
  ) {}

  /**
   * The tables of one block, (sequences · length, pairs) each; none for a block without rotation.
   * @param names of the feeds, if a graph has several tables
   */
  of(block: number, names: RotaryNames = { cos: 'cos', sin: 'sin' }): Feeds {
    const { headDim = 0, rope } = attentionIn(this.architecture.layers[block]) ?? {};
    const own = rotaryNames(this.architecture, block);
    if (!own || !rope) return {};
    let table = this.tables.get(own.cos);
    if (!table) {
      const parts = this.sequences.map((sequence) => rotaryTable(rope, headDim, this.length, { sequence }));
      const shape = [parts.length * this.length, pairsOf({ headDim, rope })];
      const stacked = (which: 'cos' | 'sin'): Tensor => {
        if (parts.length === 1) return float32(parts[0][which], shape);
        const all = new Float32Array(shape[0] * shape[1]);
        parts.forEach((part, i) => all.set(part[which], i * this.length * shape[1]));
        return float32(all, shape);
      };
      this.tables.set(own.cos, (table = { cos: stacked('cos'), sin: stacked('sin') }));
    }
    return { [names.cos]: table.cos, [names.sin]: table.sin };
  }
}

/** 0 if position i attends to position j, otherwise a number whose softmax is 0. (length, length) */
export function causalMask(length: number, window: number | null): Tensor {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      if (j > i || (window !== null && j <= i - window)) mask[i * length + j] = -1e30;
    }
  }
  return float32(mask, [length, length]);
}
