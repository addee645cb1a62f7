/** What the trimming of a vocabulary tells of the original and of the model that it wrote. */
import { formatCount, shortNumber } from '../../../format/numbers';
import { type JsonNumber, numeric } from '../../../format/json';
import { lowerWords } from '../../../format/vocabularies';
import type { RunDigest } from '../digest-types';
import type { Fact } from './facts';
import { type ModelRef, refOf } from './models';
import { computed, modelOf } from './run-models';

/** Tokens of a vocabulary, which need no run. */
export const tokensFact = (model: ModelRef, tokens: number, started: string): Fact => ({
  ...{ model, measure: 'vocabulary', value: tokens, text: formatCount(tokens), vocabulary: tokens },
  ...{ condition: 'size', of: 'the files', started, aside: true },
});

/** Nothing of a report, which wrote no model. */
export function vocabularyFacts(run: RunDigest): Fact[] {
  const { vocabulary: found, started } = run;
  if (found?.written === undefined) return [];
  const { size, kept, texts, heldOut } = found;
  const models = [
    { model: modelOf(run), tokens: size },
    { model: refOf({ name: found.written, removed: [] }), tokens: kept },
  ] as const;
  const sizes = models.map(({ model, tokens }) => tokensFact(model, tokens, started));
  const { bits } = heldOut;
  if (!bits) return sizes;
  const text = heldOut.file ?? `pieces of the ${texts.files === 1 ? 'text' : 'texts'} that were held out`;
  const growth = numeric(bits.after) / numeric(bits.before) - 1;
  const of = `${text}; ${computed(run)}${lowerWords(growth)}`;
  const fact = (at: number, value: JsonNumber): Fact => ({
    ...{ model: models[at].model, measure: 'bits', value: numeric(value), text: shortNumber(numeric(value), 4) },
    ...{ vocabulary: models[at].tokens, condition: `vocabulary ${started}`, of, started },
  });
  return [...sizes, fact(0, bits.before), fact(1, bits.after)];
}
