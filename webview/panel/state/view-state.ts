/** The user's choices about how the panel looks. They survive hiding and reload. The host owns all results. */
import { isObject } from '../../../src/format/json';
import type { WriteSettings } from '../../../src/protocol/panel';

export interface ViewState {
  /** Criterion of the large importance chart. */
  readonly criterion: string;
  /** The importance chart has the least important block first, instead of the order of the model. */
  readonly byScore: boolean;
  /** Runs that charts draw instead of newer ones (shown-runs.ts). */
  readonly shown: readonly string[];
  /** Rows of the curves (rows.ts); empty for those of the plan. */
  readonly text: string;
  /** Name of the curve that the slider moves on; empty for the plan's, else the first. */
  readonly slider: string;
  /** What the user chose in cards, by name: the run that a card shows by the name of the card, and what its lists select. */
  readonly chosen: Readonly<Record<string, string>>;
  readonly prompt: string;
  /** Ids of the models that generate. */
  readonly columns: readonly string[];
  readonly settings: WriteSettings;
  /** The last request. The host reports texts without their settings. */
  readonly asked: { readonly prompt: string; readonly settings: WriteSettings } | null;
  readonly markDifferences: boolean;
  /** The cards outside the six steps: "open", "closed", or empty for open where one of them has results. */
  readonly more: string;
  /** List the measurements of earlier plans. */
  readonly earlierPlans: boolean;
  /** Runs whose details are shown. */
  readonly openRuns: readonly string[];
  /** Ticked runs. */
  readonly ticked: readonly string[];
  /** Charts with an open table. */
  readonly tables: readonly string[];
}

export const FIRST_VIEW: ViewState = {
  criterion: 'ppl',
  byScore: false,
  shown: [],
  text: '',
  slider: '',
  chosen: {},
  prompt: '',
  columns: [],
  settings: { maxNewTokens: 64, chat: false, sampling: null },
  asked: null,
  markDifferences: false,
  more: '',
  earlierPlans: false,
  openRuns: [],
  ticked: [],
  tables: [],
};

/** Reads kept state of this or another version. A value of the wrong type gets its default. */
export function readView(kept: unknown): ViewState {
  if (!isObject(kept)) return FIRST_VIEW;
  const view: Record<string, unknown> = { ...FIRST_VIEW };
  for (const [name, first] of Object.entries(FIRST_VIEW)) {
    const value = kept[name];
    if (typeof value === typeof first && Array.isArray(value) === Array.isArray(first) && value !== null)
      view[name] = value;
  }
  return view as unknown as ViewState;
}
