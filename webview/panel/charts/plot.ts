/** What all charts that Plot draws share: the type of the page, margins, and where things are in a drawn chart. */
import * as Plot from '@observablehq/plot';

/** A chart, with its scales. */
export type Chart = SVGSVGElement & Plot.Plot;

const STYLE = { background: 'none', fontFamily: 'inherit', fontSize: '11px' };

interface Options extends Omit<Plot.PlotOptions, 'style'> {
  /** Its marks may reach over its edges. */
  readonly overflows?: true;
}

export const draw = ({ overflows, ...options }: Options): Chart =>
  Plot.plot({ ...options, style: { ...STYLE, ...(overflows && { overflow: 'visible' }) } }) as Chart;

/** In the order of CSS. */
export const margins = (top: number, right: number, bottom: number, left: number) => ({
  marginTop: top,
  marginRight: right,
  marginBottom: bottom,
  marginLeft: left,
});

/** Where a point with these values is, in pixels. */
export function placesIn(chart: Chart): (x: number, y: number) => readonly [x: number, y: number] {
  const [across, up] = [chart.scale('x')!, chart.scale('y')!];
  return (x, y) => [Number(across.apply(x)), Number(up.apply(y))];
}
