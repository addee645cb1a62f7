/**
 * Messages between the checkpoint editor and its page. The page says that it is ready, gets a description of the file,
 * and then asks for rows of the tensor table as they come into view: a table is never sent whole.
 */
import type { TensorStatistics } from './short';

/** A name and what it says, as text to be shown. */
export interface Property {
  readonly name: string;
  readonly value: string;
  /** What kind of value it is, or how much of it is not shown: "u32", "150,000 items". */
  readonly note?: string;
}

/** Something wrong with the file. */
export interface FileProblem {
  readonly severity: 'error' | 'warning';
  readonly what: string;
  readonly why: string;
  readonly action?: string;
  /** Name of the file, field in it, and position of its first byte, where they are known. */
  readonly file?: string;
  readonly field?: string;
  readonly offset?: number;
}

export type PartKind = 'embedding' | 'attention' | 'ffn' | 'norm' | 'head' | 'other';

/** A piece of the strip: a block, or what lies outside the blocks. */
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

/** Everything but the tensors. */
export interface FileDescription {
  /** Of the file, or of the model's folder for an index. */
  readonly name: string;
  readonly format: string;
  /** What it is: architecture, dimensions, sizes. */
  readonly facts: readonly Property[];
  readonly problems: readonly FileProblem[];
  /** How many problems there are, of which `problems` are the first. */
  readonly problemCount: number;
  /** In the order of the model. */
  readonly strip: readonly StripPiece[];
  readonly config: readonly Property[];
  readonly metadata: readonly Property[];
  readonly shards: readonly ShardDescription[];
  readonly tensors: number;
  /** Why there are no statistics of a tensor's values; undefined when there are. */
  readonly noStatistics?: string;
}

export type TensorColumn = 'name' | 'dtype' | 'shape' | 'elements' | 'bytes' | 'offset' | 'file';

/** Which rows, and in what order. */
export interface TableQuery {
  /** Words that all have to occur: in names, as "dtype:f16", "block:12", "part:ffn" in what they name. */
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
  /** In its file; null where the damage hides it. */
  readonly offset: number | null;
  readonly file: string;
}

export type StatisticsState =
  | { readonly kind: 'running'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly statistics: TensorStatistics }
  | { readonly kind: 'failed'; readonly what: string; readonly why: string; readonly action?: string }
  | { readonly kind: 'cancelled' };

export type ToEditorPage =
  /** Answers `ready`, and comes again when the file changed. */
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
  /** Rows [start, end) of the query; the answer carries the same `request`. */
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
  | { readonly type: 'openText' };
