/** What the panel looks like: choices that are the user's and survive hiding and reload. Results are the host's. */
import type { WriteSettings } from '../../../src/protocol/panel';

export interface ViewState {
  /** Criterion of the large importance chart. */
  readonly criterion: string;
  /** The importance axis reaches to the largest score. */
  readonly wholeRange: boolean;
  /** Runs that are drawn in place of newer ones of their kind (shown-runs.ts). */
  readonly shown: readonly string[];
  /** Rows that the curves are of (rows.ts); empty for those of the plan. */
  readonly text: string;
  /** Run that is laid over the retraining; empty for none. */
  readonly overlay: string;
  /** Retraining that is shown when none runs; empty for the newest. */
  readonly training: string;
  readonly prompt: string;
  /** Ids of the columns that write. */
  readonly columns: readonly string[];
  readonly settings: WriteSettings;
  /** What was asked for last: the host tells what is written, not how. */
  readonly asked: { readonly prompt: string; readonly settings: WriteSettings } | null;
  readonly markDifferences: boolean;
  /** Run whose samples are shown; empty for those being written. */
  readonly samples: string;
  /** The costs of plans that are none any more are listed. */
  readonly earlierPlans: boolean;
  /** Runs that are ticked. */
  readonly ticked: readonly string[];
  /** Charts whose table is open. */
  readonly tables: readonly string[];
}

export const FIRST_VIEW: ViewState = {
  criterion: 'ppl',
  wholeRange: false,
  shown: [],
  text: '',
  overlay: '',
  training: '',
  prompt: '',
  columns: [],
  settings: { maxNewTokens: 64, chat: false, sampling: null },
  asked: null,
  markDifferences: false,
  samples: '',
  earlierPlans: false,
  ticked: [],
  tables: [],
};

/** What was kept, by this version or another: what is not of the right kind is as at first. */
export function readView(kept: unknown): ViewState {
  if (typeof kept !== 'object' || kept === null) return FIRST_VIEW;
  const view: Record<string, unknown> = { ...FIRST_VIEW };
  for (const [name, first] of Object.entries(FIRST_VIEW)) {
    const value = (kept as Record<string, unknown>)[name];
    if (typeof value === typeof first && Array.isArray(value) === Array.isArray(first) && value !== null)
      view[name] = value;
  }
  return view as unknown as ViewState;
}
