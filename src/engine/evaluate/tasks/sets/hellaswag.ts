/**
 * HellaSwag (Zellers et al. 2019): the beginning of a scene or of instructions, and four endings. Two layouts: the
 * official records, and the text of six lines a record that llama.cpp uses (context, label, endings).
 *
 * The text has lost where `ctx_b` begins. It is the part after the last sentence of a context that is not complete.
 */
import { counted } from '../../../../format/words';
import { choicesOf } from '../choices';
import type { ChoiceItem } from '../item';
import { capitalize, strip } from '../python-text';
import { badData, type TaskRecord } from '../records';

const ENDINGS = 4;
const LINES = 2 + ENDINGS;

/** Removes what WikiHow's markup left behind, step for step as the harness. */
function clean(text: string): string {
  return strip(text)
    .replaceAll(' [title]', '. ')
    .replace(/\[.*?\]/g, '')
    .replaceAll('  ', ' ');
}

/** An official record. @throws UserError */
export function hellaswagItem(record: TaskRecord): ChoiceItem {
  const second = record.has('ctx_b') ? record.text('ctx_b') : '';
  const context = `${record.text('activity_label')}: ${record.text('ctx_a')} ${capitalize(second)}`;
  const endings = record.texts('endings');
  const gold = record.label(['label'], endings.length - 1);
  return itemOf(record.item, context, endings, gold);
}

/** All records of the layout of lines. @throws UserError naming the line */
export function hellaswagLines(text: string, file: string): readonly (() => ChoiceItem)[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const action = 'Take the file hellaswag_val_full.txt of klosax/hellaswag_text_data, whole.';
  if (lines.length % LINES !== 0) {
    throw badData(file, `it has ${counted(lines.length, 'line')}, not ${LINES} for every record`, action);
  }
  return Array.from({ length: lines.length / LINES }, (_, item) => () => {
    const [context, label, ...endings] = lines.slice(LINES * item, LINES * (item + 1));
    const place = LINES * item + 1;
    if (!/^[0-3]$/.test(label)) {
      const found = JSON.stringify(label.slice(0, 60));
      throw badData(file, `line ${place + 1} is ${found}, not a label from 0 to ${ENDINGS - 1}`, action);
    }
    if (context.trim() === '') throw badData(file, `line ${place} has no context`, action);
    return itemOf(item, withCapital(context), endings, Number(label));
  });
}

const itemOf = (item: number, context: string, endings: readonly string[], gold: number): ChoiceItem => ({
  item,
  choices: choicesOf(clean(context), endings.map(clean)),
  gold,
});

/** Gives `ctx_b` the capital letter that the harness gives it. */
export const withCapital = (context: string): string =>
  context.replace(/(?<=[.!?] )[a-z](?=[^.!?]*$)/, (letter) => letter.toUpperCase());
