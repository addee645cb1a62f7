/**
 * The sweep with healing: every what-if model is folded at each of its cuts, in one pass over the weights, and then
 * compared with the unpruned model.
 *
 * Up to the block before the one that it lacks, a variant is the model itself. There it leaves the model: it is folded
 * towards the place after the missing block. From then on its stream passes the other blocks on its own, and is folded
 * wherever the model is. A fold is a change of the stream (fold.ts), so no weight changes, and all variants share an open
 * module.
 */
import { partName, Work, type JobOptions } from '../progress';
import { headWork } from '../model/cost';
import { stateDivergences } from '../model/divergence';
import { Forward, type OpenStep, type TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import type { Chunk, State } from '../model/states';
import type { Step } from '../model/view';
import { foldWork } from './cost';
import type { DenseStream } from './dense-stream';
import { type Correction, Folder } from './fold';
import { countWalk, passing, type Stage, stagesOf } from './healed-walk';
import { foldName, KnownFolds } from './known-folds';
import { type Lane, Lanes } from './lanes';
import { type ComparedSummary, summariseComparison } from './losses';

/** A fold: which stream it gives (none: only what it leaves is asked for), and the module where its target starts. */
interface Goal {
  readonly lane: Lane | undefined;
  readonly target: number;
  /** Of what it follows from. */
  readonly name: string;
}

/** Share of the memory budget for corrections of folds. */
const KNOWN = 1 / 8;

/** What a fold leaves of the dense stream at the place where its block's successor starts. */
export interface LeftOver {
  /** Σ|target − folded|² / Σ|target|². A position with a massive activation can be almost all of it. */
  readonly ofAll: number;
  /** The mean over tokens of |target − folded|² / |target|². */
  readonly ofEach: number;
}

export class HealedSweep {
  private readonly forward: Forward;
  private readonly buffer: Float32Array;

  private constructor(
    private readonly model: Model,
    private readonly dense: DenseStream,
    private readonly rows: TokenRows,
    private readonly folder: Folder,
    private readonly known: KnownFolds,
    /** Bytes of memory for streams. */
    private readonly budget: number,
  ) {
    this.forward = new Forward(model, rows[0].length);
    this.buffer = new Float32Array(dense.chunks[0] * rows[0].length * model.architecture.hidden);
  }

  /** @param dense the stream of the unpruned model over the rows */
  static async open(model: Model, dense: DenseStream, rows: TokenRows, signal?: AbortSignal): Promise<HealedSweep> {
    const budget = Math.max(0, model.memory - dense.bytes);
    const known = new KnownFolds(Math.floor((KNOWN * budget) / (4 * model.architecture.hidden ** 2)));
    const folder = await Folder.open(model, rows[0].length, signal);
    return new HealedSweep(model, dense, rows, folder, known, (1 - KNOWN) * budget);
  }

  /**
   * The healed model with `steps`, and each healed model that lacks one candidate.
   * @param candidates indices into `steps`, ascending
   * @throws UserError when a temporary file is needed and cannot be written; CancelledError
   */
  async measure(
    steps: readonly Step[],
    candidates: readonly number[],
    job: JobOptions = {},
  ): Promise<{ full: ComparedSummary; without: ComparedSummary[] }> {
    const { rows, dense, forward, budget } = this;
    const stages = stagesOf(steps, candidates, dense.model.architecture.layers.length);
    const groups = Lanes.groups(candidates, forward, rows.length, budget);
    const work = new Work(job, this.totalWork(stages, groups), 'row-blocks', 'reading the model');
    let full: ComparedSummary | undefined;
    const without: ComparedSummary[] = [];
    for (const [g, group] of groups.entries()) {
      const part = partName(g, groups.length);
      const lanes = await Lanes.open(group, forward, dense.chunks, budget);
      try {
        await this.start(lanes);
        for (const s of stages.keys()) {
          work.step(`${part}step 1 of 2: module ${s + 1} of ${stages.length}`);
          await this.through(stages, s, lanes, work);
        }
        work.step(`${part}step 2 of 2: KL divergences`);
        const [whole, ...variants] = await this.compare(lanes, work);
        full ??= whole;
        without.push(...variants);
      } finally {
        await lanes.close();
      }
    }
    return { full: full!, without };
  }

  /**
   * What the fold of each candidate leaves of the dense stream. The healed model with `steps` passes once for all of them.
   * @param candidates indices into `steps`, ascending
   * @throws UserError when a temporary file is needed and cannot be written; CancelledError
   */
  async leftOver(steps: readonly Step[], candidates: readonly number[], job: JobOptions = {}): Promise<LeftOver[]> {
    const { model, dense, forward, rows } = this;
    const { architecture } = model;
    const stages = stagesOf(steps, candidates, dense.model.architecture.layers.length);
    const last = stages.findLastIndex(({ branch }) => branch !== undefined) + 1;
    const folds = stages.slice(0, last).filter(({ target }) => target !== undefined).length + candidates.length;
    const work = new Work(
      job,
      rows.length * (last / 2 + folds * foldWork(architecture)),
      'row-blocks',
      'reading the model',
    );
    const left = new Map<number, LeftOver>();
    const lanes = await Lanes.open([], forward, dense.chunks, this.budget);
    try {
      await this.start(lanes);
      if (candidates[0] === 0) left.set(0, await this.leftAtStart(steps, lanes, work));
      for (const [s, stage] of stages.slice(0, last).entries()) {
        work.step(`folds, module ${s + 1} of ${last}`);
        const open = await forward.open(stage.module, true);
        try {
          const goals = goalsOf(stages, s, lanes.model, undefined);
          if (stage.branch) goals.push(goalOf(stages, s, undefined, stage.branch.target));
          const found = await this.pass(open, lanes.model, goals, lanes, work);
          if (stage.branch) left.set(stage.branch.candidate, found[0]);
        } finally {
          await open.close();
        }
      }
    } finally {
      await lanes.close();
    }
    return candidates.map((candidate) => left.get(candidate)!);
  }

  close(): Promise<void> {
    return this.folder.close();
  }

  /** Without the first step nothing is folded: the embedding meets the stream where the second step starts. */
  private async leftAtStart(steps: readonly Step[], lanes: Lanes, work: Work): Promise<LeftOver> {
    const { dense, buffer, model } = this;
    const [, second] = steps;
    const target = second ? 2 * second.block + (second.attention ? 0 : 1) : 2 * dense.model.architecture.layers.length;
    const errors = new Errors(model.architecture.hidden);
    for (const [chunk, count] of dense.chunks.entries()) {
      errors.add(await dense.read(target, chunk, buffer), (await lanes.read(lanes.model, chunk)).data);
      work.advance(count * foldWork(model.architecture));
    }
    return errors.leftOver();
  }

  /** The embedding, of the model and of a variant that lacks the first step. */
  private async start(lanes: Lanes): Promise<void> {
    const first = lanes.variant(0);
    let row = 0;
    for (const [chunk, count] of this.dense.chunks.entries()) {
      const [embedded] = await this.forward.embed(this.rows.slice(row, row + count));
      if (first) await lanes.write(first, chunk, embedded.retain());
      await lanes.write(lanes.model, chunk, embedded);
      row += count;
    }
  }

  /** Takes the model and its variants through the module of a stage. */
  private async through(stages: readonly Stage[], s: number, lanes: Lanes, work: Work): Promise<void> {
    const stage = stages[s];
    const { branch } = stage;
    const open = await this.forward.open(stage.module, true);
    const leaving = branch && lanes.variant(branch.candidate);
    try {
      const own = goalsOf(stages, s, lanes.model, undefined);
      if (leaving) own.push(goalOf(stages, s, leaving, branch.target));
      await this.pass(open, lanes.model, own, lanes, work);
      for (const each of passing(stage, lanes.candidates)) {
        const lane = lanes.variant(each)!;
        await this.pass(open, lane, goalsOf(stages, s, lane, each), lanes, work);
      }
    } finally {
      await open.close();
    }
  }

  /**
   * Takes a stream through an open module, and folds it towards the goals.
   * @returns what is left by each fold that has no lane
   */
  private async pass(
    open: OpenStep,
    lane: Lane,
    goals: readonly Goal[],
    lanes: Lanes,
    work: Work,
  ): Promise<LeftOver[]> {
    const { dense, forward, folder, known } = this;
    const fits = goals.map((goal) => ({
      ...goal,
      left: goal.lane ? undefined : known.leftOver(goal.name),
      found: known.correction(goal.name),
    }));
    const sought = fits.filter(({ left, found }) => !left && !found);
    const sums = folder.sums(sought.length);
    const isFolded = goals.some((goal) => goal.lane === lane);
    const isKept = fits.some(({ left }) => !left);
    for (const [chunk, count] of dense.chunks.entries()) {
      const before = await lanes.read(lane, chunk);
      const after = await open.run(before);
      work.advance(count / 2);
      if (isKept) {
        const moved = forward.pool.take(count);
        for (let i = 0; i < moved.data.length; i++) moved.data[i] = after.data[i] - before.data[i];
        for (const [i, { target }] of sought.entries()) {
          await sums.add(i, moved.data, after.data, await dense.read(target, chunk, this.buffer));
        }
        await lanes.write(lanes.moved, chunk, moved);
        await lanes.write(lanes.after, chunk, after.retain());
      }
      if (isFolded) after.release();
      else await lanes.write(lane, chunk, after);
    }
    const solved = await sums.solve();
    const left: LeftOver[] = [];
    for (const fit of fits) {
      const correction = fit.found ? fit.found.correction : solved[sought.indexOf(fit)];
      const remains = fit.left ?? (await this.fold(fit, correction, lanes));
      if (!fit.left) known.keep(fit.name, correction);
      work.advance(this.rows.length * foldWork(this.model.architecture));
      if (remains) left.push(remains);
    }
    return left;
  }

  /** Corrects the stream that passed last. @returns what is left, where the goal has no lane */
  private async fold(
    { lane, target, name }: Goal,
    correction: Correction | undefined,
    lanes: Lanes,
  ): Promise<LeftOver | undefined> {
    const { dense, forward, folder } = this;
    const errors = new Errors(this.model.architecture.hidden);
    for (const [chunk, count] of dense.chunks.entries()) {
      const healed = forward.pool.take(count);
      const [moved, after] = [await lanes.read(lanes.moved, chunk), await lanes.read(lanes.after, chunk)];
      await folder.apply(correction, moved, after, healed);
      if (lane) {
        await lanes.write(lane, chunk, healed);
      } else {
        errors.add(await dense.read(target, chunk, this.buffer), healed.data);
        healed.release();
      }
    }
    if (lane) return undefined;
    const left = errors.leftOver();
    this.known.keepLeftOver(name, left);
    return left;
  }

  /** Compares the last states with the dense ones: the model, then its variants. */
  private async compare(lanes: Lanes, work: Work): Promise<ComparedSummary[]> {
    const { model, dense, rows } = this;
    const perRow = rows[0].length - 1;
    const all = lanes.all.map(() => ({
      losses: new Float64Array(rows.length * perRow),
      divergences: new Float64Array(rows.length * perRow),
    }));
    let row = 0;
    for (const { first, end } of lanes.batches()) {
      const count = dense.chunks.slice(first, end).reduce((a, b) => a + b, 0);
      const states: State[] = [];
      for (const lane of lanes.all) states.push(await lanes.copy(lane, first, end));
      const teacher = { model: dense.model, state: await dense.last(first, end) };
      const found = await stateDivergences(model, teacher, states, rows.slice(row, row + count), work);
      [...states, teacher.state].forEach((state) => state.forEach((chunk: Chunk) => chunk.release()));
      for (const [i, { losses, divergences }] of found.entries()) {
        all[i].losses.set(losses, row * perRow);
        all[i].divergences.set(divergences, row * perRow);
      }
      row += count;
    }
    return all.map((compared) => summariseComparison(compared, perRow));
  }

  private totalWork(stages: readonly Stage[], groups: readonly (readonly number[])[]): number {
    const { architecture } = this.model;
    const perRow = groups.map((group) => {
      const { modules, folds } = countWalk(stages, group);
      return modules / 2 + folds * foldWork(architecture) + (2 + group.length) * headWork(architecture);
    });
    return this.rows.length * perRow.reduce((a, b) => a + b, 0);
  }
}

function goalOf(stages: readonly Stage[], s: number, lane: Lane | undefined, target: number, lacks?: number): Goal {
  return { lane, target, name: foldName(stages, s, lacks, target) };
}

/** The fold of a stream after a stage where the model is cut. @param lacks the step that the stream has left out beside it */
function goalsOf(stages: readonly Stage[], s: number, lane: Lane, lacks: number | undefined): Goal[] {
  const { target } = stages[s];
  return target === undefined ? [] : [goalOf(stages, s, lane, target, lacks)];
}

/** Sums of squares over tokens, in float64. */
class Errors {
  private squares = 0;
  private size = 0;
  private relative = 0;
  private tokens = 0;

  constructor(private readonly hidden: number) {}

  add(wanted: Float32Array, found: Float32Array): void {
    for (let at = 0; at < wanted.length; at += this.hidden) {
      let squares = 0;
      let size = 0;
      for (let i = at; i < at + this.hidden; i++) {
        squares += (wanted[i] - found[i]) ** 2;
        size += wanted[i] ** 2;
      }
      this.squares += squares;
      this.size += size;
      this.relative += squares / size;
      this.tokens++;
    }
  }

  leftOver(): LeftOver {
    return { ofAll: this.squares / this.size, ofEach: this.relative / this.tokens };
  }
}
