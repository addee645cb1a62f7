/**
 * The teacher of a distillation: another model, usually the student before it was pruned. The student learns to match
 * the teacher's next-token distributions (forward KL, as Muralidharan et al. 2024, Minitron, recommend).
 */
import { memoryFor } from '../../memory';
import { parametersOfLayer } from '../../checkpoint/parameters';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Feeds } from '../../onnx/session';
import { Forward, type OpenStep } from '../../model/forward';
import type { HeadLoss } from '../../model/head-loss';
import type { Model } from '../../model/model';
import { lengthClass } from '../../model/rotary';
import type { TeacherPart, TeacherStates } from '../../model/teaching';
import { type Step, stepsOf, type View } from '../../model/view';
import type { MicroBatch } from '../loop/batch';
import { headFeeds, sameHead } from './head';

export interface TeacherOptions {
  /** Its share of the loss, 0 … 1. */
  readonly weight: number;
  /** The loss on hidden states; off when undefined. */
  readonly hidden?: HiddenTarget;
  readonly student: Model;
  /** The student's final norm and head are not trained. */
  readonly headFrozen: boolean;
  /** Keep a session for every block; depends on the free memory when undefined. */
  readonly keepSessions?: boolean;
}

/** The loss on hidden states. */
export interface HiddenTarget {
  /** Its factor, above 0. */
  readonly weight: number;
  /** The teacher's block whose input the student's state before its last block is compared with. */
  readonly block: number;
}

/** What the loss of a batch needs of a teacher. */
export interface Taught {
  readonly part: TeacherPart;
  readonly hidden: HiddenTarget | undefined;
  /**
   * @param rows of the batch, which the indices of the micro-batch name
   * @param head of the loss, which makes distributions of a teacher's states
   */
  states(
    micro: MicroBatch,
    rows: readonly ArrayLike<number>[],
    head: Pick<HeadLoss, 'expected'>,
  ): Promise<TeacherStates>;
  /** Its part of the feeds when only the cross-entropy is of interest. */
  silent(): TeacherStates;
  /** Equal for lengths of a row that its rotations treat alike. */
  lengthClass(length: number): number;
  /** Frees its sessions; its model stays open. */
  close(): Promise<void>;
}

export class Teacher implements Taught {
  /** Forward passes by the length of the rows. */
  private readonly passes = new Map<number, Forward>();
  private readonly open = new Map<Step, OpenStep>();

  private constructor(
    readonly model: Model,
    private readonly steps: readonly Step[],
    /** Its part of the loss. */
    readonly part: TeacherPart,
    /** Its part of the loss on hidden states. */
    readonly hidden: HiddenTarget | undefined,
    private readonly feeds: Feeds,
    private readonly keepSessions: boolean,
  ) {}

  /** @throws UserError when its vocabulary differs from the student's, or its width if hidden states are compared */
  static async open(model: Model, view: View, options: TeacherOptions): Promise<Teacher> {
    const { student, weight, hidden, headFrozen } = options;
    const { architecture } = model;
    if (architecture.vocabulary !== student.architecture.vocabulary) {
      throw new UserError(
        'The teacher cannot teach this model',
        `its vocabulary has ${architecture.vocabulary} tokens, the student's ${student.architecture.vocabulary}`,
        'Name the model that was pruned, or another with the same tokenizer.',
      );
    }
    if (hidden && architecture.hidden !== student.architecture.hidden) {
      throw new UserError(
        'The hidden states of teacher and student cannot be compared',
        `the teacher's have ${architecture.hidden} numbers, the student's ${student.architecture.hidden}`,
        `Leave ${option('hiddenWeight')} out, or name the model that was pruned as the teacher.`,
      );
    }
    const steps = stepsOf(view);
    const shared = headFrozen && (await sameHead(model, student));
    const part = shared ? { weight } : { weight, own: architecture };
    // Repacked weights are in memory twice.
    const bytes = steps.reduce((sum, { block }) => sum + 8 * parametersOfLayer(architecture, block), 0);
    const { keepSessions = bytes < memoryFor('teacherSessions') } = options;
    return new Teacher(model, steps, part, hidden, shared ? {} : await headFeeds(model), keepSessions);
  }

  /** Its last hidden states for a micro-batch, and those that the loss on hidden states compares. */
  async states({ ids, length }: MicroBatch): Promise<TeacherStates> {
    const pass = this.pass(length);
    let state = await pass.embedChunk(ids);
    let hidden: Float32Array | undefined;
    for (const [k, step] of this.steps.entries()) {
      if (step.block === this.hidden?.block) hidden = Float32Array.from(state.data);
      const next: Step | undefined = this.steps[k + 1];
      const toHost = next === undefined || next.block === this.hidden?.block;
      const open = this.open.get(step) ?? (await pass.open(step, toHost));
      try {
        const after = await open.run(state, pass);
        state.release();
        state = after;
      } finally {
        if (this.keepSessions) this.open.set(step, open);
        else await open.close();
      }
    }
    const states = Float32Array.from(state.data);
    state.release();
    return { states, hidden, feeds: this.feeds };
  }

  silent(): TeacherStates {
    return { feeds: this.feeds };
  }

  lengthClass(length: number): number {
    return lengthClass(this.model.architecture, length);
  }

  async close(): Promise<void> {
    for (const open of this.open.values()) await open.close();
    this.open.clear();
  }

  private pass(length: number): Forward {
    let pass = this.passes.get(length);
    if (!pass) this.passes.set(length, (pass = new Forward(this.model, length)));
    return pass;
  }
}
