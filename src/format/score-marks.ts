/** Signs before numbers of parts that are less certain than others of the same table. */

/** In int8, beside others that are float32. */
export const SCREENED = '~';
/** An estimate from some of the rows, beside others that were measured on all. */
export const RACED = '*';

/** @param readRows rows that a part was measured on, if not on all */
export const markOf = ({ margin, readRows }: { readonly margin?: unknown; readonly readRows?: unknown }): string =>
  readRows !== undefined ? RACED : margin !== undefined ? SCREENED : '';
