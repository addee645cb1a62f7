/** Sums of two numbers of two digits. The wrong choices are near: a carry, a digit or a place away. */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { among, type Probe, type ProbeItem, some, times } from './probe';

const CHOICES = 4;

export const sums: Probe = {
  about: 'adds two numbers of two digits',
  chance: 1 / CHOICES,
  items: (random) => times(QUESTIONS, () => sum(random)),
};

function sum(random: Random): ProbeItem {
  const drawn = (): readonly [number, number] => [10 + random.below(90), 10 + random.below(90)];
  const examples = times(4, drawn).map(([a, b]) => `${a} + ${b} = ${a + b}\n`);
  const [a, b] = drawn();
  const right = a + b;
  // Of as many digits, so that no choice is more likely for its length.
  const near = [-20, -11, -10, -9, -2, -1, 1, 2, 9, 10, 11, 20].map((by) => right + by);
  const others = some(
    random,
    near.filter((each) => String(each).length === String(right).length),
    CHOICES - 1,
  );
  return among(random, `${examples.join('')}${a} + ${b} =`, String(right), others.map(String));
}
