/**
 * A sweep that races: parts that are certainly not among the least important ones are measured on the first rows only (race.ts). What
 * such a part has on all rows is an estimate with a half width; that of the others is what a sweep without a race gives.
 */
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { Step } from '../model/view';
import type { Range } from '../parts/split';
import { inPhases, type JobOptions, labelled } from '../progress';
import type { SweepOf, Swept } from './screened-sweep';
import { type Estimate, LEAST_ROWS, leadersOf, looksOf, Prediction } from './race';
import type { RaceSummary } from './result';
import { rankBlocks } from './select';
import type { SweepMeasure, Teacher } from './sweep-measure';
import { SweepMemory } from './sweep-memory';

/** How sure a race must be, and of what. */
export interface Race {
  /** The probability that the wanted parts are those of a sweep over all rows, at least. */
  readonly confidence: number;
  /** How many of the least important parts are wanted; a third when undefined. In turn, it is one in each round. */
  readonly exact?: number;
  /** Blocks that cannot be chosen: they are measured on the first rows only. */
  readonly kept?: ReadonlySet<number>;
}

/** A part that dropped out. Its estimate is of all rows. */
export interface Dropped extends Estimate {
  /** Rows that it was measured on: the first ones. */
  readonly rows: number;
}

/** What a race is for. */
export interface RaceScope {
  /** How many of the least important parts are wanted. */
  readonly wanted: number;
  /** Whether a candidate counts: the others are measured on the first rows only. All when undefined. */
  readonly counts?: (candidate: number) => boolean;
  /** What a part must be above the n-th one besides, in nats: the error of a screen. */
  readonly slack?: number;
  /** Fewer parts lead where it is known from earlier rounds how large errors are. */
  readonly isLater?: boolean;
  /** Where parts are compared by what they add for what they save: what a candidate saves, above 0. */
  readonly saves?: (candidate: number) => number;
}

/** What is raced over. */
interface Course<V extends object> {
  readonly measure: SweepMeasure<V>;
  readonly model: Model;
  readonly teacher: Teacher;
  /** Tokens, all rows of one length. */
  readonly rows: TokenRows;
  readonly race: Race;
}

type RoundToRace<V> = [
  steps: readonly Step[],
  candidates: readonly number[],
  scope: RaceScope,
  job: JobOptions,
  known?: V,
];

/**
 * About what a screen is off (docs/design/importance.md), in nats: a part that is nearer to the wanted ones is measured on all rows, so
 * that it need not be computed in float32.
 */
export const USUAL_MARGIN = 0.02;

/** Parts that lead a later round. */
const LATER_LEADERS = 3;

/** Races over the same rows, one round after another: what a part had in the round before predicts what it has in the next one. */
export class Racer<V extends object> {
  /** What parts had on all rows when they were measured there last. */
  private readonly before = new Map<string, Float64Array>();
  private readonly read = { dropped: 0, rows: 0, of: 0 };

  constructor(private readonly course: Course<V>) {}

  /**
   * The model with `steps`, and without each candidate.
   * @param known numbers of the model on all rows, if they are known
   * @throws UserError, CancelledError
   */
  sweep(...round: RoundToRace<V>): Promise<Swept<V>> {
    return this.course.model.holdingSessions(() => this.run(...round));
  }

  private async run(...[steps, candidates, scope, job, known]: RoundToRace<V>): Promise<Swept<V>> {
    const { measure, rows } = this.course;
    const { counts = () => true, slack = 0, isLater } = scope;
    const countable = candidates.filter(counts);
    const wanted = Math.min(scope.wanted, countable.length);
    const leading = leadersOf(wanted, countable.length, isLater ? LATER_LEADERS : undefined);
    this.read.of += rows.length * candidates.length;
    if (rows.length < LEAST_ROWS || countable.length <= leading) {
      this.read.rows += rows.length * candidates.length;
      const memory = new SweepMemory<V>(known, false);
      return measure.sweep(this.course.model, this.course.teacher, rows, steps, candidates, job, memory);
    }
    const lanes = new Lanes(this.course, steps, candidates, job, known);
    const looks = looksOf(rows.length);
    await lanes.read(candidates, looks[0], rows.length);
    const price = (k: number): Float64Array => this.price(lanes, k, scope);
    const first = countable.map((k) => mean(price(k)));
    const leaders = rankBlocks(first)
      .slice(0, leading)
      .map((i) => countable[i])
      .sort((a, b) => a - b);
    await lanes.read(leaders, rows.length, rows.length);
    const own = (k: number): Float64Array | undefined => this.before.get(nameOf(steps[k]));
    const prediction = new Prediction(
      {
        leaders: leaders.map((k) => ({ values: price(k), before: own(k) })),
        ...(measure.decides === 'nll' && { model: measure.deciding(lanes.full()) }),
      },
      rows.length,
      rows[0].length - 1,
      (1 - this.course.race.confidence) / (candidates.length * looks.length),
    );
    const limit = nth(
      leaders.map((k) => mean(price(k))),
      wanted,
    );
    const out = new Map<number, Dropped>();
    let open = candidates.filter((k) => !leaders.includes(k));
    for (const look of looks) {
      await lanes.read(open, look, rows.length);
      const predict = prediction.from(look);
      open = open.filter((k) => {
        const estimate = predict(price(k), own(k));
        // Written so that NaN counts as undecided.
        if (counts(k) && !(estimate.mean - estimate.half > limit + slack)) return true;
        out.set(k, { ...this.plain(estimate, lanes, k, scope), rows: look });
        return false;
      });
    }
    await lanes.read(open, rows.length, rows.length);
    for (const k of candidates) if (!out.has(k)) this.before.set(nameOf(steps[k]), price(k));
    this.read.dropped += out.size;
    this.read.rows += candidates.reduce((sum, k) => sum + (out.get(k)?.rows ?? rows.length), 0);
    return { full: lanes.full(), without: candidates.map((k) => lanes.of(k)), out };
  }

  /** What parts are compared by, at every position that was read. */
  private price(lanes: Lanes<V>, k: number, { saves }: RaceScope): Float64Array {
    const values = lanes.deciding(k);
    if (!saves) return values;
    const whole = this.course.measure.deciding(lanes.full());
    const saved = saves(k);
    return values.map((value, at) => (value - whole[at]) / saved);
  }

  /** An estimate of a price, as one of what decides. */
  private plain(estimate: Estimate, lanes: Lanes<V>, k: number, { saves }: RaceScope): Estimate {
    if (!saves) return estimate;
    const { mean: price, half, error, freedom } = estimate;
    const whole = mean(this.course.measure.deciding(lanes.full()));
    return { mean: whole + price * saves(k), half: half * saves(k), error: error * saves(k), freedom };
  }

  /** Of all rounds. */
  summary(wanted: number): RaceSummary | undefined {
    const { dropped, rows, of } = this.read;
    return dropped === 0
      ? undefined
      : { confidence: this.course.race.confidence, wanted, dropped, read: of === 0 ? 1 : rows / of };
  }
}

/** The numbers of the model and of its candidates, as rows are read. */
class Lanes<V extends object> {
  private readonly parts = new Map<number, V[]>();
  private readonly whole: V[] = [];
  private readonly rowsOf = new Map<number, number>();
  private rest: JobOptions;

  constructor(
    private readonly course: Course<V>,
    private readonly steps: readonly Step[],
    candidates: readonly number[],
    job: JobOptions,
    private readonly known: V | undefined,
  ) {
    this.rest = job;
    for (const k of candidates) this.parts.set(k, []);
  }

  /** Reads further rows, up to row `to`, of candidates that were read equally far. @param last all rows */
  async read(candidates: readonly number[], to: number, last: number): Promise<void> {
    const from = this.rowsOf.get(candidates[0]) ?? 0;
    if (candidates.length === 0 || from === to) return;
    const { measure, model, teacher, rows } = this.course;
    const left = to === last ? 0 : (last - to) / 2;
    const [now, later] = inPhases(this.rest, [{ share: to - from }, { share: left, unpaced: true }]);
    this.rest = left > 0 ? later : this.rest;
    const job = labelled(now, `rows ${from + 1} to ${to}`);
    const memory = new SweepMemory<V>(this.fullOf({ from, to }), false);
    const some = rows.slice(from, to);
    const found = await measure.sweep(model, laterRows(teacher, from), some, this.steps, candidates, job, memory);
    if (!this.known && from === this.fullRows()) this.whole.push(found.full);
    candidates.forEach((k, i) => {
      this.parts.get(k)!.push(found.without[i]);
      this.rowsOf.set(k, to);
    });
  }

  of(candidate: number): V {
    return this.course.measure.join(this.parts.get(candidate)!);
  }

  /** What decides, at all positions that were read. */
  deciding(candidate: number): Float64Array {
    return this.course.measure.deciding(this.of(candidate));
  }

  full(): V {
    return this.known ?? this.course.measure.join(this.whole);
  }

  private get perRow(): number {
    return this.course.rows[0].length - 1;
  }

  private fullRows(): number {
    return this.whole.reduce((sum, each) => sum + this.course.measure.deciding(each).length / this.perRow, 0);
  }

  /** The model's numbers on some rows, if they are known. */
  private fullOf({ from, to }: Range): V | undefined {
    const { measure } = this.course;
    if (this.known) return measure.part(this.known, from * this.perRow, to * this.perRow);
    return to <= this.fullRows()
      ? measure.part(measure.join(this.whole), from * this.perRow, to * this.perRow)
      : undefined;
  }
}

/** A sweep without rounds. */
export const racing =
  <V extends object>(racer: Racer<V>, steps: readonly Step[], scope: RaceScope): SweepOf<V> =>
  (candidates, job, memory) =>
    racer.sweep(steps, candidates, scope, job, memory.full);

/** The teacher over the rows from one on. */
const laterRows = (teacher: Teacher, from: number): Teacher => (teacher === 'full' ? teacher : teacher.from(from));

const nameOf = ({ block, attention, ffn }: Step): string => `${block} ${attention} ${ffn}`;

const mean = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** The n-th least; infinite if there are fewer finite ones. */
function nth(values: readonly number[], n: number): number {
  return values.filter((each) => Number.isFinite(each)).sort((a, b) => a - b)[n - 1] ?? Infinity;
}
