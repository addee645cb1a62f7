/** What a model has besides the files of its checkpoint, by file name: in results, records and pages. */
import { defined } from './defined';
import type { JsonObject } from './json';

/** Names of the files on top of a checkpoint. */
export interface OnTop {
  /** File of a width: what is kept of each block. */
  readonly width?: string;
  /** File of healed weights. */
  readonly patch?: string;
  readonly adapter?: string;
}

/** Only what there is. */
export const onTop = ({ width, patch, adapter }: OnTop): OnTop => defined({ width, patch, adapter });

/** The same from a record. */
export const readOnTop = ({ width, patch, adapter }: JsonObject): OnTop =>
  onTop({ width: text(width), patch: text(patch), adapter: text(adapter) });

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The names, in the order in which they lie on the checkpoint. */
export const namesOnTop = ({ width, patch, adapter }: OnTop): string[] =>
  [width, patch, adapter].filter((name) => name !== undefined);

/** Equal for models that have the same on top. */
export const onTopKey = ({ width, patch, adapter }: OnTop): string =>
  JSON.stringify([width ?? null, patch ?? null, adapter ?? null]);
