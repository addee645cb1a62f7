/**
 * Recalling: the value of a key that was named before, at several distances. What a pruned model still finds a few lines back,
 * it may no longer find thirty lines back.
 */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { exactly, type Probe, type ProbeItem, some, times } from './probe';
import { NAMES, THINGS } from './words';

/** Lines between the value and the end of the list. */
export const DISTANCES = [1, 4, 12, 24] as const;
/** Lines before the value: others that the model must pass over. */
const BEFORE = 3;
/** Keys that were asked for before, with their values: so the model sees what is wanted. */
const EXAMPLES = 2;

export const recall: Probe = {
  about: `finds the value of a key in a list, ${DISTANCES.join(', ')} lines back`,
  chance: 0,
  items: (random) => times(QUESTIONS, (at) => lookup(random, DISTANCES[at % DISTANCES.length])),
};

/** "Anna: lamp". No key and no value is there twice. */
function lookup(random: Random, distance: number): ProbeItem {
  const count = BEFORE + 1 + distance;
  const [keys, values] = [some(random, NAMES, count), some(random, THINGS, count)];
  const line = (at: number): string => `${keys[at]}: ${values[at]}\n`;
  const others = some(
    random,
    [...keys.keys()].filter((at) => at !== BEFORE),
    EXAMPLES,
  );
  const asked = `${others.map(line).join('')}${keys[BEFORE]}:`;
  return exactly(`List:\n${keys.map((_, at) => line(at)).join('')}\nAsked:\n${asked}`, `${values[BEFORE]}\n`);
}
