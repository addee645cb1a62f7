/**
 * The teacher of a distillation: another model, usually the student before it was pruned. The student learns to match
 * the teacher's next-token distributions (forward KL, as Muralidharan et al. 2024, Minitron, recommend).
 */
import { memoryFor } from '../../memory';
import { parametersOfLayer } from '../../checkpoint/parameters';
import { UserError } from '../../errors';
import type { Feeds } from '../../onnx/session';
import { Forward, type OpenStep } from '../../model/forward';
import type { TeacherPart, TeacherStates } from '../../model/head-loss';
import type { Model } from '../../model/model';
import { type Step, stepsOf, type View } from '../../model/view';
import type { MicroBatch } from '../loop/batch';
import { headFeeds, sameHead } from './head';

export interface TeacherOptions {
  /** Its share of the loss, 0 … 1. */
  readonly weight: number;
  readonly student: Model;
  /** The student's final norm and head are not trained. */
  readonly headFrozen: boolean;
  /** Keep a session for every block; depends on the free memory when undefined. */
  readonly keepSessions?: boolean;
}

export class Teacher {
  /** Forward passes by the length of the rows. */
  private readonly passes = new Map<number, Forward>();
  private readonly open = new Map<Step, OpenStep>();

  private constructor(
    private readonly model: Model,
    private readonly steps: readonly Step[],
    /** Its part of the loss. */
    readonly part: TeacherPart,
    private readonly feeds: Feeds,
    private readonly keepSessions: boolean,
  ) {}

  /** @throws UserError when its vocabulary differs from the student's */
  static async open(model: Model, view: View, options: TeacherOptions): Promise<Teacher> {
    const { student, weight, headFrozen } = options;
    const { architecture } = model;
    if (architecture.vocabulary !== student.architecture.vocabulary) {
      throw new UserError(
        'The teacher cannot teach this model',
        `its vocabulary has ${architecture.vocabulary} tokens, the student's ${student.architecture.vocabulary}`,
        'Name the model that was pruned, or another with the same tokenizer.',
      );
    }
    const steps = stepsOf(view);
    const shared = headFrozen && (await sameHead(model, student));
    const part = shared ? { weight } : { weight, own: architecture };
    // Repacked weights are in memory twice.
    const bytes = steps.reduce((sum, { block }) => sum + 8 * parametersOfLayer(architecture, block), 0);
    const { keepSessions = bytes < memoryFor('teacherSessions') } = options;
    return new Teacher(model, steps, part, shared ? {} : await headFeeds(model), keepSessions);
  }

  /** Its last hidden states for a micro-batch. */
  async states({ ids, length }: MicroBatch): Promise<TeacherStates> {
    const pass = this.pass(length);
    let state = await pass.embedChunk(ids);
    for (const step of this.steps) {
      const open = this.open.get(step) ?? (await pass.open(step, step === this.steps.at(-1)));
      try {
        const next = await open.run(state, pass);
        state.release();
        state = next;
      } finally {
        if (this.keepSessions) this.open.set(step, open);
        else await open.close();
      }
    }
    const states = Float32Array.from(state.data);
    state.release();
    return { states, feeds: this.feeds };
  }

  /** Its part of the feeds when only the cross-entropy is of interest. */
  silent(): TeacherStates {
    return { feeds: this.feeds };
  }

  /** Frees its sessions; the model stays open. */
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
