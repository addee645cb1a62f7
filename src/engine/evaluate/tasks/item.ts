/**
 * Questions of a task. A question with choices is answered by log-likelihood: the model takes the choice that it finds
 * most likely (acc), or most likely for its length (accNorm). A question without is answered by greedy text.
 */
import type { ProbeName } from '../../../format/probes';

/** A choice: the text that is scored after its context. */
export interface AnswerChoice {
  /** What stands before it; the same for all choices of an item, except in WinoGrande. */
  readonly context: string;
  /** What is scored, with the blank that divides it from the context. */
  readonly continuation: string;
  /** Code points of the choice without that blank: what accNorm divides by. */
  readonly characters: number;
}

/** A question with choices. One with a single choice asks whether the model would write it; a probe has such questions. */
export interface ChoiceItem {
  /** Number of its record in the file, from 0. */
  readonly item: number;
  readonly choices: readonly AnswerChoice[];
  /** Number of the right choice, from 0. */
  readonly gold: number;
}

/** How a written answer is compared with what is expected. */
export type Match = 'exact' | 'contains' | 'regex';

/** How a text is judged where nothing is expected: whether it ends, or how much of it is new. */
export type Judging = 'ends' | 'new';

/** A question that the model answers in its own words, greedily. */
export interface WrittenItem {
  readonly item: number;
  readonly prompt: string;
  /** What is expected: any one of these; none where the text itself is judged. */
  readonly expected: readonly string[];
  readonly match: Match | Judging;
  /** Whether upper and lower case are the same. */
  readonly ignoreCase?: boolean;
  /** Texts that end the answer: it is compared up to the first of them. */
  readonly until?: readonly string[];
  /** Tokens that the answer may have at most. */
  readonly maxTokens: number;
}

/** The metric that a task's report and the average take. */
export type Metric = 'acc' | 'accNorm';

/** What makes a task a probe: its questions are made from a seed, and it counts to no average. */
export interface ProbeOfTask {
  readonly name: ProbeName;
  /** Score of a model that guesses. */
  readonly chance: number;
  /** SHA-256 of all its questions as JSON, also where some are asked: models are compared on the same. */
  readonly sha256: string;
}

/** A task: questions of one kind from one file, or a probe. */
export interface Task {
  /** Its name: "boolq", or the name of the user's own task. */
  readonly name: string;
  readonly title: string;
  /** File that its items are from. */
  readonly file: string;
  readonly reported: Metric;
  /** Whether accNorm means anything: lengths of the choices differ. BoolQ and WinoGrande have none. */
  readonly normalised: boolean;
  readonly choiceItems: readonly ChoiceItem[];
  readonly writtenItems: readonly WrittenItem[];
  readonly probe?: ProbeOfTask;
}

/** The numbers of a task's items, in their order. */
export const itemsOf = ({ choiceItems, writtenItems }: Task): number[] =>
  [...choiceItems, ...writtenItems].map(({ item }) => item).sort((a, b) => a - b);
