/** Results of a criterion: the numbers for pages, records and selection. */
import type { Half } from '../model/view';
import type { Fitness, MeasuredSet } from './evolution';
import type { Precision } from '../precision';
import type { LossSummary } from './losses';
import type { ModuleCost } from './module-cost';
import type { Objective } from './objective';
import type { AngularWindow } from './select';

export interface BlockScore {
  readonly index: number;
  readonly score: number;
  readonly ppl?: number;
  readonly meanNll?: number;
  /** Mean divergence from the unpruned model, if it was measured. */
  readonly kl?: number;
  readonly low?: number;
  readonly high?: number;
  /** Paired with the whole model over the same rows (losses.ts). */
  readonly pairedLow?: number;
  readonly pairedHigh?: number;
  /** The same, for all parts at once. */
  readonly jointLow?: number;
  readonly jointHigh?: number;
  /** Mean loss of each calibration row. */
  readonly rows?: readonly number[];
  /** The arithmetic of these numbers, where a criterion has a choice. */
  readonly precision?: Precision;
  /** Of a screened block: how far the mean loss, or the divergence, in float32 may be from this one, in nats. */
  readonly margin?: number;
  /** Rows that were read, if a block dropped out of a race: then its numbers are estimates for all rows (race.ts). */
  readonly readRows?: number;
}

/** How a race left out rows. */
export interface RaceSummary {
  /** The probability, at least, that the wanted parts are those of all rows. */
  readonly confidence: number;
  /** How many of the least important; of a removal in turn, one in each round. */
  readonly wanted: number;
  /** Parts that dropped out, of all rounds. */
  readonly dropped: number;
  /** Rows that were read, as a share of the rows of all parts. */
  readonly read: number;
}

/** How a screen left the numbers that matter to float32. */
export interface ScreenSummary {
  /** The precision of the screen. */
  readonly precision: Precision;
  /** How many of the least important are certain, in float32; of a removal in turn, in each round. */
  readonly exact: number;
  /** How many were computed in float32 for that. */
  readonly confirmed: number;
  /** Measured bound of the screen's error in nats, near the exact part; the largest of all rounds. Absent if unknown. */
  readonly margin?: number;
}

export interface ModuleScore extends Omit<BlockScore, 'index'> {
  readonly block: number;
  readonly part: Half;
}

/** One tensor of a block, by its name within the block: "mlp.up_proj.weight". */
export interface TensorScore {
  readonly block: number;
  readonly name: string;
  readonly score: number;
}

/** A removal of a sequence, and the model without this part and all earlier ones. */
export interface Removal {
  readonly block: number;
  /** The half of the block, where modules are removed; all of it when undefined. */
  readonly part?: Half;
  /** Among modules: what the removal saves, in bytes of the files or seconds over some rows. */
  readonly saves?: number;
  readonly meanNll: number;
  readonly ppl: number;
  /** Mean divergence from the unpruned model, if it was measured. */
  readonly kl?: number;
}

/** The course of a search, and what its set is. */
export interface SearchCourse {
  readonly ppl: number;
  /** Divergence of the best set at the start (generation 0) and after each generation. */
  readonly trajectory: readonly { readonly generation: number; readonly kl: number }[];
  /** Sets that were measured. */
  readonly sets: number;
  /** Seconds after the greedy start. */
  readonly seconds: number;
  /** What ended it: its time, its number of generations, the user, or that no new set was left. */
  readonly ended: 'time' | 'generations' | 'cancelled' | 'exhausted';
}

/** The set of blocks that a search found, ascending. It has no order. */
export interface SearchResult extends MeasuredSet, SearchCourse {
  /** The set that the search started from. */
  readonly start: MeasuredSet;
}

/** A set of blocks and single modules, as in JSON: [10, "12.ffn"]. */
export interface MeasuredModules extends Fitness {
  readonly removed: readonly (number | string)[];
  /** In bytes of the files, or seconds over some rows. */
  readonly saves: number;
}

/** The same of a search among modules. It chooses no blocks, and no model without its set can be written. */
export interface ModuleSearchResult extends MeasuredModules, SearchCourse {
  readonly start: MeasuredModules;
}

/** One of the sets of least energy: as it is on all rows, and healed on those that were not fitted. */
export interface Finalist extends MeasuredSet {
  /** In nats. */
  readonly energy: number;
  /** KL divergence after a quick healing, in nats; undefined where there is one row only. */
  readonly healed?: number;
}

/** The set of blocks that was chosen by energy, ascending. It has no order. */
export interface EnergyResult extends Finalist {
  readonly ppl: number;
  /** Sets whose energy was looked at: all of that size; null where there are too many, and annealing looked for them. */
  readonly ranked: number | null;
  /** On how many rows single blocks and pairs were measured for the energy, and in which arithmetic. */
  readonly pairs: { readonly rows: number; readonly precision: Precision };
  /** The nearest of the sets of least energy, the nearest first. */
  readonly finalists: readonly Finalist[];
}

/** The fields depend on the criterion. */
export interface CriterionResult {
  /** The whole model, if it was measured. */
  readonly full?: Omit<LossSummary, 'rows'> & Partial<Pick<LossSummary, 'rows'>> & { readonly kl?: number };
  readonly blocks?: readonly BlockScore[];
  readonly modules?: readonly ModuleScore[];
  readonly order?: readonly number[] | readonly { readonly block: number; readonly part: Half }[];
  readonly windows?: readonly AngularWindow[];
  readonly removals?: readonly Removal[];
  /** Only for greedy: what each removal keeps lowest. */
  readonly objective?: Objective;
  /** Where modules are chosen: what that economized on. */
  readonly cost?: ModuleCost;
  /** Then also all that is left out in the end, as the option that leaves out parts takes it. */
  readonly leftOut?: readonly (number | string)[];
  readonly search?: SearchResult;
  /** In place of the search's, where it chose among modules. */
  readonly moduleSearch?: ModuleSearchResult;
  readonly energy?: EnergyResult;
  /** Set where candidates were screened. */
  readonly screen?: ScreenSummary;
  /** Set where parts dropped out of a race. */
  readonly race?: RaceSummary;
  readonly tensors?: readonly TensorScore[];
  /** Only for taylor: size of the temporary file for hidden states, if any. */
  readonly temporaryBytes?: number;
  /** Only for block-influence and angular: number of hidden states that are all zeros and have no direction, if any. */
  readonly zeroStates?: number;
}

/** The set of a criterion that chooses one. */
export const setOf = <S, E>({ search, energy }: { readonly search?: S; readonly energy?: E }): S | E | undefined =>
  search ?? energy;
