/** What the jobs return and tell. */
export type { BenchResult } from '../protocol/bench';
export type { ExportResult, VerifyResult } from '../protocol/export';
export type { GridResult } from '../protocol/grid';
export type { HealResult } from '../protocol/heal';
export type { IterateEvent, IterateResult } from '../protocol/iterate';
export type {
  EvaluateResult,
  GenerateResult,
  MergeResult,
  PromptsResult,
  PruneResult,
  TextEvent,
} from '../protocol/jobs';
export type { CurveResult, ScoreResult } from '../protocol/scores';
export type { TasksResult } from '../protocol/tasks';
export type { RetrainResult, TrainingEvent } from '../protocol/training';
export type { VersusResult } from '../protocol/versus';
export type { WidthResult } from '../protocol/width';
