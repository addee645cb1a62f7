/** What a page of before and after lacks: for each number the command that measures it. */
import type { Sample } from './before-after';
import type { Row } from './rows';
import type { Measure } from './facts';
import { argumentsOf, labelOf, type ModelRef } from './models';

/** Sample texts of a page. */
export const WANTED_SAMPLES = 3;

export interface Missing {
  readonly kind: 'perplexity' | 'accuracy' | 'probes' | 'speed' | 'texts';
  readonly what: string;
  /** Command line that measures it. */
  readonly command: string;
  /** A model can ship without it. */
  readonly optional?: true;
}

/**
 * @param models the original first, one for each column of the rows
 * @param about `pair`: the original and the result that is decided on, what others lack is not missing; `apart`: their vocabularies
 *   differ, so that bits per byte compare, and neither perplexity nor KL divergence
 */
export function missingOf(
  rows: readonly Row[],
  samples: readonly Sample[],
  models: readonly ModelRef[],
  { pair = models, apart }: { readonly pair?: readonly ModelRef[]; readonly apart: boolean },
): Missing[] {
  const lacking = (...measures: Measure[]): ModelRef[] => {
    const told = rows.filter(
      ({ measure, rough, flatters }) => measures.includes(measure) && !((rough ?? flatters) && pair !== models),
    );
    return models.filter((model, m) => pair.includes(model) && !told.some(({ cells }) => cells[m]));
  };
  const main: Measure = apart ? 'bits' : 'ppl';
  const flattering = rows.some(({ measure, flatters }) => measure === main && flatters);
  const measures = rows.map(({ measure }) => measure);
  const throughputs = measures.filter((measure) => measure.startsWith('throughput '));
  const probes = measures.filter((measure) => measure.startsWith('probe '));
  return [
    ...perplexities(lacking(main), apart ? 'bits' : lacking('kl'), models[0], flattering),
    ...questions('accuracy', lacking('accuracy'), pair),
    ...questions('probes', lacking(...probes), pair),
    ...lacking('decode', ...throughputs).map((model) => ({
      kind: 'speed' as const,
      what: `speed of ${labelOf(model)}`,
      command: `coppice bench ${argumentsOf(model)} --record FILE.json`,
    })),
    ...texts(WANTED_SAMPLES - samples.length, pair),
  ];
}

/**
 * @param apart models that were not compared with the original; "bits" where they cannot be
 * @param flattering there is a perplexity, on a text that chose
 */
function perplexities(
  without: readonly ModelRef[],
  apart: readonly ModelRef[] | 'bits',
  original: ModelRef,
  flattering: boolean,
): Missing[] {
  const compared = apart === 'bits' ? [] : apart.filter((model) => model !== original && !without.includes(model));
  return [...without, ...compared].map((model) => {
    const isOwn = model === original || (model.identity !== undefined && model.identity === original.identity);
    const against = isOwn || apart === 'bits' ? '' : ` --against ${original.name}`;
    const main = apart === 'bits' ? 'bits per byte' : 'perplexity';
    const what = without.includes(model) ? main : 'KL divergence and same next token';
    return {
      kind: 'perplexity',
      what: `${what} of ${labelOf(model)}${flattering ? ' on a text that chose nothing' : ''}`,
      command: `coppice eval ${argumentsOf(model)}${against} --text FILE --repetition 8 --record FILE.json`,
    };
  });
}

/** What asks them. */
const ASKING = { accuracy: '--data DIR', probes: '--probes' } as const;

/** Each result beside the original, on the same items. */
function questions(
  kind: keyof typeof ASKING,
  without: readonly ModelRef[],
  [original, ...results]: readonly ModelRef[],
): Missing[] {
  const wanted = without.includes(original) ? results : without;
  return wanted.map((model) => ({
    kind,
    what: `${kind} of ${labelOf(model)}`,
    command: `coppice tasks ${original.name} ${argumentsOf(model)} ${ASKING[kind]} --record FILE.json`,
    optional: true,
  }));
}

function texts(count: number, models: readonly ModelRef[]): Missing[] {
  if (count <= 0) return [];
  return models.map((model) => ({
    kind: 'texts',
    what: `${count} of ${WANTED_SAMPLES} sample texts of ${labelOf(model)} (the same prompt for all)`,
    command: `coppice generate ${argumentsOf(model)} --prompt TEXT --record FILE.json`,
  }));
}
