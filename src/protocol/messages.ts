/**
 * Every message between the extension host and the sidecar. The name of a method is the key of its types: what a caller
 * passes and gets is derived from these interfaces, never written twice.
 */
import type { Compute, DeviceInfo, JobEvent, JobInfo, JobOutcome, JobSpec, ProgressInfo } from './jobs';
import type {
  GatherParams,
  TensorStatistics,
  TensorStatisticsParams,
  ViewPerplexity,
  ViewPerplexityParams,
  ViewPrepared,
  ViewPrepareParams,
} from './short';

/** Counts up when a message changes its meaning: host and sidecar of one build always agree. */
export const PROTOCOL_VERSION = 1;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface InitializeParams {
  readonly protocol: number;
  readonly logLevel: LogLevel;
}

export interface InitializeResult {
  readonly protocol: number;
  readonly pid: number;
  readonly versions: { readonly coppice: string; readonly node: string; readonly onnxruntime: string };
}

interface Method<Params, Result> {
  readonly params: Params;
  readonly result: Result;
}

/** Host → sidecar, answered. */
export interface Requests {
  /** The first message; everything else is refused before it. */
  initialize: Method<InitializeParams, InitializeResult>;
  /** Queues a job and answers when it is done. Cancelling the request cancels the job. */
  'job/run': Method<{ readonly id: string; readonly spec: JobSpec }, JobOutcome>;
  /** False when there is no such job (any more). */
  'job/cancel': Method<{ readonly id: string }, { readonly found: boolean }>;
  'tensor/statistics': Method<TensorStatisticsParams, TensorStatistics>;
  'view/perplexity': Method<ViewPerplexityParams, ViewPerplexity>;
  /** Gets ready for it. Every job ends that, and every short request comes before it. */
  'view/prepare': Method<ViewPrepareParams, ViewPrepared>;
  /** Measures what this machine does in a second, where that was never done, into the file of its speeds. */
  'machine/rates': Method<Pick<Compute, 'device' | 'threads'>, null>;
  /** Makes one run of the partial records in a folder, and keeps its record as that of a job. Computes no model. */
  'parts/gather': Method<GatherParams, JobOutcome>;
  /** Cancels everything, and ends the process after the answer. */
  shutdown: Method<null, null>;
}

/** Sidecar → host. */
export interface Notifications {
  /** About ten a second at most, and always the last one. */
  'job/progress': { readonly id: string } & ProgressInfo;
  'job/event': { readonly id: string; readonly event: JobEvent };
  'jobs/changed': { readonly jobs: readonly JobInfo[] };
  /** A job began to compute on a device. */
  'device/changed': DeviceInfo;
  log: { readonly level: LogLevel; readonly text: string };
  /** The sidecar met an error that it cannot survive, and ends. */
  fatal: { readonly message: string; readonly stack?: string };
}

/** Host → sidecar, not answered. */
export interface HostNotifications {
  'log/level': { readonly level: LogLevel };
}

export type RequestName = keyof Requests;
export type ParamsOf<M extends RequestName> = Requests[M]['params'];
export type AnswerOf<M extends RequestName> = Requests[M]['result'];
export type NotificationName = keyof Notifications;
