/** What the loss of a head gets from a teacher. */
import type { Architecture } from '../checkpoint/architecture';
import type { Feeds } from '../onnx/session';

/** The teacher's part of the loss. */
export interface TeacherPart {
  /** Its share of the loss, 0 … 1. */
  readonly weight: number;
  /**
   * Set when its final norm and head differ from the student's. They are then fed as "teacherNorm" and "teacherHead".
   */
  readonly own?: Pick<Architecture, 'hidden' | 'rmsNormEps' | 'style'>;
  /**
   * Set when its distributions come as `Expected`, which is all that a frozen head of the teacher's own weights needs
   * (`teachesByExpectation`).
   */
  readonly byExpectation?: boolean;
}

/** What a frozen head W needs to know of distributions q. */
export interface Expected {
  /** Mean rows q W, (tokens, hidden); zeros at positions without a target. */
  readonly mean: Float32Array;
  /** −Σ q log q in nats, (tokens); zeros at positions without a target. */
  readonly entropy: Float32Array;
}

/** Whether `Expected` is all that the loss needs: the logits must be linear in W. @param part of a teacher, whose states are known */
export const teachesByExpectation = ({ style }: Architecture, { own }: TeacherPart, headFrozen: boolean): boolean =>
  headFrozen && !own && style.logitCap === null;

/** What a teacher says about some tokens. */
export interface TeacherStates {
  /** Its last hidden states, (tokens, its hidden); absent when only the cross-entropy is of interest. */
  readonly states?: Float32Array;
  /** Its distributions, in place of `states`, if it teaches by expectation. */
  readonly expected?: Expected;
  /** Its own final norm and head, if any. */
  readonly feeds: Feeds;
  /** Its states where the hidden-state loss compares, (tokens, hidden), if there is such a loss. */
  readonly hidden?: Float32Array;
}
