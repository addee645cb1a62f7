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
  /** Run that is compared with the retraining; empty for none. */
  readonly overlay: string;
  /** Retraining that is shown while none is running; empty for the newest. */
  readonly training: string;
  /** Healing that is shown; empty for the newest. */
  readonly healing: string;
  /** Run of tasks that is shown; empty for the newest. */
  readonly accuracy: string;
  /** Grid of speeds that is shown; empty for the newest. */
  readonly grid: string;
  /** What its charts and its table show. */
  readonly gridMeasure: string;
  /** Iterative pruning that is shown; empty for the newest. */
  readonly iterative: string;
  /** Comparison of depth and width that is shown; empty for the newest. */
  readonly versus: string;
  /** What its chart shows, and against what. */
  readonly versusMeasure: string;
  readonly versusAgainst: string;
  readonly prompt: string;
  /** Ids of the models that generate. */
  readonly columns: readonly string[];
  readonly settings: WriteSettings;
  /** The last request. The host reports texts without their settings. */
  readonly asked: { readonly prompt: string; readonly settings: WriteSettings } | null;
  readonly markDifferences: boolean;
  /** Run whose samples are shown; empty for the latest ones. */
  readonly samples: string;
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
  overlay: '',
  training: '',
  healing: '',
  accuracy: '',
  grid: '',
  gridMeasure: 'throughput',
  iterative: '',
  versus: '',
  versusMeasure: 'ppl',
  versusAgainst: 'parameters',
  prompt: '',
  columns: [],
  settings: { maxNewTokens: 64, chat: false, sampling: null },
  asked: null,
  markDifferences: false,
  samples: '',
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
