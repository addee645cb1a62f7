/**
 * PIQA (Bisk et al. 2020): a goal and two solutions. The official labels are lines of a second file; the hub's records
 * have theirs.
 */
import { choicesOf } from '../choices';
import type { ChoiceItem } from '../item';
import { badData, type TaskRecord } from '../records';
import { counted } from '../../../../format/words';

/** @param label of the file of labels; undefined if the record has its own @throws UserError */
export function piqaItem(record: TaskRecord, label: number | undefined): ChoiceItem {
  const context = `Question: ${record.text('goal')}\nAnswer:`;
  const choices = choicesOf(context, [record.text('sol1'), record.text('sol2')]);
  return { item: record.item, choices, gold: label ?? record.label(['label'], 1) };
}

/** The labels of `text`, the content of `file`: one a line, for `records` records. @throws UserError */
export function piqaLabels(text: string, file: string, records: number): number[] {
  const lines = text.trimEnd().split('\n');
  if (lines.length !== records) {
    const why = `it has ${counted(lines.length, 'label')} for ${counted(records, 'record')}`;
    throw badData(file, why, 'Take both files from the same place: valid.jsonl and valid-labels.lst.');
  }
  return lines.map((line, i) => {
    const label = line.trim();
    if (label === '0' || label === '1') return Number(label);
    throw badData(file, `line ${i + 1} is ${JSON.stringify(label.slice(0, 60))}, not 0 or 1`, 'Get the file again.');
  });
}
