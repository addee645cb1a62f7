/** Legends of charts: signs, and what they mean. */
import { el, svg as svgEl } from '../../support/dom';

/** A small picture, as high as a line of text. */
export const sign = (width: number, ...shapes: readonly SVGElement[]): SVGElement =>
  svgEl('svg', { width, height: 12, 'aria-hidden': 'true', class: 'sign' }, ...shapes);

/** A symbol and its meaning. */
export function legendEntry(symbol: SVGElement | HTMLElement, text: string): HTMLElement {
  return el('span', { class: 'legend-entry' }, symbol, text);
}
