/** Models that work side by side: what keeps one from it is not the others' affair. */
import { basename } from 'node:path';
import { DeviceError, UserError } from '../../engine/errors';
import { modelInput, modelName, nameOfFolder, type RunInput } from '../../engine/records/record';
import { type OpenedModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { ColumnInfo, SampleColumn } from '../../protocol/samples';

/** One that cannot take part, and why. */
export interface Unable {
  readonly label: string;
  readonly failure: UserError;
}

/** @throws what is no UserError: the program's fault, or the device's, is every column's */
export async function orUnable<T>(label: string, make: () => T | Promise<T>): Promise<T | Unable> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof DeviceError) throw error;
    return { label, failure: error };
  }
}

export const words = ({ what, why }: UserError): string => `${what}: ${why}`;

/** What results and records say of a column. */
export function columnInfo(
  column: { readonly label: string; readonly opened: OpenedModel } | Unable,
  { checkpoint, remove = [], adapter }: SampleColumn,
): ColumnInfo {
  const { label } = column;
  const on = adapter === undefined ? {} : { adapter: basename(adapter) };
  if ('failure' in column) return { label, model: nameOfFolder(checkpoint), removed: remove, ...on };
  const { checkpoint: opened, removed } = column.opened;
  return { label, model: modelName(opened), identity: opened.identity, removed: removedJson(removed), ...on };
}

/** Each checkpoint and adapter once. */
export function inputsOf(columns: readonly { readonly opened: OpenedModel }[]): RunInput[] {
  const inputs = new Map<string, RunInput>();
  for (const { opened } of columns) {
    for (const input of [modelInput(opened.checkpoint), ...opened.inputs]) inputs.set(JSON.stringify(input), input);
  }
  return [...inputs.values()];
}
