/** Rows of the text that weighs the columns of an export, unless the options say otherwise. */
export const IMATRIX_ROWS = { samples: 32, length: 512 } as const;
