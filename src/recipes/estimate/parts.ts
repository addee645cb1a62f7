/** What the parts of a step's work are, by its job: products, weights that decoding reads, and files. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { evaluationFlops, type EstimatedWork, rowBlockFlops, type RowShape } from '../../engine/importance/estimate';
import { parametersReadOf } from '../../engine/checkpoint/parameters';
import type { JsonObject } from '../../format/json';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import type { Kind } from '../../jobs/kinds';
import { measuredRows as rowsMeasured } from '../../jobs/amounts';
import type { StepModel, StepModels } from './models';
import type { Part } from './speeds';

/** A step whose work is estimated. */
export interface Estimated {
  readonly job: Kind;
  /** With the defaults of its job, as far as they are known. */
  readonly options: JsonObject;
  readonly models: StepModels;
  /** The model that it works on, whole. */
  readonly model: StepModel;
  /** Blocks that it leaves out of that. */
  readonly removed: readonly number[];
}

/** The parts of a step's work; undefined where an amount is not known. */
export type PartsOf = (step: Estimated) => Promise<readonly Part[] | undefined>;

export const withDefaults = (kind: Kind, options: JsonObject): JsonObject => {
  const { options: all }: AnyJob = JOBS[kind];
  const usual = Object.entries(all).flatMap(([name, each]) =>
    each.default === undefined ? [] : [[name, each.default] as const],
  );
  return { ...Object.fromEntries(usual), ...options };
};

/** @param length tokens of a row */
export const products = (architecture: Architecture, work: EstimatedWork, flops: number, length: number): Part => ({
  kind: 'products',
  work,
  flops,
  size: rowBlockFlops(architecture, Math.max(1, length)),
});

/** Reading texts: the model's loss on rows. */
export const evaluating = (architecture: Architecture, rows: RowShape, removed: readonly number[] = []): Part =>
  products(architecture, 'evaluate', evaluationFlops(architecture, rows, removed), rows.length);

/** Writing a text token by token: each token reads every weight. */
export function decoding(architecture: Architecture, tokens: number, bytesPerWeight = 4): DecodePart {
  const perToken = bytesPerWeight * parametersReadOf(architecture);
  return { kind: 'decode', perToken, bytes: tokens * perToken };
}

type DecodePart = Extract<Part, { readonly kind: 'decode' }>;

export const files = (bytes: number): Part => ({ kind: 'files', bytes });

/** Of starting a job, in seconds: a guess that keeps tiny models from seeming to take no time. */
const START = 0.3;

/** A job's work with its start, which reads the model. */
export const withStart = ({ bytes }: Pick<StepModel, 'bytes'>, parts: readonly Part[]): Part[] => [
  { kind: 'seconds', seconds: START },
  files(bytes),
  ...parts,
];

/** What a step measures on. */
export const measuredRows = ({ options, model }: Estimated): Promise<RowShape | undefined> =>
  rowsMeasured(options, model.architecture.context);
