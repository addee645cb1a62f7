/** What a scoring says: the numbers, whose they are, and what they were made with. The same on a terminal and in the editor. */
import { peakRssBytes } from '../memory';
import { modelName } from '../records/record';
import { type Opened, removedJson } from '../model/opened';
import type { Criterion } from './criterion';
import { findingsSummary, type Scored, withoutRows } from './run-criterion';

export interface Circumstances {
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
  readonly circumstances: Circumstances;
}

export function scoreReport(
  { checkpoint, removed, adapter, inputs }: Opened,
  criterion: Criterion,
  { findings, calibration, device }: Scored,
  seconds: number,
): ScoreReport {
  const subject = {
    criterion,
    model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
    ...(removed.length > 0 && { removed: removedJson(removed) }),
    ...(adapter && { adapter: inputs.map(({ name, sha256 }) => ({ name, sha256 }))[0] }),
  };
  const circumstances = {
    calibration: calibration ? withoutRows(calibration) : null,
    seconds,
    device: device?.provider ?? 'cpu',
    peakRssBytes: peakRssBytes(),
  };
  return {
    summary: { ...subject, ...findingsSummary(findings), ...circumstances },
    results: { ...subject, ...findings, ...circumstances },
    circumstances,
  };
}
