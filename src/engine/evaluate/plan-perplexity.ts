/**
 * Perplexity of successive plans on the same rows, while a user toggles blocks, and how far each is from the whole model.
 * The hidden states of the last plan are kept before every step (or before every nth, within the budget). A new plan
 * costs only the steps after its first difference, and the head, also of the whole model, whose last states are kept.
 */
import { isDeepStrictEqual } from 'node:util';
import { summariseLosses, type LossSummary } from '../importance/losses';
import { Work, type JobOptions } from '../progress';
import { Forward, type TokenRows } from '../model/forward';
import { headWork } from '../model/cost';
import { compareStates, comparisonWork } from '../model/divergence';
import { tokenLosses } from '../model/head';
import type { Model } from '../model/model';
import { releaseState, retainState, type State } from '../model/states';
import { stepsOf, type Step, type View } from '../model/view';
import { comparisonByRow, summariseNumbers } from './row-numbers';

/** A plan on the rows; the last two are absent for the whole model. */
interface Summary extends LossSummary {
  /** Mean KL divergence from the whole model in nats, and share of tokens that both find most likely. */
  readonly kl?: number;
  readonly top1?: number;
}

export interface WhatIfResult extends Summary {
  /** Steps of the plan (blocks, or the kept modules of blocks), and how many of them had to be computed. */
  readonly steps: number;
  readonly computed: number;
}

/** Number of plans whose results are remembered, so that undoing costs nothing. */
const REMEMBERED = 128;

/** Evaluates one plan at a time. */
export class PlanPerplexity {
  private readonly forward: Forward;
  private steps: readonly Step[] = [];
  /** Kept states by the number of steps before them. 0 is the embedding. */
  private readonly states = new Map<number, State>();
  private readonly known = new Map<string, Summary>();
  private readonly wholeSteps: readonly Step[];
  /** Last states of the whole model, once a plan was compared with it. */
  private wholeState: State | undefined;
  /** Sessions that compare are open, and stay so. */
  private isWarm = false;

  /**
   * @param rows tokens, all of one length
   * @param whole what plans remove blocks from
   * @param budget bytes for kept states
   * @param compares also tells how far a plan is from the whole model, which takes about as long again for the head
   */
  constructor(
    private readonly model: Model,
    private readonly rows: TokenRows,
    whole: View,
    private readonly budget: number,
    private readonly compares = true,
  ) {
    this.forward = new Forward(model, rows[0].length);
    this.wholeSteps = stepsOf(whole);
  }

  /** @throws CancelledError; the states computed so far are kept for the next plan */
  async evaluate(view: View, job: JobOptions = {}): Promise<WhatIfResult> {
    const steps = stepsOf(view);
    const key = JSON.stringify(steps);
    const known = this.known.get(key);
    if (known) return { ...known, steps: steps.length, computed: 0 };
    const isWhole = isDeepStrictEqual(steps, this.wholeSteps);
    const isCompared = this.compares && !isWhole;
    if (isCompared) await this.keepWhole(job);
    const start = this.dropAfterCommon(steps);
    const computed = steps.length - start;
    const { architecture } = this.model;
    const head = isCompared ? comparisonWork(architecture, 1) : headWork(architecture);
    const work = new Work(job, this.rows.length * (computed + head), 'row-blocks', 'what if');
    const last = await this.advance(steps, start, work);
    try {
      const summary = isCompared ? await this.compare(last, work) : await this.measure(last, work);
      if (isWhole) this.wholeState ??= retainState(last);
      this.remember(key, summary);
      return { ...summary, steps: steps.length, computed };
    } finally {
      releaseState(last);
    }
  }

  /** What a plan has to compute for each row, in blocks: those after what it shares with the plan before, and the head. Nothing changes. */
  amount(view: View): number {
    const steps = stepsOf(view);
    if (this.known.has(JSON.stringify(steps))) return 0;
    const common = this.commonWith(steps);
    const start = Math.max(0, ...[...this.states.keys()].filter((done) => done <= common));
    return steps.length - start + headWork(this.model.architecture);
  }

  /**
   * Computes what every plan needs of the whole model, and nothing that is known: its states, and its perplexity if that is asked for.
   * Where sessions stay open, those that compare a plan with it are opened too: the model is compared with itself.
   * @returns its perplexity, if that is asked for
   * @throws CancelledError; the states computed so far are kept
   */
  async prepare(isMeasured: boolean, job: JobOptions = {}): Promise<{ readonly ppl: number } | undefined> {
    await this.keepWhole(job);
    const { architecture, holdsSessions } = this.model;
    const perRow = headWork(architecture) + comparisonWork(architecture, 1);
    const work = new Work(job, this.rows.length * perRow, 'row-blocks', 'the original');
    if (this.compares && holdsSessions && !this.isWarm) await this.compare(this.wholeState!, work);
    this.isWarm = true;
    if (!isMeasured) return undefined;
    const key = JSON.stringify(this.wholeSteps);
    if (!this.known.has(key)) this.remember(key, await this.measure(this.wholeState!, work));
    return { ppl: this.known.get(key)!.ppl };
  }

  /** Frees the kept states. */
  close(): void {
    for (const state of this.states.values()) releaseState(state);
    this.states.clear();
    if (this.wholeState) releaseState(this.wholeState);
    this.wholeState = undefined;
  }

  private async measure(last: State, work: Work): Promise<Summary> {
    const [losses] = await tokenLosses(this.model, [last], this.rows, work);
    return summariseLosses(losses, this.rows[0].length - 1);
  }

  private async compare(last: State, work: Work): Promise<Summary> {
    const teacher = { model: this.model, state: this.wholeState! };
    const perRow = this.rows[0].length - 1;
    const [found] = await compareStates(this.model, teacher, [last], this.rows, work);
    return summariseNumbers(comparisonByRow(found, perRow), perRow);
  }

  /** Computes the last states of the whole model if they are not known. */
  private async keepWhole(job: JobOptions): Promise<void> {
    if (this.wholeState) return;
    const start = this.dropAfterCommon(this.wholeSteps);
    const count = this.wholeSteps.length - start;
    const work = new Work(job, this.rows.length * count, 'row-blocks', 'the original');
    this.wholeState = await this.advance(this.wholeSteps, start, work);
  }

  /** Drops the states that the plan does not share. @returns how many of its steps need not be computed */
  private dropAfterCommon(steps: readonly Step[]): number {
    const common = this.commonWith(steps);
    for (const [done, state] of this.states) {
      if (done <= common) continue;
      releaseState(state);
      this.states.delete(done);
    }
    this.steps = steps;
    return Math.max(0, ...this.states.keys());
  }

  /** How many of its steps a plan shares with the one before. */
  private commonWith(steps: readonly Step[]): number {
    let common = 0;
    while (common < Math.min(steps.length, this.steps.length) && sameStep(steps[common], this.steps[common])) common++;
    return common;
  }

  /** Computes from the state after `start` steps to the last state, which the caller releases. */
  private async advance(steps: readonly Step[], start: number, work: Work): Promise<State> {
    const stride = this.stride(steps.length);
    let state = this.states.get(start);
    if (!state) {
      state = await this.forward.embed(this.rows);
      this.states.set(0, state);
    }
    state = retainState(state);
    try {
      for (let done = start; done < steps.length; done++) {
        work.step(`block ${done + 1} of ${steps.length}`);
        const next = await this.apply(steps[done], state, work);
        releaseState(state);
        state = next;
        if ((done + 1) % stride === 0) this.states.set(done + 1, retainState(state));
      }
      return state;
    } catch (error) {
      releaseState(state);
      throw error;
    }
  }

  private async apply(step: Step, state: State, work: Work): Promise<State> {
    const open = await this.forward.open(step, false);
    const next = [];
    try {
      for (const chunk of state) {
        next.push(await open.run(chunk));
        work.advance(chunk.rows);
      }
      return next;
    } catch (error) {
      releaseState(next);
      throw error;
    } finally {
      await open.close();
    }
  }

  /** The number of steps between kept states, so that all of them fit the budget. */
  private stride(steps: number): number {
    const bytes = this.rows.length * this.rows[0].length * this.model.architecture.hidden * 4;
    const fitting = Math.max(1, Math.floor(this.budget / bytes) - 2); // one is being computed, one is the whole model's
    return Math.max(1, Math.ceil(steps / fitting));
  }

  private remember(key: string, summary: LossSummary): void {
    this.known.set(key, summary);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
  }
}

function sameStep(a: Step, b: Step): boolean {
  return a.block === b.block && a.attention === b.attention && a.ffn === b.ffn;
}
