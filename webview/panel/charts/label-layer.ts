/** Draws labels of a chart with a halo of the background, and a thin line to what they name where they are away from it. */
import { svg as svgEl } from '../../support/dom';
import { type Obstacles, type LabelPlace, placeLabels } from './place-labels';

export interface ChartLabel {
  readonly text: string;
  readonly bold?: boolean;
  readonly color?: string;
  /** Left out rather than put where something is. */
  readonly optional?: boolean;
  /** The places of a box of this size. */
  readonly places: (width: number, height: number) => LabelPlace[];
}

const SIZE = 11;
const HEIGHT = 13;

/** Adds the labels to the chart; the first ones choose their places first. A label without room is left out. */
export function addLabels(svg: SVGSVGElement, labels: readonly ChartLabel[], obstacles: Obstacles): void {
  const widthOf = textMeasure();
  const wishes = labels.map(({ text, bold, places, optional }) => {
    return { places: places(widthOf(text, bold === true), HEIGHT), optional };
  });
  const placed = placeLabels(wishes, obstacles);
  const layer = svgEl('g', { class: 'chart-labels' });
  for (const [i, place] of placed.entries()) {
    if (!place) continue;
    const { text, bold, color = 'var(--ink)' } = labels[i];
    const { box, leader } = place;
    if (leader) layer.append(svgEl('line', { ...leader, stroke: color, 'stroke-opacity': 0.6 }));
    layer.append(
      svgEl(
        'text',
        {
          x: box.x,
          y: box.y + HEIGHT - 3,
          fill: color,
          stroke: 'var(--paper)',
          'stroke-width': 4,
          'stroke-linejoin': 'round',
          'paint-order': 'stroke',
          'font-size': SIZE,
          'text-anchor': 'start',
          ...(bold && { 'font-weight': 'bold' }),
        },
        text,
      ),
    );
  }
  svg.append(layer);
}

/** Measures texts in the page's font. */
function textMeasure(): (text: string, bold: boolean) => number {
  const context = document.createElement('canvas').getContext('2d')!;
  const { fontFamily } = getComputedStyle(document.body);
  return (text, bold) => {
    context.font = [bold ? 'bold' : 'normal', `${SIZE}px`, fontFamily].join(' ');
    return context.measureText(text).width;
  };
}
