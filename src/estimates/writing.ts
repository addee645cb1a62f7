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

/** The time that quantizing takes, as a share of what comparing takes: measured 0.13 to 0.23 in GGUF, and 0.35 to 1.1 in ONNX. */
const QUANTIZING = { gguf: 0.15, onnx: 0.8 } as const;
/** Types whose numbers have 16 or 32 bits. */
const WIDE = ['f32', 'f16', 'bf16', 'fp32', 'fp16'];

/** @param type of the weights; as they are stored, or in ONNX in float32, if undefined */
function quantizing({ options, model, removed }: EstimatedJob, type: unknown): Work[] {
  if (typeof type !== 'string' || WIDE.includes(type.toLowerCase())) return [];
  const bytes = BYTES_PER_NUMBER * parametersOf(withoutLayers(model.architecture, removed));
  return [{ kind: 'compared', bytes: QUANTIZING[options.format === 'onnx' ? 'onnx' : 'gguf'] * bytes }];
}

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
  const named: readonly unknown[] = Array.isArray(options.type) ? options.type : [];
  const types = named.length > 0 ? named : [undefined];
  const each = [exported(job), ...(options.verify === false ? [] : comparing(job))];
  const all = [...weighing(job), ...types.flatMap((type) => [...each, ...quantizing(job, type)])];
  if (options.text === undefined) return all;
  const rows = measuredRows(options, model.architecture.context);
  if (rows === undefined) return undefined;
  return [...all, evaluating(model.architecture, { ...rows, rows: types.length * rows.rows }, removed)];
};
