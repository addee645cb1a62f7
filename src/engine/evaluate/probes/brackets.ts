/** Brackets: how many are open, and what closes them in the right order. */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { among, oneOf, type Probe, type ProbeItem, some, times } from './probe';

const PAIRS = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
] as const;

/** Choices of a question. */
const CHOICES = 4;
/** Most brackets of a counted line. */
const MOST = 8;

export const brackets: Probe = {
  about: 'counts open brackets, and closes them in the right order',
  chance: 1 / CHOICES,
  items: (random) => times(QUESTIONS, (at) => (at % 2 === 0 ? closing(random) : counting(random))),
};

/** "Open: ( [ {\nClose: } ] )". The wrong choices have as many brackets. */
function closing(random: Random): ProbeItem {
  const drawn = (): (typeof PAIRS)[number][] => times(3 + random.below(2), () => oneOf(random, PAIRS));
  const line = (open: readonly (typeof PAIRS)[number][]): string => `Open: ${open.map(([each]) => each).join(' ')}\n`;
  const close = (open: readonly (typeof PAIRS)[number][]): string =>
    [...open]
      .reverse()
      .map(([, each]) => each)
      .join(' ');
  const examples = times(4, drawn).map((open) => `${line(open)}Close: ${close(open)}\n`);
  const open = drawn();
  const right = close(open);
  const wrong = new Set<string>();
  while (wrong.size < CHOICES - 1) {
    const other = open.map(() => oneOf(random, PAIRS)[1]).join(' ');
    if (other !== right) wrong.add(other);
  }
  return among(random, `${examples.join('')}${line(open)}Close:`, right, [...wrong]);
}

/** "Line: ( ( (\nCount: 3" */
function counting(random: Random): ProbeItem {
  const line = (count: number): string => `Line: ${times(count, () => '(').join(' ')}\nCount:`;
  const numbers = times(MOST, (at) => at + 1);
  const [count, ...examples] = some(random, numbers, 5);
  const others = some(
    random,
    numbers.filter((each) => each !== count),
    CHOICES - 1,
  );
  const shown = examples.map((each) => `${line(each)} ${each}\n`);
  return among(random, `${shown.join('')}${line(count)}`, String(count), others.map(String));
}
