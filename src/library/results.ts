/** What the jobs return and tell. */
export type { BenchResult } from '../jobs/results/bench';
export type { DraftResult } from '../jobs/results/draft';
export type { ExportResult, VerifyResult } from '../jobs/results/export';
export type { GridResult } from '../jobs/results/grid';
export type { HealResult } from '../jobs/results/heal';
export type { IterateEvent } from '../protocol/iterate';
export type { IterateResult } from '../jobs/results/iterate';
export type { EvaluateResult } from '../jobs/results/eval';
export type { GenerateResult, PromptsResult } from '../jobs/results/generate';
export type { MergeResult, PruneResult } from '../jobs/results/prune';
export type { TextEvent } from '../protocol/jobs';
export type { CurveResult, ScoreResult } from '../jobs/results/score';
export type { TasksResult } from '../jobs/results/tasks';
export type { RetrainResult } from '../jobs/results/retrain';
export type { TrainingEvent } from '../protocol/training';
export type { VersusResult } from '../jobs/results/versus';
export type { VocabularyResult } from '../jobs/results/vocabulary';
export type { WidthResult } from '../jobs/results/width';
