/** What the page keeps while it is hidden or the window is reloaded. */
import type { TableQuery, TensorRow } from '../../src/protocol/editor';
import type { TensorStatistics } from '../../src/protocol/short';

export interface EditorState {
  readonly query: TableQuery;
  readonly tableTop: number;
  readonly pageTop: number;
  /** The tensor that is shown in detail, with its row number in the table. */
  readonly selected: { readonly row: TensorRow; readonly index: number };
  readonly statistics: { readonly tensor: string; readonly statistics: TensorStatistics };
}
