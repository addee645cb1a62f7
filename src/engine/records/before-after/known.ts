/** Models whose files are at hand: their sizes need no run. */
import { formatBytes, formatCount } from '../../../format/numbers';
import type { Fact, Measure } from './facts';
import { refOf } from './models';

export interface KnownModel {
  readonly name: string;
  readonly identity: string;
  readonly parameters: number;
  /** Of its weights. */
  readonly bytes: number;
}

/** An export that stands for the size of a model. */
export interface ShippedFiles {
  /** Of the file or folder. */
  readonly name: string;
  readonly bytes: number;
}

/** After every run, so that the files themselves count. */
const NOW = '9999';

export const knownFacts = (known: readonly (KnownModel & { readonly shipped?: ShippedFiles })[]): Fact[] => {
  const shipped = known.find((model) => model.shipped)?.shipped;
  return known.flatMap(({ name, identity, parameters, bytes, shipped: own }) => {
    const model = refOf({ name, identity, removed: [] });
    const fact = (measure: Measure, value: number, text: string, of: string): Fact => {
      return { model, measure, value, text, condition: 'size', of, started: NOW, aside: true };
    };
    const sizes = [
      fact('parameters', parameters, formatCount(parameters), 'the files'),
      fact('bytes', bytes, formatBytes(bytes), 'the files'),
    ];
    if (!shipped) return sizes;
    const ships = own?.bytes ?? bytes;
    return [...sizes, fact('shipped', ships, formatBytes(ships), `exported as ${shipped.name}`)];
  });
};
