/** Models whose files are at hand: their sizes need no run. */
import { formatBytes, formatCount } from '../../../format/numbers';
import type { Fact, Measure } from './facts';
import { refOf } from './models';
import { tokensFact } from './vocabulary-facts';

export interface KnownModel {
  readonly name: string;
  readonly identity: string;
  /** Tokens of its vocabulary; undefined if that is not known. */
  readonly vocabulary?: number;
  readonly parameters: number;
  /** Of its files. */
  readonly bytes: number;
}

/** An export that stands for the size of a model: one that was written, or one as it would be. */
export interface ShippedFiles {
  /** Of the file or folder; of one that is not written its format and types: "GGUF, q8_0". */
  readonly name: string;
  readonly bytes: number;
  /** It would have these bytes. */
  readonly planned?: true;
}

/** After every run, so that the files themselves count. */
const NOW = '9999';

export const knownFacts = (known: readonly (KnownModel & { readonly shipped?: ShippedFiles })[]): Fact[] => {
  return known.flatMap(({ name, identity, vocabulary, parameters, bytes, shipped }) => {
    const model = refOf({ name, identity, removed: [] });
    const fact = (measure: Measure, value: number, text: string, of: string): Fact => {
      return { model, measure, value, text, condition: 'size', of, started: NOW, aside: true };
    };
    const sizes = [
      ...(vocabulary === undefined ? [] : [tokensFact(model, vocabulary, NOW)]),
      fact('parameters', parameters, formatCount(parameters), 'the files'),
      fact('bytes', bytes, formatBytes(bytes), 'the files'),
    ];
    if (!shipped) return sizes;
    const of = shipped.planned ? `would be exported as ${shipped.name}` : `exported as ${shipped.name}`;
    return [...sizes, fact('shipped', shipped.bytes, formatBytes(shipped.bytes), of)];
  });
};
