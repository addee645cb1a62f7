/**
 * Iterative pruning (Shortened LLaMA §5.2, Figure 5): one block goes, what is left is healed and scored again. Every
 * finished round is kept on the disk before the next one starts.
 */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { throwIfCancelled, UserError } from '../errors';
import { likenessOfViews } from '../evaluate/likeness';
import type { Likeness } from '../heal/result';
import type { Criterion } from '../importance/criteria';
import type { CriterionSettings } from '../importance/criterion';
import { runCriterion, type Scored } from '../importance/run-criterion';
import { selectByScores } from '../importance/ranking';
import type { TokenRows } from '../model/forward';
import type { LastStates } from '../model/last-states';
import type { Changes, ModelOptions } from '../model/model';
import { withModel } from '../model/opened';
import { viewWithout, type View } from '../model/view';
import { option } from '../option-token';
import { inPhases, type JobOptions, labelled } from '../progress';
import type { RunFacts } from '../retrain/run-facts';
import { readPatchFile } from '../weights/patch-file';
import { counted } from '../../format/words';
import { type Answered, crossedLimit, type Limits } from './goal';
import type { HealedTask, RoundHealer } from './healer';
import { oneShotPoints } from './one-shot';
import { type HealedPoint, type IterativeOutcome, type IterativeRound, recoveryOf } from './result';
import { type IterateState, type OpenRound, saveIterateState } from './state';
import { overAll, scoredBlocks } from './scores';
import type { IterateWorkspace } from './workspace';

export interface IterateTask {
  readonly checkpoint: Checkpoint;
  readonly criterion: Criterion;
  readonly scoring: CriterionSettings;
  /** Blocks that are never removed. */
  readonly kept: ReadonlySet<number>;
  /** The most blocks to remove, whether the user asked for that number, and limits that end the run before. */
  readonly count: number;
  readonly isAsked: boolean;
  readonly limits: Limits;
  /** Whether blocks are also removed at once for comparison: so many as in the end, or at every count. */
  readonly oneShot?: 'end' | 'each';
  /** What is measured, all rows of one length, and the unpruned model's last states over it. */
  readonly rows: TokenRows;
  readonly teacher: LastStates;
  readonly full: Likeness;
  readonly healer: RoundHealer;
  /** Asks a model questions, where a limit needs their answers. */
  readonly answers?: (removed: readonly number[], weights: string | undefined, job: JobOptions) => Promise<Answered>;
  readonly compute: Omit<ModelOptions, 'changes'>;
  readonly workspace: IterateWorkspace;
  /** Identify the run. */
  readonly facts: RunFacts;
  /** Estimated work of each round, for the progress. */
  readonly shares: readonly { readonly scoring: number; readonly healing: number; readonly measuring: number }[];
  readonly onRound?: (round: IterativeRound) => void;
  readonly warn: (text: string) => void;
}

/** The outcome, and the file of the weights; undefined for the checkpoint's own. */
export interface Iterated extends IterativeOutcome {
  readonly weights: string | undefined;
}

/**
 * Removes block after block.
 * @param state what was done before, NOTHING_YET at the start
 * @throws UserError when nothing can be removed within the limits; CancelledError. Finished rounds are kept
 */
export async function iterate(task: IterateTask, state: IterateState, job: JobOptions): Promise<Iterated> {
  return new IterativeRun(task, state).run(job);
}

export class IterativeRun {
  private readonly blocks: number;
  private beyond: IterativeRound | undefined;

  constructor(
    readonly task: IterateTask,
    private state: IterateState,
  ) {
    this.blocks = requireArchitecture(task.checkpoint).layers.length;
  }

  async run(job: JobOptions): Promise<Iterated> {
    const { count, shares, oneShot } = this.task;
    this.requireGoal();
    const cost = ({ scoring, healing, measuring }: IterateTask['shares'][number]): number =>
      scoring + healing + measuring;
    const ofRounds = Array.from({ length: count }, (_, r) => shares[r] ?? shares.at(-1)!);
    const healing = ofRounds.reduce((sum, share) => sum + share.healing, 0);
    const ofOneShot = oneShot === 'each' ? (healing * (count + 1)) / 2 : oneShot === 'end' ? healing : 0;
    const phases = inPhases(job, [
      ...ofRounds.map((share) => ({ share: cost(share) })),
      { share: ofRounds[0].measuring + ofOneShot },
    ]);
    await this.tidy();
    while (this.rounds.length < count && this.beyond === undefined) {
      const r = this.rounds.length;
      await this.round(labelled(phases[r], `round ${r + 1} of ${count}`));
    }
    if (this.rounds.length === 0) {
      await this.task.workspace.clear();
      throw this.nothingWithin();
    }
    const last = phases.at(-1)!;
    const plain = await this.plain(last);
    const points = oneShot === undefined ? [] : await oneShotPoints(this, plain, oneShot, labelled(last, 'one-shot'));
    return {
      full: this.task.full,
      rounds: this.rounds,
      ...(this.beyond && { beyond: this.beyond }),
      ended: this.beyond ? 'limit' : this.task.isAsked ? 'count' : 'blocks',
      plain,
      recovery: this.totalRecovery(plain),
      oneShot: points,
      weights: this.weightsOf(this.rounds.length),
    };
  }

  get rounds(): readonly IterativeRound[] {
    return this.state.rounds;
  }

  get oneShot(): IterateState['oneShot'] {
    return this.state.oneShot;
  }

  /** Keeps the state on the disk. */
  async save(change: Partial<IterateState>): Promise<void> {
    this.state = { ...this.state, ...change };
    await saveIterateState(this.task.workspace.state, this.task.facts, this.state);
  }

  /** The view without some blocks. */
  viewWithout(removed: readonly number[]): View {
    return viewWithout(
      this.blocks,
      removed.map((block) => ({ block })),
    );
  }

  /** Scores what is left, and the blocks that a number of removals takes. */
  async score(removed: readonly number[], changes: Changes, count: number, job: JobOptions): Promise<Scored> {
    const { checkpoint, criterion, scoring, kept, compute, warn } = this.task;
    const scope = {
      view: this.viewWithout(removed),
      changes,
      count,
      exact: count,
      kept: new Set([...kept, ...removed]),
    };
    const scored = await runCriterion(
      checkpoint,
      criterion,
      { ...scoring, ...compute, precision: 'float32' },
      job,
      scope,
    );
    throwIfCancelled(job.signal); // a search that was cancelled has a result
    scored.warnings.forEach(warn);
    return scored;
  }

  /** The blocks that go, by their numbers in the whole model, ascending. @throws UserError when none may go */
  choose({ result, ranking }: Scored, removed: readonly number[], count: number): number[] {
    const all = ranking.kind === 'scores' ? overAll(scoredBlocks(result), ranking, this.blocks) : ranking;
    return selectByScores(all, this.blocks, count, new Set([...this.task.kept, ...removed]));
  }

  /** Measures a view with some weights. */
  async measure(removed: readonly number[], changes: Changes, job: JobOptions): Promise<Likeness> {
    const { checkpoint, compute, teacher, rows } = this.task;
    const views = [this.viewWithout(removed)];
    const [found] = await withModel(checkpoint, { ...compute, changes }, (model) =>
      likenessOfViews(model, teacher, rows, views, job),
    );
    return found;
  }

  /** Heals a view and measures it again. */
  async heal(
    point: { readonly removed: readonly number[]; readonly pruned: Likeness; readonly name: string },
    { changes, before, rounds }: { readonly changes: Changes; readonly before: number; readonly rounds: number },
    [healing, measuring]: readonly JobOptions[],
  ): Promise<HealedPoint & { readonly isWritten: boolean }> {
    const { checkpoint, compute, healer, workspace, full } = this.task;
    const { removed, pruned, name } = point;
    const weights = workspace.weights(name);
    const { isWritten, fromOriginal, ...cost }: HealedTask = await withModel(
      checkpoint,
      { ...compute, changes },
      (model) => healer.heal({ model, changes, removed, name, before, rounds, weights }, healing),
    );
    const changed = isWritten || fromOriginal;
    const after = isWritten ? await this.read(weights, measuring) : [];
    const healed = changed ? await this.measure(removed, after, measuring) : pruned;
    const recovery = recoveryOf(full.meanNll, pruned.meanNll, healed.meanNll, cost.trainingSeconds);
    return { removed, pruned, healed, ...cost, recovery, isWritten };
  }

  /** The weights of a file, as changes. */
  async read(weights: string | undefined, job: JobOptions): Promise<Changes> {
    if (weights === undefined) return [];
    return [(await readPatchFile(weights, this.task.checkpoint, { signal: job.signal })).patches];
  }

  private async round(job: JobOptions): Promise<void> {
    const { shares, workspace, limits, answers, onRound } = this.task;
    const clock = performance.now();
    const round = this.rounds.length + 1;
    const share = shares[round - 1] ?? shares.at(-1)!;
    const [scoring, ...rest] = inPhases(job, [
      { share: share.scoring + share.measuring / 2 },
      { share: share.healing },
      { share: share.measuring / 2 },
    ]);
    const gone = this.rounds.at(-1)?.removed ?? [];
    const before = this.weightsOf(round - 1);
    const changes = await this.read(before, job);
    const isNew = this.state.open === undefined;
    const open = this.state.open ?? (await this.openRound(gone, changes, scoring, clock));
    if (isNew) await this.save({ open });
    const { block, score, scores, pruned } = open;
    const removed = [...gone, block].sort((a, b) => a - b);
    const name = String(round);
    const { isWritten, ...point } = await this.heal(
      { removed, pruned, name },
      { changes, before: round - 1, rounds: 1 },
      rest,
    );
    const answered = await answers?.(removed, isWritten ? workspace.weights(name) : undefined, rest[1]);
    const seconds = (isNew ? 0 : open.seconds) + (performance.now() - clock) / 1000;
    const done: IterativeRound = {
      round,
      block,
      score,
      scores,
      ...point,
      ...answered,
      seconds,
    };
    const crossed = crossedLimit(limits, done);
    if (crossed !== undefined) {
      this.beyond = done;
      onRound?.(done);
      if (round > 1) this.task.warn(`round ${round} is no part of the result: without block ${block}, ${crossed}`);
      return;
    }
    this.state = { ...this.state, open: undefined };
    await this.save({ rounds: [...this.rounds, done] });
    await this.tidy();
    onRound?.(done);
  }

  private async openRound(
    gone: readonly number[],
    changes: Changes,
    job: JobOptions,
    clock: number,
  ): Promise<OpenRound> {
    const [scoring, measuring] = inPhases(job, [{ share: 4 }, { share: 1 }]);
    const scored = await this.score(gone, changes, 1, scoring);
    const [block] = this.choose(scored, gone, 1);
    const scores = scoredBlocks(scored.result);
    const removed = [...gone, block].sort((a, b) => a - b);
    const pruned = await this.measure(removed, changes, measuring);
    const score = scores.find((each) => each.block === block)?.score ?? NaN;
    return { block, score, scores, pruned, seconds: (performance.now() - clock) / 1000 };
  }

  /** The file of the weights after a round; undefined for the checkpoint's own. */
  private weightsOf(round: number): string | undefined {
    // A closed form that brings nothing writes no file, and its round has the checkpoint's own weights.
    const last = this.rounds.at(round - 1);
    if (round === 0 || last === undefined || last.weights === 'plain') return undefined;
    return this.task.workspace.weights(String(round));
  }

  /** The original weights without the blocks of the first rounds. */
  private async plain(job: JobOptions): Promise<Likeness[]> {
    const { checkpoint, compute, teacher, rows } = this.task;
    const views = this.rounds.map(({ removed }) => this.viewWithout(removed));
    return withModel(checkpoint, compute, (model) =>
      likenessOfViews(model, teacher, rows, views, labelled(job, 'before healing')),
    );
  }

  private totalRecovery(plain: readonly Likeness[]): IterativeOutcome['recovery'] {
    const seconds = this.rounds.reduce((sum, { trainingSeconds }) => sum + trainingSeconds, 0);
    const [pruned, { healed }] = [plain.at(-1)!, this.rounds.at(-1)!];
    return recoveryOf(this.task.full.meanNll, pruned.meanNll, healed.meanNll, seconds);
  }

  /** Removes files of rounds before the last finished one, and of what was interrupted while it was written. */
  private async tidy(): Promise<void> {
    const { workspace } = this.task;
    const last = this.weightsOf(this.rounds.length);
    const training = [workspace.training(String(this.rounds.length + 1))];
    if (this.rounds.length === this.task.count) training.push(...this.oneShotTrainings());
    await workspace.tidy([...(last === undefined ? [] : [last]), ...training]);
  }

  private oneShotTrainings(): string[] {
    return this.rounds.map((_, r) => this.task.workspace.training(`one-shot-${r + 1}`));
  }

  /** @throws UserError when the finished rounds of a stopped run are already beyond the goal */
  private requireGoal(): void {
    const { count, limits } = this.task;
    const done = this.rounds.length;
    if (done > count) {
      throw new UserError(
        `Cannot remove only ${counted(count, 'block')}`,
        `the run that was stopped has removed ${done}`,
        `Give at least ${option('count', done)}, or name another ${option('out')} to start again.`,
      );
    }
    const last = this.rounds.at(-1);
    // Rounds without an answer were run without that limit.
    const held = {
      ...limits,
      ...(last?.accuracy === undefined && { accuracy: undefined }),
      ...(last?.probeLoss === undefined && { probeLoss: undefined }),
    };
    const crossed = last && crossedLimit(held, last);
    if (crossed === undefined) return;
    throw new UserError(
      'The run that was stopped is beyond the limit',
      `after round ${done}, ${crossed}`,
      `Raise the limit, or name another ${option('out')} to start again.`,
    );
  }

  private nothingWithin(): UserError {
    const { block } = this.beyond!;
    const crossed = crossedLimit(this.task.limits, this.beyond!);
    return new UserError(
      'No block can be removed within the limit',
      `without block ${block}, which matters least, ${crossed}`,
      'Allow more, or heal longer.',
    );
  }
}
