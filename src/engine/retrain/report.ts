/** The result of a retraining, shared by `--json`, the record and the editor. */
import { peakRssBytes } from '../memory';
import type { DeviceReport } from '../onnx/device';
import type { Precision } from '../precision';
import type { LeftBehind } from '../checkpoint/accompanying-files';
import type { RunRecord } from '../records/record';
import type { HeldOutLikeness } from './likeness';
import type { DataDescription } from './data/load';
import type { Evaluation, LossExplosion, TraceEntry, TrainingState } from './loop/training-state';

/** What a run is and took, in the process and in its record alike. */
export interface RunFacts {
  /** Steps done. */
  readonly steps: number;
  /**
   * How near the model was to the unpruned one on tokens that were held out, before and after. Absent for a whole model,
   * or if nothing is held out.
   */
  readonly likeness?: { readonly before: HeldOutLikeness; readonly after: HeldOutLikeness };
  /** Set when the loss exploded in `step`. The output then has the parameters after the step `kept`. */
  readonly stopped?: LossExplosion;
  /** Number of trained parameters. */
  readonly parameters: number;
  /** Blocks that were left out. */
  readonly removed: readonly number[];
  readonly data: DataDescription;
  /** Of frozen products. The comparison with the unpruned model is float32. */
  readonly precision: Precision;
  /** Over all steps, including those before the run was resumed. */
  readonly tokensPerSecond: number;
  /** Time of this process, from opening the data. */
  readonly seconds: number;
  readonly peakRssBytes: number;
}

export interface RunResult extends RunFacts {
  readonly trace: readonly TraceEntry[];
  readonly evaluations: readonly Evaluation[];
  /**
   * The evaluation whose parameters were kept. Undefined without held-out records; then the last parameters were kept.
   */
  readonly best?: Evaluation;
  /** Loss of the unpruned model on the rows of the evaluations; undefined if it was not measured. */
  readonly unpruned?: number;
  readonly device: DeviceReport;
}

export interface RetrainResult extends RunResult {
  /** The kind of the output, and its absolute path. */
  readonly kind: 'adapter' | 'checkpoint';
  readonly out: string;
  readonly record: RunRecord;
  /** Files of the model that were not copied, and why. */
  readonly leftBehind: readonly LeftBehind[];
}

export function resultOf(
  { step, log, best, stopped }: TrainingState,
  facts: Pick<
    RunResult,
    'likeness' | 'unpruned' | 'parameters' | 'removed' | 'data' | 'device' | 'precision' | 'seconds'
  >,
): RunResult {
  const { trace, evaluations } = log;
  const sum = (of: (entry: TraceEntry) => number): number => trace.reduce((total, entry) => total + of(entry), 0);
  return {
    ...facts,
    steps: step,
    trace,
    evaluations,
    best: best && { step: best.step, loss: best.loss },
    ...(stopped && { stopped }),
    tokensPerSecond: sum(({ tokens }) => tokens) / sum(({ seconds }) => seconds),
    peakRssBytes: peakRssBytes(),
  };
}

/** A run, in the form of its record. */
export interface RunSummary extends RunFacts {
  readonly trace: readonly StepSummary[];
  readonly evaluations: readonly EvaluationSummary[];
  /** Null if nothing is held out. */
  readonly best: EvaluationSummary | null;
  /** The unpruned model on the same rows: what the training can hope to come near. Absent if it was not measured. */
  readonly unpruned?: Omit<EvaluationSummary, 'step'>;
  /** The provider's name. */
  readonly device: string;
}

/** A step of the optimiser, in the form of the record. */
export interface StepSummary {
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
  readonly gradNorm: number;
  readonly tokensPerSecond: number;
}

/** A loss on the held-out part, with its perplexity. */
export interface EvaluationSummary extends Evaluation {
  readonly ppl: number;
}

/** The result as JSON. */
export function resultJson(result: RunResult): RunSummary {
  const { steps, trace, evaluations, best, unpruned, likeness, stopped, parameters, removed, data, device } = result;
  const evaluation = ({ step, loss }: Evaluation): EvaluationSummary => ({ step, loss, ppl: Math.exp(loss) });
  return {
    steps,
    trace: trace.map(({ step, loss, learningRate, gradientNorm, tokens, seconds }) => {
      return { step, loss, lr: learningRate, gradNorm: gradientNorm, tokensPerSecond: tokens / seconds };
    }),
    evaluations: evaluations.map(evaluation),
    best: best ? evaluation(best) : null,
    ...(unpruned !== undefined && { unpruned: { loss: unpruned, ppl: Math.exp(unpruned) } }),
    ...(likeness && { likeness }),
    ...(stopped && { stopped }),
    parameters,
    removed,
    data,
    tokensPerSecond: result.tokensPerSecond,
    seconds: result.seconds,
    device: device.provider,
    precision: result.precision,
    peakRssBytes: result.peakRssBytes,
  };
}

/** The same with the output, which a record inside the output cannot name. */
export interface RetrainSummary extends RunSummary {
  readonly kind: RetrainResult['kind'];
  /** Absolute, as `out`; null if a checkpoint was written. */
  readonly adapter: string | null;
  readonly out: string;
}

export function summaryOf(result: RetrainResult): RetrainSummary {
  const { kind, out } = result;
  return { kind, adapter: kind === 'adapter' ? out : null, out, ...resultJson(result) };
}
