/**
 * The perplexity sweep: all what-if models in one pass over the weights.
 *
 * Up to step k, a variant that leaves out step k is the model itself. So one state for the model and one for every
 * variant under way are pushed from step to step. At step k, a copy of the model's state becomes variant k, which skips
 * the step. This takes N(N+1)/2 block applications instead of N², and reads each weight once.
 */
import { partName, Work, type JobOptions } from '../progress';
import { headWork } from '../model/cost';
import { type Comparison, stateDivergences } from '../model/divergence';
import { Forward, type TokenRows } from '../model/forward';
import { tokenLosses } from '../model/head';
import type { TaughtRows } from '../model/last-states';
import type { Model } from '../model/model';
import { releaseState, retainState, type State } from '../model/states';
import type { Step } from '../model/view';
import { each, sweepWork, wholeEnd } from './cost';
import { type Group, groupWork } from './groups';
import type { SweepMemory } from './sweep-memory';

export interface SweepLosses {
  /** Token losses of the model itself, (rows · (length − 1)) in nats. */
  readonly full: Float64Array;
  /** Token losses with each candidate left out, in the order of `candidates`. */
  readonly without: readonly Float64Array[];
}

/** Losses, and divergences from a teacher, at every position that has a target. */
export type Compared = Pick<Comparison, 'losses' | 'divergences'>;

export interface SweepComparisons {
  /** The model itself. */
  readonly full: Compared;
  /** With each candidate left out, in the order of `candidates`. */
  readonly without: readonly Compared[];
}

/**
 * Losses of the model with `steps`, and of every model that lacks one candidate.
 * @param rows tokens, all of one length
 * @param candidates indices into `steps`, ascending
 * @param memory of an earlier sweep over the same rows and steps; what it knows is not computed again
 * @throws CancelledError
 */
export async function sweepLosses(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions = {},
  memory?: SweepMemory<Float64Array>,
): Promise<SweepLosses> {
  const perRow = rows[0].length - 1;
  const full = memory?.full ?? new Float64Array(rows.length * perRow);
  const without = candidates.map(() => new Float64Array(rows.length * perRow));
  for await (const { group, whole, variants, work } of sweepGroups(model, rows, steps, candidates, { memory }, job)) {
    const isNew = memory?.full === undefined;
    const found = await tokenLosses(model, [...(isNew ? [whole!] : []), ...variants], group.rows, work);
    const at = group.firstRow * perRow;
    if (isNew) full.set(found.shift()!, at);
    group.candidates.forEach((candidate, i) => without[candidates.indexOf(candidate)].set(found[i], at));
  }
  memory?.learn(full);
  return { full, without };
}

/**
 * The same with divergences from a teacher.
 * @param teacher the teacher's last states over these rows; "full" if the model itself is the teacher
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export async function sweepComparisons(
  model: Model,
  teacher: TaughtRows | 'full',
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions = {},
  memory?: SweepMemory<Compared>,
): Promise<SweepComparisons> {
  const perRow = rows[0].length - 1;
  const room = (): Compared => ({
    losses: new Float64Array(rows.length * perRow),
    divergences: new Float64Array(rows.length * perRow),
  });
  const full = memory?.full ?? room();
  const without = candidates.map(room);
  const put = (to: Compared, from: Compared, at: number): void => {
    to.losses.set(from.losses, at);
    to.divergences.set(from.divergences, at);
  };
  const besides =
    teacher === 'full' ? { heads: 1, needsLast: true, memory } : { states: 1, bytes: teacher.bytes, heads: 1, memory };
  for await (const { group, whole, variants, work } of sweepGroups(model, rows, steps, candidates, besides, job)) {
    const { firstRow } = group;
    const state = teacher === 'full' ? retainState(whole!) : await teacher.of(firstRow, group.rows.length);
    try {
      const taught = { model: teacher === 'full' ? model : teacher.model, state };
      const isNew = memory?.full === undefined;
      const found = await stateDivergences(model, taught, [...(isNew ? [whole!] : []), ...variants], group.rows, work);
      if (isNew) put(full, found.shift()!, firstRow * perRow);
      group.candidates.forEach((candidate, i) =>
        put(without[candidates.indexOf(candidate)], found[i], firstRow * perRow),
      );
    } finally {
      releaseState(state);
    }
  }
  memory?.learn(full);
  return { full, without };
}

/** What a sweep needs and knows beside its candidates. */
interface Besides {
  /** Hidden states of each row, and bytes of memory that are taken. */
  readonly states?: number;
  readonly bytes?: number;
  /** Passes through the head. */
  readonly heads?: number;
  /** Whether the last states of the whole model are needed, also where its losses are known. */
  readonly needsLast?: boolean;
  readonly memory?: SweepMemory<unknown>;
}

/** Last hidden states of a group. They are released when the next group starts. */
interface SweptGroup {
  readonly group: Group;
  /** Of the model; undefined where nobody needs them. */
  readonly whole: State | undefined;
  /** Of each of the group's variants. */
  readonly variants: readonly State[];
  readonly work: Work;
}

async function* sweepGroups(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  { states: others = 0, bytes = 0, heads = 0, needsLast = false, memory }: Besides,
  job: JobOptions,
): AsyncGenerator<SweptGroup> {
  const { architecture } = model;
  if (memory?.full !== undefined && candidates.length === 0) return;
  const rowBytes = rows[0].length * architecture.hidden * 4;
  const cut = (kept: number): Group[] => groupWork(rows, candidates, rowBytes, model.memory - bytes, others + kept);
  const inOne = memory?.keepsStates ? cut(steps.length + 1) : [];
  const keeps = inOne.length === 1;
  if (!keeps) memory?.forget();
  const groups = keeps ? inOne : cut(0);
  const known = { states: memory?.states.length ?? 0, losses: memory?.full !== undefined, needsLast };
  const total = groups.reduce((sum, group) => {
    const work = sweepWork(architecture, steps.length, group.candidates, each, known) + heads * headWork(architecture);
    return sum + group.rows.length * work;
  }, 0);
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const forward = new Forward(model, rows[0].length);
  for (const [g, group] of groups.entries()) {
    const part = partName(g, groups.length);
    const pass = new SweepPass(forward, group, steps, work, keeps ? memory : undefined);
    const { whole, variants } = await pass.run(part, wholeEnd(steps.length, group.candidates, known));
    work.step(`${part}step 2 of 2: losses`);
    try {
      yield { group, whole, variants, work };
    } finally {
      for (const state of [...(whole ? [whole] : []), ...variants]) releaseState(state);
    }
  }
}

/** One pass over the steps, with the model and the variants of a group. */
class SweepPass {
  constructor(
    private readonly forward: Forward,
    private readonly group: Group,
    private readonly steps: readonly Step[],
    private readonly work: Work,
    /** Known states of the model, and room for further ones. */
    private readonly memory: SweepMemory<unknown> | undefined,
  ) {}

  /**
   * @param part prefixes the names of steps
   * @param end the model itself passes through the steps before this one
   */
  async run(part: string, end: number): Promise<Pick<SweptGroup, 'whole' | 'variants'>> {
    const { forward, group, steps, memory, work } = this;
    const known = memory?.states.length ?? 0;
    const from = Math.max(0, known - 1); // the model goes on from the last state that is known
    const variants: State[] = [];
    let whole: State | undefined;
    if (known === 0) {
      whole = await forward.embed(group.rows);
      memory?.keep(whole);
    } else if (end >= from) {
      whole = retainState(memory!.states[from]);
    }
    const start = end > from ? Math.min(from, group.candidates[0] ?? from) : (group.candidates[0] ?? steps.length);
    for (let k = start; k < steps.length; k++) {
      const skipping = group.candidates.includes(k)
        ? retainState(k <= from && memory ? memory.states[k] : whole!)
        : undefined;
      const passes = k >= from && k < end;
      work.step(`${part}step 1 of 2: block ${k + 1} of ${steps.length}`);
      const next = await this.through(steps[k], [...(passes ? [whole!] : []), ...variants]);
      if (passes) {
        whole = next.shift();
        memory?.keep(whole!);
      }
      variants.splice(0, variants.length, ...next, ...(skipping ? [skipping] : []));
    }
    if (end === steps.length || whole === undefined) return { whole, variants };
    releaseState(whole);
    return { whole: undefined, variants };
  }

  /** Takes the states through a step, and releases them. */
  private async through(step: Step, states: readonly State[]): Promise<State[]> {
    if (states.length === 0) return [];
    const open = await this.forward.open(step, false);
    try {
      const after = await open.runAll(states.flat(), ({ rows }) => this.work.advance(rows));
      return states.map((state) => after.splice(0, state.length));
    } finally {
      await open.close();
    }
  }
}
