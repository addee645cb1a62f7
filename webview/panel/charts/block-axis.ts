/**
 * The axis of blocks. All charts about blocks share it, so that a block has the same position in each. Areas over a chart
 * take their positions from the chart itself.
 */
import type * as Plot from '@observablehq/plot';

/** Margins of the charts about blocks. */
export const LEFT = 54;
const RIGHT = 8;

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

/** Where a block is in a drawn chart, in pixels. */
export interface BlockPlace {
  readonly center: number;
  /** From the middle of one gap between bars to the next. */
  readonly left: number;
  readonly width: number;
}

/** @param chart drawn with `blockAxis` */
export function blockPlaces(chart: Plot.Plot): (block: number) => BlockPlace {
  const scale = chart.scale('x')!;
  const [width, bar] = [scale.step!, scale.bandwidth!];
  return (block) => {
    const center = Number(scale.apply(block)) + bar / 2;
    return { center, left: center - width / 2, width };
  };
}
