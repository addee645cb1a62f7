/**
 * ARC (Clark et al. 2018) and OpenBookQA (Mihaylov et al. 2018): a question of school science with labelled choices.
 * Both have the official layout `question: {stem, choices: [{text, label}]}` and the hub's, `choices: {text: [], label:
 * []}` with the stem in `question` or `question_stem`.
 */
import { isObject } from '../../../../format/json';
import { choicesOf } from '../choices';
import type { ChoiceItem } from '../item';
import { strip } from '../python-text';
import type { TaskRecord } from '../records';

/** ARC asks in words. @throws UserError */
export const arcItem = (record: TaskRecord): ChoiceItem => itemOf(record, (stem) => `Question: ${stem}\nAnswer:`);

/** OpenBookQA lets the model go on after the stem. @throws UserError */
export const openbookqaItem = (record: TaskRecord): ChoiceItem => itemOf(record, (stem) => stem);

function itemOf(record: TaskRecord, contextOf: (stem: string) => string): ChoiceItem {
  const { stem, texts, labels } = questionOf(record);
  const key = strip(record.text('answerKey'));
  if (key === '') throw record.bad('answerKey', 'says that the answer is not public');
  const gold = labels.indexOf(key);
  if (gold < 0) throw record.bad('answerKey', `is ${JSON.stringify(key)}, and the choices are ${labels.join(', ')}`);
  return { item: record.item, choices: choicesOf(contextOf(stem), texts), gold };
}

interface Question {
  readonly stem: string;
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

function questionOf(record: TaskRecord): Question {
  const question = record.value('question');
  if (isObject(question)) {
    if (typeof question.stem !== 'string') throw record.bad('question.stem', 'is missing or no text');
    return { stem: question.stem, ...labelled(record, 'question.choices', question.choices) };
  }
  const stem = record.text(record.has('question_stem') ? 'question_stem' : 'question');
  return { stem, ...labelled(record, 'choices', record.value('choices')) };
}

/** Texts and labels from a list of {text, label} or from {text: […], label: […]}. */
function labelled(record: TaskRecord, field: string, choices: unknown): Omit<Question, 'stem'> {
  const [text, label]: unknown[] = Array.isArray(choices)
    ? (['text', 'label'] as const).map((name) => choices.map((each: unknown) => isObject(each) && each[name]))
    : isObject(choices)
      ? [choices.text, choices.label]
      : [undefined, undefined];
  const texts = record.texts(`${field}.text`, text);
  const labels = record.texts(`${field}.label`, label);
  if (texts.length === labels.length) return { texts, labels };
  throw record.bad(field, `has ${texts.length} texts and ${labels.length} labels`);
}
