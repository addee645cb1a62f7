/** Several models in one run, on equal terms: folders on the command line, columns of the editor. */
import type { Fault } from '../define';
import { checkpoint, type LabelledModel, list, models } from '../option';
import { adapter, healed, remove, width } from './model';

/** Options of a job over several models. The same folder may be named twice: whole, and without blocks. */
export const severalModels = {
  checkpoints: list(
    checkpoint('a checkpoint'),
    'folders, .safetensors files, indexes or .gguf files; the first is compared with',
    {
      argument: true,
      conflicts: ['columns'],
    },
  ),
  columns: models(
    'a model as JSON, with label, checkpoint, remove, width, heal and adapter; may be given several times, in place of folders',
  ),
  ...remove,
  ...width,
  ...healed,
  ...adapter,
};

interface Several {
  readonly checkpoints?: readonly string[];
  readonly columns?: readonly LabelledModel[];
  readonly remove?: readonly (number | string)[];
  readonly width?: string;
  readonly heal?: string;
  readonly adapter?: string;
  readonly otherBase?: boolean;
}

/** What is wrong with the models of a job. */
export function faultOfModels({ checkpoints = [], columns }: Several): Fault | undefined {
  if (columns !== undefined || checkpoints.length > 0) return undefined;
  return { what: 'There is no model', why: 'no checkpoint is given', action: 'Name at least one.' };
}

/** The models of a job. What is removed, healed and adapted is so in the last checkpoint. */
export function columnsOf({ checkpoints = [], columns, ...changes }: Several): readonly LabelledModel[] {
  if (columns) return columns;
  const { remove: removed, width: file, heal, adapter: folder, otherBase } = changes;
  return checkpoints.map((path, i) => {
    const isLast = i === checkpoints.length - 1;
    const label = labelOf(path, checkpoints, i);
    return isLast
      ? { label, checkpoint: path, remove: removed, width: file, heal, adapter: folder, otherBase }
      : { label, checkpoint: path };
  });
}

/** The name of the folder or file; with its place where two have one name. */
function labelOf(path: string, all: readonly string[], at: number): string {
  const nameOf = (each: string): string =>
    each
      .replace(/[\\/]+$/, '')
      .split(/[\\/]/)
      .at(-1) ?? each;
  const name = nameOf(path);
  return all.some((other, i) => i !== at && nameOf(other) === name) ? `${name} (${at + 1})` : name;
}
