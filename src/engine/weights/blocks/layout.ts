/**
 * Where the quantized matrices of a model lie in their file. Matrices that are applied to one input lie one after another,
 * first their values, then their scales, and the same for their zero points: together they are one matrix with all of their
 * rows. Scales start at multiples of 4, because all zero points come last.
 */
import { type Architecture, productGroups } from '../../checkpoint/architecture';
import { keyText, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { BLOCK, type BlockBits, blocksOf, columnsWithOffsets, zeroBytesOf } from '../../onnx/ops/blocks';
import type { Precision } from '../../precision';

export type BlockPrecision = Extract<Precision, 'int8' | 'int4'>;

export const BITS: Readonly<Record<BlockPrecision, BlockBits>> = { int8: 8, int4: 4 };

/** The head always has 8 bits, because rounding where words are chosen costs most. */
const HEAD_BITS = 8;

/** A quantized matrix. Offsets count from the start of the file's data. */
export interface PlacedMatrix {
  readonly key: WeightKey;
  readonly bits: BlockBits;
  readonly out: number;
  readonly width: number;
  /** The width, and the offsets behind it. */
  readonly columns: number;
  /** Whether outliers of input and weight are spread over their neighbours (`spread`). */
  readonly isSpread: boolean;
  readonly values: number;
  readonly scales: number;
  readonly zeros: number;
  /** `keyText` of the one that follows and is applied to the same input. */
  readonly next?: string;
}

export interface BlockLayout {
  /** Of the Linears. */
  readonly bits: BlockBits;
  /** Whether blocks of the Linears have offsets (offsets.ts). */
  readonly hasOffsets: boolean;
  /** By `keyText`. Those of a block follow each other, the head is the last. */
  readonly matrices: ReadonlyMap<string, PlacedMatrix>;
  /** All data. */
  readonly bytes: number;
}

/** Bytes of some rows of values, scales and zero points. */
export function bytesOfBlocks(
  columns: number,
  bits: BlockBits,
  rows: number,
): Record<'values' | 'scales' | 'zeros', number> {
  const blocks = blocksOf(columns);
  return {
    values: (rows * blocks * BLOCK * bits) / 8,
    scales: 4 * rows * blocks,
    zeros: rows * zeroBytesOf(columns, bits),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function blockLayout(architecture: Architecture, bits: BlockBits, hasOffsets = false): BlockLayout {
  const groups: WeightKey[][] = architecture.layers.flatMap((shape, layer) =>
    productGroups(shape).map((names) => names.map((name) => ({ layer, name }))),
  );
  groups.push(['head']);
  const placed: Mutable<PlacedMatrix>[] = [];
  let end = 0;
  for (const group of groups) {
    const members = group.map((key, i) => {
      const [out, width] = weightOf(architecture, key)!.shape;
      const next = i + 1 < group.length ? keyText(group[i + 1]) : undefined;
      const isHead = key === 'head';
      return {
        key,
        bits: isHead ? HEAD_BITS : bits,
        out,
        width,
        columns: hasOffsets && !isHead ? columnsWithOffsets(width) : width,
        // With 4 bits the weights' own rounding matters more, and numbers that lie on a grid would leave it.
        isSpread: bits === 8 && !isHead,
        values: 0,
        scales: 0,
        zeros: 0,
        next,
      };
    });
    for (const part of ['values', 'scales'] as const) {
      for (const member of members) {
        member[part] = end;
        end += bytesOfBlocks(member.columns, member.bits, member.out)[part];
      }
    }
    placed.push(...members);
  }
  for (const member of placed) {
    member.zeros = end;
    end += bytesOfBlocks(member.columns, member.bits, member.out).zeros;
  }
  return { bits, hasOffsets, matrices: new Map(placed.map((one) => [keyText(one.key), one])), bytes: end };
}
