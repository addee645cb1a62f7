/**
 * The messages between the checkpoint editor and its page. The page sends `ready` and gets a description of the file. Then it
 * asks for rows of the tensor table as they scroll into view. The whole table is never sent.
 */
import type { TensorStatistics } from './short';

/** A name and a value to display. */
export interface Property {
  readonly name: string;
  readonly value: string;
  /** The type of the value, or how much of it is cut: "u32", "150,000 items". */
  readonly note?: string;
  /** The value leads to the actions of the page. */
  readonly leadsToActions?: true;
}

/** What can be done with the file's model. */
export interface ModelActions {
  /** Why its blocks cannot be scored and pruned; undefined if they can. */
  readonly cannotPrune?: string;
  /** It cannot be opened, so that the view can have no line for it. */
  readonly isDamaged?: true;
  /** Why nothing runs at the moment, as in Restricted Mode. */
  readonly cannotRun?: string;
}

export type ModelAction = 'score' | 'results' | 'reveal';

/** A problem of the file. */
export interface FileProblem {
  readonly severity: 'error' | 'warning';
  readonly what: string;
  readonly why: string;
  readonly action?: string;
  /** File name, field, and position of its first byte, if they are known. */
  readonly file?: string;
  readonly field?: string;
  readonly offset?: number;
}

export type PartKind = 'embedding' | 'attention' | 'ffn' | 'norm' | 'head' | 'other';

/** A piece of the strip: a block, or tensors outside the blocks. */
export interface StripPiece {
  /** Number of the block; undefined outside the blocks. */
  readonly block?: number;
  readonly bytes: number;
  readonly parts: readonly { readonly kind: PartKind; readonly bytes: number }[];
}

export interface ShardDescription {
  readonly name: string;
  readonly bytes: number;
  readonly tensors: number;
}

/** The file without its tensors. */
export interface FileDescription {
  /** Name of the file, or of the model's folder for an index. */
  readonly name: string;
  readonly format: string;
  /** Architecture, dimensions, sizes. */
  readonly facts: readonly Property[];
  readonly problems: readonly FileProblem[];
  /** The number of all problems; `problems` has the first ones. */
  readonly problemCount: number;
  /** In the order of the model. */
  readonly strip: readonly StripPiece[];
  readonly config: readonly Property[];
  readonly metadata: readonly Property[];
  readonly shards: readonly ShardDescription[];
  readonly tensors: number;
  /** Undefined for a file without a model. */
  readonly actions?: ModelActions;
  /** Why statistics are not available; undefined if they are. */
  readonly noStatistics?: string;
}

export type TensorColumn = 'name' | 'dtype' | 'shape' | 'elements' | 'bytes' | 'offset' | 'file';

/** A filter and an order of the tensor table. */
export interface TableQuery {
  /** Words that must all match: "dtype:f16", "block:12", "part:ffn" match what they name, others match names. */
  readonly filter: string;
  /** The order of the file when undefined. */
  readonly sort?: { readonly column: TensorColumn; readonly descending: boolean };
}

export interface TensorRow {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly bytes: number;
  /** Position in its file; null if damage hides it. */
  readonly offset: number | null;
  readonly file: string;
}

export type StatisticsState =
  | { readonly kind: 'running'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly statistics: TensorStatistics }
  | { readonly kind: 'failed'; readonly what: string; readonly why: string; readonly action?: string }
  | { readonly kind: 'cancelled' };

export type ToEditorPage =
  /** Answers `ready`. It is sent again when the file changes. */
  | { readonly type: 'init'; readonly description: FileDescription }
  | {
      readonly type: 'rows';
      readonly request: number;
      readonly start: number;
      readonly rows: readonly TensorRow[];
      /** Rows that match the filter. */
      readonly total: number;
    }
  | { readonly type: 'statistics'; readonly tensor: string; readonly state: StatisticsState };

export type FromEditorPage =
  | { readonly type: 'ready' }
  /** Rows [start, end) of the query. The answer has the same `request`. */
  | {
      readonly type: 'rows';
      readonly request: number;
      readonly start: number;
      readonly end: number;
      readonly query: TableQuery;
    }
  | { readonly type: 'statistics'; readonly tensor: string }
  | { readonly type: 'cancelStatistics' }
  | { readonly type: 'copy'; readonly text: string }
  /** The rows of the query as tab-separated values. */
  | { readonly type: 'copyTable'; readonly query: TableQuery }
  | { readonly type: 'openText' }
  | { readonly type: 'act'; readonly action: ModelAction };
