/** What is known of every checkpoint's blocks: the latest scores by each criterion, kept with the workspace. */
import { parseJsonNumber } from '../engine/json';
import type { Criterion } from '../engine/importance/criterion';
import type { Ranking } from '../engine/importance/ranking';
import { rankBlocks } from '../engine/importance/select';
import type { Memento } from '../host/memento';
import type { CalibrationInfo, ScoreResult } from '../protocol/scores';
import type { JsonNumber } from '../protocol/json';
import { Emitter } from '../sidecar/emitter';
import type { PlanSubject } from './plan';

/** One scoring, reduced to what views and selection need. The record has the rest. */
export interface Scores {
  readonly criterion: Criterion;
  readonly identity: string;
  /** Of all blocks. Of angular and greedy, which score runs and sequences, undefined. */
  readonly blocks?: readonly JsonNumber[];
  readonly windows?: ScoreResult['windows'];
  readonly removals?: readonly number[];
  /** Perplexity of the whole model, where it was measured. */
  readonly fullPpl?: JsonNumber;
  /** The text, with its path where that is known. */
  readonly calibration: (CalibrationInfo & { readonly file?: string }) | null;
  /** Path of the run's record. */
  readonly record: string | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a scoring's result does not tell. */
export interface AddedScores {
  readonly file?: string;
  readonly shows?: boolean;
}

const KEY = 'scores';
/** Criteria by the paths of checkpoints. */
const SHOWN_KEY = 'shownScores';

export class ScoreStore {
  private readonly entries: Map<string, readonly Scores[]>;
  private readonly chosen: Map<string, string>;
  private readonly changed = new Emitter<string>();
  /** Tells the path of the checkpoint with new scores, or with other ones shown. */
  readonly onChange = this.changed.on;

  constructor(private readonly store: Memento) {
    const lists = storedEntries(store, KEY).filter((entry): entry is [string, Scores[]] => Array.isArray(entry[1]));
    this.entries = new Map(lists);
    const chosen = storedEntries(store, SHOWN_KEY).filter((entry): entry is [string, string] => {
      return typeof entry[1] === 'string';
    });
    this.chosen = new Map(chosen);
  }

  /** Newest first, one a criterion. */
  all({ path, identity }: Pick<PlanSubject, 'path' | 'identity'>): readonly Scores[] {
    return (this.entries.get(path) ?? []).filter((scores) => scores.identity === identity);
  }

  /** The newest, or the newest by `criterion`. */
  latest(subject: Pick<PlanSubject, 'path' | 'identity'>, criterion?: Criterion): Scores | undefined {
    return this.all(subject).find((scores) => criterion === undefined || scores.criterion === criterion);
  }

  /** Those that colour and describe the blocks: by the criterion that was chosen, else the newest. */
  shown(subject: Pick<PlanSubject, 'path' | 'identity'>): Scores | undefined {
    const all = this.all(subject);
    return all.find(({ criterion }) => criterion === this.chosen.get(subject.path)) ?? all[0];
  }

  /** From now on the scores by `criterion` are shown, until the blocks are scored again. */
  show(path: string, criterion: Criterion): void {
    if (this.chosen.get(path) === criterion) return;
    this.choose(path, criterion);
    this.changed.fire(path);
  }

  /**
   * Keeps a scoring of the whole model. Those of views and single modules say nothing about pruning its blocks.
   * @param record path of the run's record
   * @param file path of the calibration text, which the result only names
   * @param shows whether the view shows it from now on
   */
  add(path: string, result: ScoreResult, record: string | null, { file, shows = true }: AddedScores = {}): void {
    if ((result.removed?.length ?? 0) > 0 || result.modules || result.adapter) return;
    const scores: Scores = {
      criterion: result.criterion,
      identity: result.model.identity,
      ...(result.blocks && { blocks: result.blocks.map(({ score }) => score) }),
      ...(result.windows && { windows: result.windows }),
      ...(result.removals && { removals: result.removals.map(({ block }) => block) }),
      ...(result.full && { fullPpl: result.full.ppl }),
      calibration: result.calibration && { ...result.calibration, ...(file !== undefined && { file }) },
      record,
      at: Date.now(),
    };
    const others = this.all({ path, identity: scores.identity }).filter(
      (other) => other.criterion !== scores.criterion,
    );
    this.entries.set(path, [scores, ...others]);
    void this.store.update(KEY, Object.fromEntries(this.entries));
    if (shows) this.choose(path, scores.criterion);
    this.changed.fire(path);
  }

  private choose(path: string, criterion: Criterion): void {
    this.chosen.set(path, criterion);
    void this.store.update(SHOWN_KEY, Object.fromEntries(this.chosen));
  }
}

/** Reads what this or another version stored under `key`. */
function storedEntries(store: Memento, key: string): [string, unknown][] {
  const stored = store.get(key);
  return typeof stored === 'object' && stored !== null ? Object.entries(stored) : [];
}

/** What selection needs of scores; undefined when they hold nothing that ranks. */
export function rankingOf({ blocks, windows, removals, fullPpl }: Scores): Ranking | undefined {
  const number = (value: JsonNumber): number => parseJsonNumber(value) ?? NaN;
  const baseline = fullPpl === undefined ? undefined : { baseline: number(fullPpl) };
  if (blocks) return { kind: 'scores', scores: blocks.map(number), ...baseline };
  if (windows) {
    const numbered = windows.map((window) => ({ ...window, score: number(window.score) }));
    return { kind: 'windows', windows: numbered, ...baseline };
  }
  if (removals) return { kind: 'removals', removals, ...baseline };
  return undefined;
}

/** How much a block matters beside the others. */
export type Importance = 'low' | 'middle' | 'high';

/** By thirds of the ranking: what stands out at a glance, not a measure. Undefined where single blocks have no score. */
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
