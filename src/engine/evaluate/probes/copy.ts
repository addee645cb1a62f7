/** Copying: a list of words, or a string of letters and digits, once more. Pruned models lose or swap pieces of it. */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { exactly, type Probe, type ProbeItem, some, times } from './probe';
import { THINGS } from './words';

const LETTERS = 'abcdefghijkmnpqrstuvwxyz';
const DIGITS = '23456789';

export const copy: Probe = {
  about: 'writes a list of words, or a string of letters and digits, a second time',
  chance: 0,
  items: (random) => times(QUESTIONS, (at) => (at % 2 === 0 ? list(random) : string(random))),
};

/** Lists of 4 to 11 words. */
const list = (random: Random): ProbeItem =>
  asked(times(3, (at) => some(random, THINGS, at < 2 ? 4 : 4 + random.below(8)).join(', ')));

/** Strings of 3 to 6 groups: "k7-p2-x9". */
function string(random: Random): ProbeItem {
  const group = (): string => LETTERS[random.below(LETTERS.length)] + DIGITS[random.below(DIGITS.length)];
  return asked(times(3, (at) => times(at < 2 ? 3 : 3 + random.below(4), group).join('-')));
}

/** The last text is asked for; the others are examples. They end with one line break, as it does: two may be a token of their own. */
function asked(texts: readonly string[]): ProbeItem {
  const last = texts.at(-1)!;
  const examples = texts.slice(0, -1).map((text) => `Text: ${text}\nCopy: ${text}\n`);
  return exactly(`${examples.join('')}Text: ${last}\nCopy:`, `${last}\n`);
}
