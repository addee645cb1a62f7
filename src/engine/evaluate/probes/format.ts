/** Following a format that three examples show: dates, names in another order, capitals, numbered lists. */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { exactly, oneOf, type Probe, type ProbeItem, some, times } from './probe';
import { CITIES, MONTHS, NAMES, SURNAMES, THINGS } from './words';

export const format: Probe = {
  about: 'writes what is given in the format of three examples',
  chance: 0,
  items: (random) => times(QUESTIONS, (at) => shown(times(4, () => FORMATS[at % FORMATS.length](random)))),
};

/** What is given, and the same in the format. */
type Pair = readonly [string, string];

export const FORMATS: readonly ((random: Random) => Pair)[] = [
  (random) => {
    const [day, month, year] = [1 + random.below(28), random.below(12), 1950 + random.below(70)];
    const two = (number: number): string => String(number).padStart(2, '0');
    return [`${day} ${MONTHS[month]} ${year}`, `${year}-${two(month + 1)}-${two(day)}`];
  },
  (random) => {
    const [first, last] = [oneOf(random, NAMES), oneOf(random, SURNAMES)];
    return [`${first} ${last}`, `${last}, ${first}`];
  },
  (random) => {
    const [name, city] = [oneOf(random, NAMES), oneOf(random, CITIES)];
    return [`${name} lives in ${city}.`, `<person name="${name}" city="${city}"/>`];
  },
  (random) => {
    const words = some(random, THINGS, 3);
    return [words.join(' '), words.map((word, at) => `${at + 1}) ${word}`).join(' ')];
  },
];

/** The last pair is asked for; the others are examples, which end with one line break as it does (copy.ts). */
function shown(pairs: readonly Pair[]): ProbeItem {
  const [given, answer] = pairs.at(-1)!;
  const examples = pairs.slice(0, -1).map(([from, to]) => `Given: ${from}\nWritten: ${to}\n`);
  return exactly(`${examples.join('')}Given: ${given}\nWritten:`, `${answer}\n`);
}
