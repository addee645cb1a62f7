/** Colours, or none if the stream does not support them. */
import type { TerminalFeatures } from './features';

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
}

export function styleOf(features: Pick<TerminalFeatures, 'colour'>): Style {
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      features.colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    yellow: paint(33, 39),
    green: paint(32, 39),
  };
}
