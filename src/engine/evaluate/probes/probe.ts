/**
 * What a probe is: texts made from a seed that ask for one ability, with answers that a program knows. Every draw is integer
 * arithmetic (random.ts), so a seed gives the same texts on every machine; nothing is downloaded.
 *
 * Small models that were never taught to chat must be able to answer: examples stand before each question, and an answer is
 * judged by its likelihood (its tokens are all the most likely ones, or it is the most likely of some choices). Only what
 * shows in a text of the model's own is written.
 */
import type { Random } from '../../random';
import { choicesOf } from '../tasks/choices';
import type { ChoiceItem, WrittenItem } from '../tasks/item';

/** A question before it has a number. */
export type ProbeItem = Omit<ChoiceItem, 'item'> | Omit<WrittenItem, 'item'>;

export interface Probe {
  /** What the model is asked to do, in a line. */
  readonly about: string;
  /** Score of a model that guesses: 1 / choices, and 0 where it writes. */
  readonly chance: number;
  /** The questions, all drawn from `random`. */
  readonly items: (random: Random) => ProbeItem[];
}

/** A question that is right if the model would write `answer`: each of its tokens is the most likely one. */
export const exactly = (context: string, answer: string, delimiter = ' '): ProbeItem => ({
  choices: choicesOf(context, [answer], delimiter),
  gold: 0,
});

/**
 * A question that is right if `answer` is more likely than the `others`. The right one has a place of its own in each
 * question, because the first of equals counts as the model's choice.
 */
export function among(random: Random, context: string, answer: string, others: readonly string[]): ProbeItem {
  const texts = random.shuffle([answer, ...others]);
  return { choices: choicesOf(context, texts), gold: texts.indexOf(answer) };
}

/** `count` of the items, none twice, in the order in which they are drawn. */
export function some<T>(random: Random, items: readonly T[], count: number): T[] {
  return random.shuffle([...items]).slice(0, count);
}

export const oneOf = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)];

/** `count` values, each drawn after the one before. */
export const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
