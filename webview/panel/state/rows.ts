/** Perplexities can be compared if they were measured on the same rows of the same text. */
import { shareWords } from '../../../src/format/text-share';
import type { PanelText, WhatIfState } from '../../../src/protocol/panel';

interface OnText {
  readonly rowsKey?: string;
  readonly text: string;
}

/** Names the rows. For a record without a key the name of the text must do. */
export const rowsOf = ({ rowsKey, text }: OnText): string => rowsKey ?? `text:${text}`;

/** The rows of the plan; undefined until its perplexity is known. */
export const rowsOfPlan = ({ rowsKey, text, full, ppl }: WhatIfState): string | undefined =>
  text === null || (full === null && ppl === null) ? undefined : rowsOf({ rowsKey, text });

/** The rows of the panel. */
export const rowsOfPanel = (text: PanelText | null): string | undefined =>
  text ? rowsOf({ rowsKey: text.rowsKey, text: text.name }) : undefined;

/** The text with the number and length of its rows: "data/calibration.txt · 10×128". */
export function rowsLabel({ rowsKey, text }: OnText): string {
  const size = /^\S+ (?:choose |judge )?(\d+×\d+) /.exec(rowsKey ?? '')?.[1];
  return size === undefined ? text : `${text} · ${size}`;
}

/** How many samples were drawn for these rows; undefined where the key does not tell. */
export function samplesOf(rowsKey: string | undefined): number | undefined {
  const samples = /^\S+ (?:choose |judge )?(\d+)×\d+ seed /.exec(rowsKey ?? '')?.[1];
  return samples === undefined ? undefined : Number(samples);
}

export const textLabel = ({ name, share, samples, length }: PanelText): string =>
  `${name}${shareWords(share)} · ${samples}×${length}`;

/** The plan's perplexity on the panel's rows. Drops one that was measured on other rows. */
export function onPanelRows(whatIf: WhatIfState, text: PanelText | null): WhatIfState {
  const rows = rowsOfPlan(whatIf);
  const isOther = text !== null && rows !== undefined && rows !== rowsOfPanel(text);
  return isOther ? { ...whatIf, full: null, ppl: null, kl: null, top1: null, text: null } : whatIf;
}
