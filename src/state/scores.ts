/** The latest scores of every checkpoint by each criterion, kept with the workspace. */
import { setOf } from '../engine/importance/result';
import { defined } from '../format/defined';
import { type JsonNumber, numeric, parseJsonNumber } from '../format/json';
import type { Criterion } from '../engine/importance/criteria';
import type { Objective } from '../engine/importance/objective';
import type { Ranking } from '../engine/importance/ranking';
import { rankBlocks } from '../engine/importance/select';
import type { Memento } from './memento';
import type { CalibrationInfo, ScoreResult } from '../jobs/results/score';
import { Emitter } from '../sidecar/emitter';
import { KeptMap } from './kept-map';
import type { PlanSubject } from './plan';

/** One scoring, reduced to what views and selection need. The record has the rest. */
export interface Scores {
  readonly criterion: Criterion;
  readonly identity: string;
  /** One per block; undefined for angular and greedy, which score runs and sequences of blocks. */
  readonly blocks?: readonly JsonNumber[];
  /** How many of the least important blocks are certain; absent if all were measured on all rows in float32. */
  readonly exact?: number;
  /** The blocks that were only screened in a lower precision, or measured on some of the rows. */
  readonly screened?: readonly number[];
  readonly windows?: ScoreResult['windows'];
  readonly removals?: readonly number[];
  /** The set of a search. */
  readonly set?: readonly number[];
  /** What the removals keep low, where the criterion has a choice. */
  readonly objective?: Objective;
  /** Perplexity of the whole model, if measured. */
  readonly fullPpl?: JsonNumber;
  /** The model does not fit the text, so that the scores mean little. */
  readonly unfit?: ScoreResult['unfit'];
  /** The text, with its path and its name for the user if known: different texts have the same base name. */
  readonly calibration: (CalibrationInfo & { readonly file?: string; readonly name?: string }) | null;
  /** Path of the run's record. */
  readonly record: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Information that a scoring's result lacks. */
export interface AddedScores {
  readonly file?: string;
  /** The text's name for the user. */
  readonly name?: string;
  readonly shows?: boolean;
}

const KEY = 'scores';
/** Shown criteria by path of the checkpoint. */
const SHOWN_KEY = 'shownScores';

export class ScoreStore {
  private readonly entries: KeptMap<readonly Scores[]>;
  private readonly chosen: KeptMap<string>;
  private readonly changed = new Emitter<string>();
  /** Fires with the path of the checkpoint whose scores, or shown scores, have changed. */
  readonly onChange = this.changed.on;

  constructor(store: Memento) {
    const changed = (path: string): void => this.changed.fire(path);
    this.entries = new KeptMap(store, KEY, readScores, changed);
    this.chosen = new KeptMap(store, SHOWN_KEY, readCriterion, changed);
  }

  /** Newest first, one per criterion. */
  all({ path, identity }: Pick<PlanSubject, 'path' | 'identity'>): readonly Scores[] {
    return (this.entries.get(path) ?? []).filter((scores) => scores.identity === identity);
  }

  /** The newest, or the newest by `criterion`. */
  latest(subject: Pick<PlanSubject, 'path' | 'identity'>, criterion?: Criterion): Scores | undefined {
    return this.all(subject).find((scores) => criterion === undefined || scores.criterion === criterion);
  }

  /** The scores that color and describe the blocks: by the chosen criterion, or the newest. */
  shown(subject: Pick<PlanSubject, 'path' | 'identity'>): Scores | undefined {
    const all = this.all(subject);
    return all.find(({ criterion }) => criterion === this.chosen.get(subject.path)) ?? all[0];
  }

  /** The newest scores of other files at this path: of the checkpoint before it changed. */
  outdated({ path, identity }: Pick<PlanSubject, 'path' | 'identity'>): Scores | undefined {
    return this.entries.get(path)?.find((scores) => scores.identity !== identity);
  }

  /** Forgets the scores of a checkpoint that is gone. */
  forget(path: string): void {
    if (!this.entries.delete(path)) return;
    this.chosen.delete(path);
    this.changed.fire(path);
  }

  /** Shows the scores by `criterion` until the blocks are scored again. */
  show(path: string, criterion: Criterion): void {
    if (this.chosen.get(path) === criterion) return;
    this.chosen.set(path, criterion);
    this.changed.fire(path);
  }

  /**
   * Keeps a scoring of the whole model. Scorings of pruned models and of single modules do not apply to pruning its
   * blocks.
   * @param record path of the run's record
   * @param file path of the calibration text, which the result only names
   * @param shows whether the view shows it from now on
   */
  add(path: string, result: ScoreResult, record: string | null, { file, name, shows = true }: AddedScores = {}): void {
    const isOfModules =
      result.modules !== undefined ||
      result.moduleSearch !== undefined ||
      result.removals?.some(({ part }) => part !== undefined) === true;
    if ((result.removed?.length ?? 0) > 0 || isOfModules || result.adapter) return;
    const scores: Scores = {
      criterion: result.criterion,
      identity: result.model.identity,
      ...(result.blocks && { blocks: result.blocks.map(({ score }) => score) }),
      ...screenedOf(result),
      ...(result.windows && { windows: result.windows }),
      ...(result.removals && { removals: result.removals.map(({ block }) => block) }),
      ...(result.objective && { objective: result.objective }),
      ...(setOf(result) && { set: setOf(result)!.blocks }),
      ...(result.full && { fullPpl: result.full.ppl }),
      ...(result.unfit && { unfit: result.unfit }),
      calibration: result.calibration && {
        ...result.calibration,
        ...defined({ file, name }),
      },
      record,
      at: Date.now(),
    };
    const others = this.all({ path, identity: scores.identity }).filter(
      (other) => other.criterion !== scores.criterion,
    );
    this.entries.set(path, [scores, ...others]);
    if (shows) this.chosen.set(path, scores.criterion);
    this.changed.fire(path);
  }
}

/** What a screen left in its precision, or a race on some of the rows. */
function screenedOf({ blocks = [], screen, race }: ScoreResult): Pick<Scores, 'exact' | 'screened'> {
  const screened = blocks
    .filter(({ precision, readRows }) => precision === 'int8' || readRows !== undefined)
    .map(({ index }) => index);
  return screened.length === 0 ? {} : { exact: (screen ? screen.exact : race?.wanted) ?? 0, screened };
}

/** The blocks whose place in the order is certain; undefined where all are. */
export function certainBlocks({ blocks, exact }: Scores): readonly number[] | undefined {
  if (!blocks || exact === undefined) return undefined;
  return rankBlocks(blocks.map((score) => parseJsonNumber(score) ?? NaN)).slice(0, exact);
}

/** What this or another version stored. */
const readScores = (stored: unknown): readonly Scores[] | undefined =>
  Array.isArray(stored) ? (stored as readonly Scores[]) : undefined;

const readCriterion = (stored: unknown): string | undefined => (typeof stored === 'string' ? stored : undefined);

/** The ranking for selection; undefined if the scores rank no blocks. */
export function rankingOf({ blocks, windows, removals, set, fullPpl }: Scores): Ranking | undefined {
  const baseline = fullPpl === undefined ? undefined : { baseline: numeric(fullPpl) };
  if (blocks) return { kind: 'scores', scores: blocks.map(numeric), ...baseline };
  if (windows) {
    const numbered = windows.map((window) => ({ ...window, score: numeric(window.score) }));
    return { kind: 'windows', windows: numbered, ...baseline };
  }
  if (removals) return { kind: 'removals', removals, ...baseline };
  if (set) return { kind: 'set', set, ...baseline };
  return undefined;
}

/** Importance of a block relative to the others. */
export type Importance = 'low' | 'middle' | 'high';

/** Thirds of the ranking, for display only. Undefined if blocks have no scores of their own. */
export function importances(scores: Pick<Scores, 'blocks'> | undefined): readonly Importance[] | undefined {
  if (!scores?.blocks) return undefined;
  const ranking = rankBlocks(scores.blocks.map((score) => parseJsonNumber(score) ?? NaN));
  const list = Array<Importance>(ranking.length).fill('middle');
  for (const [place, block] of ranking.entries()) {
    const share = (place + 0.5) / ranking.length;
    list[block] = share < 1 / 3 ? 'low' : share < 2 / 3 ? 'middle' : 'high';
  }
  return list;
}
