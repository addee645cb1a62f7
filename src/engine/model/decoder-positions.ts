/** Where the new tokens of decoded texts stand: what a run is fed about their places. */
import type { Architecture } from '../checkpoint/architecture';
import { windowOf } from '../checkpoint/kinds/parts';
import { int32, int64, type Feeds, type Tensor } from '../onnx/session';
import { MASK, maskName } from './decode-graph';
import { slotFeeds } from './decoder-caches';
import { type Group, longest } from './text-groups';
import type { Step } from './view';

/** The texts before a run, and how it attends. */
export interface Places {
  /** Tokens of each text so far. */
  readonly past: readonly number[];
  /** Most tokens of a text. */
  readonly capacity: number;
  /** Of the caches. */
  readonly room: number;
  /** Plain products in place of the fused operator. */
  readonly plain: boolean;
  readonly onDevice: boolean;
}

/** Feeds about the places of a group's new tokens. */
export interface Positions {
  readonly attention: Feeds;
  /** The tokens whose logits are wanted. */
  readonly ends: Tensor;
  /** New tokens of each text. (texts, 1) */
  readonly counts: Tensor;
}

/** Tokens of the longest text of a group, with its new ones. */
export const lengthAfter = ({ first, rows }: Group, past: readonly number[]): number =>
  Math.max(...rows.map((row, i) => past[first + i] + row.length));

export function positionsOf(architecture: Architecture, group: Group, places: Places): Positions {
  const { first, rows } = group;
  const { past, capacity, room, plain, onDevice } = places;
  const length = longest(rows);
  const starts = rows.map((_, i) => past[first + i]);
  const each = starts.flatMap((start) => Array.from({ length }, (_, i) => Math.min(start + i, capacity - 1)));
  const lasts = rows.map((row, i) => starts[i] + row.length - 1);
  const ends = group.all ? [...rows[0].keys()] : rows.map((row, i) => i * length + row.length - 1);
  const counts = rows.map((row) => row.length);
  return {
    attention: {
      positions: int64(each, [rows.length, length]),
      ...(plain
        ? slotFeeds(architecture, { starts, length, room }, onDevice)
        : {
            lastPositions: int32(lasts, [rows.length]),
            totalLength: int32([lengthAfter(group, past)], [1]),
          }),
    },
    ends: int64(ends, [ends.length]),
    counts: int64(counts, [rows.length, 1]),
  };
}

/** Without the masks of windows that a graph of these steps does not have. */
export function ofWindows({ layers }: Architecture, steps: readonly Step[], feeds: Feeds): Feeds {
  const own = new Set(steps.map(({ block }) => maskName(windowOf(layers[block]))));
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => !name.startsWith(MASK) || own.has(name)));
}
