/** A dimension that can differ from block to block, in the form of lists and pages. */

/** One number if all blocks agree, otherwise one per block, in order. */
export type LayerNumber = number | readonly number[];

/** @param values of every block, in order; not empty */
export function layerNumber(values: readonly number[]): LayerNumber {
  return values.every((value) => value === values[0]) ? values[0] : values;
}

/** "9", or "4–9" if blocks differ. */
export function formatLayerNumber(value: LayerNumber, format: (number: number) => string = String): string {
  if (typeof value === 'number') return format(value);
  return `${format(Math.min(...value))}–${format(Math.max(...value))}`;
}
