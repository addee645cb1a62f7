/**
 * WinoGrande (Sakaguchi et al. 2020): a sentence with a blank, and two options for it. The options differ in the context
 * and share what is scored: the rest of the sentence ("partial scoring", Trinh and Le 2018).
 */
import { choicesOf } from '../choices';
import type { ChoiceItem } from '../item';
import { strip } from '../python-text';
import type { TaskRecord } from '../records';

/** @throws UserError */
export function winograndeItem(record: TaskRecord): ChoiceItem {
  const sentence = record.text('sentence');
  const blank = sentence.indexOf('_');
  if (blank < 0) throw record.bad('sentence', 'has no blank "_"');
  const rest = strip(sentence.slice(blank + 1));
  if (rest === '') throw record.bad('sentence', 'has nothing after its blank "_"');
  const options = [record.text('option1'), record.text('option2')];
  const choices = options.flatMap((option) => choicesOf(sentence.slice(0, blank) + option, [rest]));
  const answer = record.label(['answer'], 2);
  if (answer === 0) throw record.bad('answer', 'is 0, not 1 or 2');
  return { item: record.item, choices, gold: answer - 1 };
}
