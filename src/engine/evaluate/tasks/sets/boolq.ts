/**
 * BoolQ (Clark et al. 2019): a passage and a question with the answer yes or no. The harness reads the copy of
 * SuperGLUE, whose passages begin with the title; the original file has the title in a field of its own.
 */
import { choicesOf } from '../choices';
import type { ChoiceItem } from '../item';
import type { TaskRecord } from '../records';

const ANSWERS = ['no', 'yes'];

/** @throws UserError */
export function boolqItem(record: TaskRecord): ChoiceItem {
  const title = record.has('title') ? `${record.text('title')} -- ` : '';
  const context = `${title}${record.text('passage')}\nQuestion: ${record.text('question')}?\nAnswer:`;
  const gold = record.label(record.has('label') ? ['label'] : ['answer'], 1);
  return { item: record.item, choices: choicesOf(context, ANSWERS), gold };
}

/** The hub's google/boolq has lost the titles, which the harness's texts begin with. */
export const hasLostTitles = (record: TaskRecord): boolean => record.has('answer') && !record.has('title');
