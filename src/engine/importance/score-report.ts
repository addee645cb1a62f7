/** What a scoring says: the numbers, whose they are, and what they were made with. The same on a terminal and in the editor. */
import { peakRssBytes } from '../memory';
import { modelName } from '../records/record';
import { type OpenedModel, removedJson } from '../model/opened';
import type { Criterion } from './criterion';
import { resultSummary, type Scored, withoutRows } from './run-criterion';

export interface ScoreContext {
  readonly calibration: object | null;
  readonly seconds: number;
  readonly device: string;
  readonly peakRssBytes: number;
}

export interface ScoreReport {
  /** What is worth printing or sending. */
  readonly summary: Readonly<Record<string, unknown>>;
  /** What the record holds: the losses of single rows too. */
  readonly results: Readonly<Record<string, unknown>>;
  readonly context: ScoreContext;
}

export function scoreReport(
  { checkpoint, removed, adapter, inputs }: OpenedModel,
  criterion: Criterion,
  { result, calibration, device }: Scored,
  seconds: number,
): ScoreReport {
  const shared = {
    criterion,
    model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
    ...(removed.length > 0 && { removed: removedJson(removed) }),
    ...(adapter && { adapter: inputs.map(({ name, sha256 }) => ({ name, sha256 }))[0] }),
  };
  const context = {
    calibration: calibration ? withoutRows(calibration) : null,
    seconds,
    device: device?.provider ?? 'cpu',
    peakRssBytes: peakRssBytes(),
  };
  return {
    summary: { ...shared, ...resultSummary(result), ...context },
    results: { ...shared, ...result, ...context },
    context,
  };
}
