/** Models side by side. A failure of one does not affect the others. */
import { basename } from 'node:path';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { asStored } from '../../engine/checkpoint/width';
import { DeviceError, UserError } from '../../engine/errors';
import { type Model, openModel } from '../../engine/model/model';
import { onTop } from '../../format/on-top';
import { modelInput, modelName, nameOfFolder, type RunInput } from '../../engine/records/record';
import { openForComputing, type OpenedModel } from '../../engine/model/opened';
import { precisionForText } from '../../engine/model/text-precision';
import { removedJson } from '../../engine/model/view';
import type { Precision, PrecisionChoice } from '../../engine/precision';
import type { ColumnInfo } from '../results/common';
import type { LabelledModel } from '../option';
import { type ComputeOptions, type JobContext, modelOptions } from '../run';

/** A model that failed, and why. */
export interface Unable {
  readonly label: string;
  readonly failure: UserError;
}

/** @throws errors that are not UserErrors: a bug or a failing device concerns all columns */
export async function orUnable<T>(label: string, make: () => T | Promise<T>): Promise<T | Unable> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof DeviceError) throw error;
    return { label, failure: error };
  }
}

/**
 * The options with the precision of all columns. Columns that cannot be opened say so later.
 * @throws UserError when the device is missing
 */
export async function withPrecision<O extends ComputeOptions & { readonly precision: PrecisionChoice }>(
  options: O,
  columns: readonly LabelledModel[],
): Promise<Omit<O, 'precision'> & { readonly precision: Precision }> {
  const opened = await Promise.allSettled(columns.map(({ checkpoint }) => openCheckpoint(checkpoint)));
  const architectures = opened.flatMap((each) => (each.status === 'fulfilled' ? (each.value.architecture ?? []) : []));
  return { ...options, precision: await precisionForText(options.precision, architectures, options) };
}

/** Opens the model of a column. */
export async function openColumn(
  column: LabelledModel,
  compute: ComputeOptions & { readonly precision: Precision },
  context: Pick<JobContext, 'hooks' | 'job'>,
): Promise<{ readonly label: string; readonly opened: OpenedModel; readonly model: Model }> {
  const opened = await openForComputing(column.checkpoint, column, context.job);
  const model = await openModel(opened.checkpoint, {
    ...modelOptions(compute, context),
    precision: compute.precision,
    changes: opened.changes,
  });
  return { label: column.label, opened, model };
}

/** The columns that work. @throws the UserError of the first column if all fail */
export function requireAble<T extends object>(columns: readonly (T | Unable)[]): T[] {
  const able = columns.filter((column): column is T => !('failure' in column));
  const [first] = columns;
  if (able.length === 0 && 'failure' in first) throw first.failure;
  return able;
}

export const words = ({ what, why }: UserError): string => `${what}: ${why}`;

/** A column in results and records. */
export function columnInfo(
  column: { readonly label: string; readonly opened: OpenedModel } | Unable,
  { checkpoint, remove = [], width, heal, adapter }: LabelledModel,
): ColumnInfo {
  const { label } = column;
  const name = (path: string | undefined): string | undefined => path && basename(path);
  const on = onTop({ width: name(width), patch: name(heal), adapter: name(adapter) });
  if ('failure' in column) return { label, model: nameOfFolder(checkpoint), removed: remove, ...on };
  const { checkpoint: opened, removed } = column.opened;
  const { identity } = asStored(opened);
  return { label, model: modelName(opened), identity, removed: removedJson(removed), ...on };
}

/** Each checkpoint, file of healed weights and adapter once. */
export function inputsOf(columns: readonly { readonly opened: OpenedModel }[]): RunInput[] {
  const inputs = new Map<string, RunInput>();
  for (const { opened } of columns) {
    for (const input of [modelInput(opened.checkpoint), ...opened.inputs]) inputs.set(JSON.stringify(input), input);
  }
  return [...inputs.values()];
}
