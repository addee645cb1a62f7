/** Accuracies in tasks: of one model, or of several on the same items. */
import type { OnTop } from '../format/on-top';
import type { Precision } from '../engine/precision';
import type { TaskResult, Difference, QuestionText } from '../engine/evaluate/tasks/results';
import type { RemovedEntry } from './json';

export type {
  ChoiceResult,
  ChoiceItemResult,
  WrittenItemResult,
  ItemResult,
  TaskResult,
  Difference,
  PairedDifference,
  TaskDifference,
  QuestionText,
} from '../engine/evaluate/tasks/results';

/** One model's results. */
export interface ModelTasks extends OnTop {
  /** Name of the model in a comparison. */
  readonly label: string;
  readonly model: string;
  readonly identity: string;
  readonly removed: readonly RemovedEntry[];
  readonly tasks: readonly TaskResult[];
  /** Mean of the tasks' reported metrics. */
  readonly average: number;
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

/** In the record of a run, and the result of a run over several models. */
export interface TasksComparison {
  readonly models: readonly ModelTasks[];
  /** Of each further model to the first; empty for one model. */
  readonly differences: readonly Difference[];
  /** Texts of items where models differ, some of them. */
  readonly questions: readonly QuestionText[];
  readonly seconds: number;
  readonly device: string;
  readonly precision: Precision;
}

/** A run over one model gives that model's results. */
export type TasksResult = ModelTasks | TasksComparison;
