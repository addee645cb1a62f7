/**
 * The report of a scoring run: the numbers, the model they belong to, and how they were made. The same in the terminal
 * and in the editor.
 */
import { type BlockKinds, kindsOf } from '../checkpoint/block-kinds';
import { peakRssBytes } from '../memory';
import type { RunPrecision } from '../precision';
import { modelName } from '../records/record';
import { type OpenedModel } from '../model/opened';
import { removedJson } from '../model/view';
import type { Criterion } from './criteria';
import type { Calibration } from './calibration';
import type { CriterionResult } from './result';
import type { TextFit } from '../../format/text-fit';
import { unfitOf } from './text-fit';
import { resultSummary, type ResultSummary, type Scored } from './run-criterion';

/** What a scoring is of. */
export interface ScoreSubject {
  readonly criterion: Criterion;
  readonly model: { readonly name: string; readonly path: string; readonly identity: string };
  /** What each block of the model is made of. */
  readonly kinds?: readonly BlockKinds[];
  readonly removed?: readonly (number | string)[];
  readonly adapter?: ScoredInput;
  /** Healed weights. */
  readonly patch?: ScoredInput;
  readonly width?: ScoredInput;
}

interface ScoredInput {
  readonly name: string;
  readonly sha256?: string;
}

export interface ScoreContext {
  readonly calibration: Omit<Calibration, 'rows'> | null;
  readonly seconds: number;
  readonly device: string;
  /** Absent for criteria that need no session. */
  readonly precision?: RunPrecision;
  /** The whole model does not fit the text: perplexities of the first rows. */
  readonly unfit?: TextFit;
  readonly peakRssBytes: number;
}

/** The part to print or send. */
export type ScoreSummary = ScoreSubject & ResultSummary & ScoreContext;

export interface ScoreReport {
  readonly summary: ScoreSummary;
  /** The results for the record, with the losses of single rows. */
  readonly results: ScoreSubject & CriterionResult & ScoreContext;
}

/** Scores, and the text without its tokens. */
interface ReportedScores extends Pick<Scored, 'result' | 'precision' | 'fit'> {
  readonly calibration: ScoreContext['calibration'];
  readonly device?: { readonly provider: string };
}

/** The subject of a scoring of an opened model. */
export const subjectOf = (
  { checkpoint, architecture, removed, inputs }: OpenedModel,
  criterion: Criterion,
): ScoreSubject => ({
  criterion,
  model: { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity },
  kinds: kindsOf(architecture),
  ...(removed.length > 0 && { removed: removedJson(removed) }),
  ...Object.fromEntries(inputs.map(({ role, name, sha256 }) => [role, { name, sha256 }])),
});

export function scoreReport(
  subject: ScoreSubject,
  { result, calibration, device, precision, fit }: ReportedScores,
  { seconds, peak = peakRssBytes() }: { readonly seconds: number; /** In bytes. */ readonly peak?: number },
): ScoreReport {
  const unfit = fit && unfitOf(fit);
  const context: ScoreContext = {
    calibration,
    seconds,
    device: device?.provider ?? 'cpu',
    ...(precision !== undefined && { precision }),
    ...(unfit && { unfit }),
    peakRssBytes: peak,
  };
  return {
    summary: { ...subject, ...resultSummary(result), ...context },
    results: { ...subject, ...result, ...context },
  };
}
