/** The work of writing models, and of comparing what was written with its source. */
import { withoutLayers } from '../engine/checkpoint/architecture';
import { parametersOf } from '../engine/checkpoint/parameters';
import { calibrationRows, measuredRows } from '../jobs/amounts';
import type { EstimatedJob, WorkOf } from './job';
import { isQuantized, type ModelFacts } from './models';
import { decoding, evaluating, files, type Work } from './work';

type Written = Pick<EstimatedJob, 'model' | 'removed'>;

/** Copying: read once, written once, and read back. */
const COPIES = 2;

/** A file of the model without what is removed, as large as its own for each block that stays. */
export const exported = ({ model, removed }: Written): Work =>
  files(COPIES * model.bytes * (1 - removed.length / model.architecture.layers.length));

/** A new checkpoint of the model without what is removed. Quantized weights become numbers of 32 bits in it. */
export function writing({ model, removed }: Written): Work {
  const bytes = hasQuantized(model) ? 4 * parametersOf(model.architecture) : model.bytes;
  return exported({ removed, model: { ...model, bytes } });
}

/** The model's file has weights of less than 16 bits. */
export const hasQuantized = ({ architecture, bytes }: ModelFacts): boolean =>
  isQuantized(bytes / parametersOf(architecture));

/** Of fixed texts and a continuation, by which a written file is compared with its model. */
const COMPARED = { rows: 2, length: 64 } as const;
const CONTINUED = 32;
const BYTES_PER_NUMBER = 4;

/** A written file beside the model that it was written from. */
export function comparing({ model, removed }: Written): Work[] {
  const architecture = withoutLayers(model.architecture, removed);
  return [
    { kind: 'compared', bytes: BYTES_PER_NUMBER * parametersOf(architecture) },
    evaluating(architecture, { ...COMPARED, rows: 2 * COMPARED.rows }),
    decoding(architecture, 2 * CONTINUED),
  ];
}

export const verify: WorkOf = comparing;

export const merge: WorkOf = (job) => [writing(job)];

/** The text that the model reads for the importance of columns. */
function weighing({ options, model, removed }: EstimatedJob): Work[] {
  if (options.imatrix !== 'auto') return [];
  return [evaluating(model.architecture, calibrationRows(options, model.architecture.context), removed)];
}

export const exporting: WorkOf = (job) => {
  const { options, model, removed } = job;
  const kinds = Array.isArray(options.type) ? Math.max(1, options.type.length) : 1;
  const each = [exported(job), ...(options.verify === false ? [] : comparing(job))];
  const all = [...weighing(job), ...Array.from({ length: kinds }, () => each).flat()];
  if (options.text === undefined) return all;
  const rows = measuredRows(options, model.architecture.context);
  if (rows === undefined) return undefined;
  return [...all, evaluating(model.architecture, { ...rows, rows: kinds * rows.rows }, removed)];
};
