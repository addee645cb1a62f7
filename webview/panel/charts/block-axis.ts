/**
 * The axis of blocks. All charts about blocks share it, so that a block has the same position in each. Areas over a chart
 * take their positions from the chart itself.
 */
import type * as Plot from '@observablehq/plot';

/** Margins of the charts about blocks. */
export const LEFT = 54;
const RIGHT = 8;
const RIGHT_OF_FULL = 2;
/** Between two bars that fill their slots. */
const WIDEST_GAP = 10;

/** Options of a chart of this width: margins, and a band scale of all blocks. */
export function blockAxis(blocks: number, width: number) {
  return {
    width,
    marginLeft: LEFT,
    marginRight: RIGHT,
    x: {
      type: 'band',
      domain: Array.from({ length: blocks }, (_, block) => block),
      padding: blocks > 64 ? 0.12 : 0.28,
      label: null,
      round: false, // whole pixels would leave a gap at the end, of up to a pixel for each block
    },
  } as const satisfies Plot.PlotOptions;
}

/**
 * Like `blockAxis`, for one bar a block that fills its slot: the slots share all of the width between the margins.
 * @param order blocks from left to right @param left margin
 */
export function fullAxis(order: readonly number[], width: number, left: number) {
  const slot = (width - left - RIGHT_OF_FULL) / order.length;
  const gap = Math.min(order.length > 64 ? 0.12 : 0.16, WIDEST_GAP / slot);
  return {
    width,
    marginLeft: left,
    marginRight: RIGHT_OF_FULL,
    x: { type: 'band', domain: order, paddingInner: gap, paddingOuter: gap / 2, label: null, round: false },
  } as const satisfies Plot.PlotOptions;
}

/** Where a block is in a drawn chart, in pixels. */
export interface BlockPlace {
  readonly center: number;
  /** From the middle of one gap between bars to the next. */
  readonly left: number;
  readonly width: number;
  /** Of its bar. */
  readonly bar: number;
}

/** @param chart drawn with one of the axes above */
export function blockPlaces(chart: Plot.Plot): (block: number) => BlockPlace {
  const scale = chart.scale('x')!;
  const [width, bar] = [scale.step!, scale.bandwidth!];
  return (block) => {
    const center = Number(scale.apply(block)) + bar / 2;
    return { center, left: center - width / 2, width, bar };
  };
}
