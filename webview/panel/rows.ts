/** Which perplexities may stand on one axis: those of the same rows of the same text. */
import type { WhatIfState } from '../../src/protocol/panel';

/** Names the rows; by the text's name where the record does not tell more. */
export const rowsOf = ({ rowsKey, text }: { readonly rowsKey?: string; readonly text: string }): string =>
  rowsKey ?? `text ${text}`;

/** Those of the plan; undefined until its perplexity is known. */
export const rowsOfPlan = ({ rowsKey, text, full, ppl }: WhatIfState): string | undefined =>
  text === null || (full === null && ppl === null) ? undefined : rowsOf({ rowsKey, text });
