/**
 * Repeating itself: 256 tokens after the beginning of a text, written greedily. The score is the share of runs of four tokens
 * that are new (records/repetition.ts). Greedy texts of small models repeat themselves even before anything is removed.
 */
import { oneOf, type Probe, times } from './probe';
import { CITIES, NAMES, THINGS } from './words';

/** Texts that are written. */
const TEXTS = 16;
const TOKENS = 256;

export const repeat: Probe = {
  about: `writes ${TOKENS} tokens that do not repeat what it has written`,
  chance: 0,
  items: (random) =>
    times(TEXTS, (at) => {
      const [name, thing, city] = [oneOf(random, NAMES), oneOf(random, THINGS), oneOf(random, CITIES)];
      return {
        prompt: BEGINNINGS[at % BEGINNINGS.length](name, thing, city),
        expected: [],
        match: 'new',
        maxTokens: TOKENS,
      };
    }),
};

const BEGINNINGS: readonly ((name: string, thing: string, city: string) => string)[] = [
  (name, thing, city) => `When ${name} came back to ${city}, the first thing on the table was a ${thing}. It had`,
  (name, thing, city) => `The history of the ${thing} begins near ${city}, where a man named ${name}`,
  (name, thing, city) => `Dear ${name},\n\nI am writing to you from ${city}, because the ${thing}`,
  (name, thing, city) => `How to choose a ${thing}\n\nMost people in ${city} do what ${name} did: they`,
  (name, thing, city) => `"I have never seen such a ${thing}," said ${name}. The woman from ${city}`,
  (name, thing, city) => `${city} (Monday) – A ${thing} was found yesterday in front of the house of ${name}, who`,
  (name, thing, city) => `Once upon a time, in a small house not far from ${city}, ${name} kept a ${thing} that`,
  (name, thing, city) =>
    `Question: Why would ${name} take a ${thing} to ${city}?\n\nAnswer: There are several reasons. The first`,
];
