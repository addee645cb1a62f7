/**
 * The axis of blocks. Charts about blocks share it, one above the other, so that a block has the same place in
 * all of them; what is drawn over a chart takes its places from the chart itself.
 */
import type * as Plot from '@observablehq/plot';

/** Margins of the charts about blocks. */
export const LEFT = 54;
export const RIGHT = 8;

/** Options of a chart of this width: margins, and a band scale of all blocks. */
export function blockAxis(blocks: number, width: number) {
  return {
    ...{ width, marginLeft: LEFT, marginRight: RIGHT },
    x: {
      type: 'band',
      domain: Array.from({ length: blocks }, (_, block) => block),
      padding: blocks > 64 ? 0.12 : 0.28,
      label: null,
      round: false, // whole pixels would leave up to a pixel a block empty at the end
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
