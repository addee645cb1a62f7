/**
 * Writes a model as one GGUF file, which llama.cpp and the programs around it run: whole, without some blocks, narrower,
 * with changed weights. Steps: temporary name beside the output → write and flush → read back and compare → rename.
 */
import { foldersOf } from '../../checkpoint/folders';
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { isFolded } from '../../checkpoint/gguf/as-gguf';
import { isGgufCheckpoint } from '../../checkpoint/gguf/name';
import { architectureFields, spellingOf } from '../../checkpoint/gguf/spelling';
import { elements } from '../../checkpoint/parameters';
import type { Checkpoint } from '../../checkpoint/types';
import { asStored } from '../../checkpoint/width';
import { layerSizes } from '../../checkpoint/kinds/parts';
import { CancelledError, throwIfCancelled, UserError } from '../../errors';
import { copyRanges, type CopyOptions } from '../../files/copy';
import { OutputFile } from '../../files/output-file';
import { claimFile } from '../../files/target';
import { writeFailure } from '../../files/write-failure';
import { type GgufField, type GgufLayout, layOutGguf } from '../../formats/gguf/layout';
import { text } from '../../formats/gguf/values';
import { rangesOf } from '../../formats/stored-tensor';
import type { OptionName } from '../../option-token';
import type { JobOptions } from '../../progress';
import { RECORD_KEY } from '../../records/in-gguf';
import { modelName, recordTextInModel, type RunRecord, sharedRecord } from '../../records/record';
import { tokenizerMetadata } from '../../tokenizer/gguf/metadata';
import { asGgufModel } from '../../weights/as-gguf';
import type { WeightSource } from '../../weights/source';
import { type RewrittenDtype, writeRewritten } from '../rewrite';
import { requireWhole } from '../write-checkpoint';
import { checkWrittenGguf } from './check';
import type { FinerTypes } from './finer';
import { planFromGguf } from './from-gguf';
import type { GgufType } from './kinds';
import { generalFields } from './general';
import { Importance, type NamedMatrix } from './importance';
import { Mix } from './mixes';
import { type GgufSource, ggufTensors, type RewrittenTensor } from './tensors';
import { PieceWriter } from './threads/piece-writer';
import { oddNotes } from './types';

export interface GgufOptions extends JobOptions {
  /** Blocks that are written, 0-based, in this order; all when undefined. */
  readonly kept?: readonly number[];
  /** Type of the matrices; that of the checkpoint's tensors when undefined. */
  readonly type?: GgufType;
  /** Quantized types round the more important columns less. */
  readonly importance?: NamedMatrix;
  /** Types and sizes are those with an importance matrix, which may not exist yet; that of `importance` when undefined. */
  readonly weighed?: boolean;
  /** The model's name in lists of models; that of the checkpoint when undefined. */
  readonly name?: string;
  /** What was done to the model, in a sentence. */
  readonly description?: string;
  /** Of the run that makes a file of so many bytes; it is kept in its metadata (records/in-gguf.ts). */
  readonly record?: (bytes: number) => RunRecord;
  /** The option that names the file, for messages; `out` when undefined. */
  readonly option?: OptionName;
  /** Threads that quantize; those of the machine when undefined. */
  readonly threads?: number;
}

export interface GgufWritten {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  /** llama.cpp's architecture of the file. */
  readonly architecture: string;
  /** Differences that the user should know. */
  readonly notes: readonly string[];
  readonly finer?: FinerTypes;
  /** Matrices whose columns have an importance. */
  readonly weighed: number;
}

/**
 * Writes the model `weights` to `file`, which must not exist.
 * @param checkpoint where the weights come from: its tokenizer, and the types of its tensors
 * @param weights the model; what it computes is rounded to the type of the stored tensor
 * @throws UserError for a model or tokenizer that llama.cpp would run otherwise, and when the file cannot be written;
 *   CancelledError. No partial output remains
 */
export async function writeGguf(
  checkpoint: Checkpoint,
  weights: WeightSource,
  file: string,
  options: GgufOptions = {},
): Promise<GgufWritten> {
  const { layout, ...planned } = await planGguf(checkpoint, weights, options);
  throwIfCancelled(options.signal);
  return { ...(await writeLayout(checkpoint, layout, file, options)), ...planned };
}

/**
 * Writes a file as it is laid out, and compares it with its source.
 * @throws UserError when it cannot be written; CancelledError. No partial output remains
 */
export async function writeLayout(
  checkpoint: Checkpoint,
  layout: GgufLayout<GgufSource>,
  file: string,
  { option = 'out', threads, ...job }: Pick<GgufOptions, keyof JobOptions | 'option' | 'threads'>,
): Promise<Pick<GgufWritten, 'file' | 'bytes'>> {
  const target = await claimFile(file, foldersOf(checkpoint), layout.bytes, option);
  try {
    await OutputFile.fill(target.temporary, (output) => fill(output, layout, job, threads));
    await checkWrittenGguf(target.temporary, layout, job.signal);
    throwIfCancelled(job.signal);
    await requireWhole(checkpoint);
    await target.commit();
    return { file: target.out, bytes: layout.bytes };
  } catch (error) {
    await target.discard().catch(() => undefined); // it keeps its temporary name; the first error is the one to report
    // If the source changed in the meantime, errors look like bugs.
    if (!(error instanceof UserError) && !(error instanceof CancelledError)) await requireWhole(checkpoint);
    throw writeFailure(error, target.out, option);
  }
}

/** The file that `writeGguf` would write. */
export interface PlannedGguf {
  readonly layout: GgufLayout<GgufSource>;
  readonly architecture: string;
  readonly notes: readonly string[];
  /** Changed matrices of a GGUF file that are kept in finer types than they had. */
  readonly finer?: FinerTypes;
  /** Matrices whose columns have an importance. */
  readonly weighed: number;
}

/**
 * Plans the file and writes nothing, so that a job can refuse before it computes.
 * @throws UserError for a model or tokenizer that llama.cpp would run otherwise
 */
export async function planGguf(
  checkpoint: Checkpoint,
  model: WeightSource,
  {
    kept,
    type,
    importance: matrix,
    weighed: isWeighed = matrix !== undefined,
    name,
    description,
    record,
  }: Omit<GgufOptions, keyof JobOptions | 'option' | 'threads'> = {},
): Promise<PlannedGguf> {
  const weights = asGgufModel(model);
  const blocks = kept ?? [...weights.architecture.layers.keys()];
  if (blocks.length === 0) throw new Error('no blocks are written');
  const architecture = withLayers(weights.architecture, blocks);
  const spelling = spellingOf(architecture);
  const importance = matrix && Importance.of(matrix, weights.architecture.layers.length, blocks);
  const own = [...(importance?.fields() ?? []), ...(record ? [recordField(record(0))] : [])];
  if (isGgufCheckpoint(asStored(checkpoint))) {
    const plan = await planFromGguf(checkpoint, weights, {
      kept: blocks,
      spelling,
      type,
      importance,
      isWeighed,
      name,
      description,
      added: own,
    });
    const { fields, tensors, notes, finer } = plan;
    return {
      layout: layOutWith(record, fields, tensors),
      architecture: plan.architecture,
      notes: [...spelling.notes, ...oddNotes(type, tensors), ...notes, ...(importance?.notes() ?? [])],
      ...(finer && { finer }),
      weighed: importance?.matrices ?? 0,
    };
  }
  const folded = isFolded(weights.architecture) ? [FOLDED] : [];
  const tokenizer = await tokenizerMetadata(checkpoint.home, architecture);
  const mix = type && new Mix(type, weights, blocks, { dialect: spelling.dialect.name, isWeighed });
  const tensors = ggufTensors(checkpoint, weights, { kept: blocks, spelling, mix, importance });
  const all = new Set(tensors.map(({ rewrite }) => rewrite.dtype));
  const dtypes = { mix: type ?? mostFrequent(tensors), all };
  const fields = [
    ...generalFields(architecture, {
      dialect: spelling.dialect.name,
      name: name ?? modelName(checkpoint),
      description,
      dtypes,
    }),
    ...architectureFields(architecture, spelling),
    ...tokenizer.fields,
    ...own,
  ];
  return {
    layout: layOutWith(record, fields, tensors),
    architecture: spelling.dialect.name,
    notes: [
      ...spelling.notes,
      ...folded,
      ...tokenizer.notes,
      ...oddNotes(type, tensors),
      ...(mix?.notes() ?? []),
      ...(importance?.notes() ?? []),
      ...(type === undefined ? unpackable(checkpoint, architecture) : []),
    ],
    weighed: importance?.matrices ?? 0,
  };
}

/** Of a model whose file has the factors in the matrices. */
const FOLDED =
  'llama.cpp has no place for the factors of its modules; they are multiplied into the matrices, which are rounded once more';

export const recordField = (record: RunRecord): GgufField => [
  RECORD_KEY,
  text(recordTextInModel(sharedRecord(record))),
];

/** The record says how large the file is, and is part of it. A number of other digits can change the size once more. */
export function layOutWith<T extends GgufSource>(
  record: GgufOptions['record'],
  fields: readonly GgufField[],
  tensors: readonly T[],
): GgufLayout<T> {
  let layout = layOutGguf(fields, tensors);
  for (let round = 0; round < 3 && record; round++) {
    const own = recordField(record(layout.bytes));
    layout = layOutGguf(
      fields.map((field) => (field[0] === RECORD_KEY ? own : field)),
      tensors,
    );
  }
  return layout;
}

/** Elements that the simplest quantized types of llama.cpp store together. */
const PACKED = 32;

/** Widths of a narrower model that quantizing cannot divide. */
function unpackable({ narrowing }: Checkpoint, { layers }: Architecture): string[] {
  const odd = layers.map(layerSizes).filter(({ mixer, ffn }) => mixer % PACKED !== 0 || ffn % PACKED !== 0).length;
  if (!narrowing || odd === 0) return [];
  const has = odd === 1 ? '1 block has a width that is' : `${odd} blocks have widths that are`;
  return [`${has} no multiple of ${PACKED}, so llama.cpp's quantizer leaves these matrices in 16 bits`];
}

/** The type of most numbers. */
function mostFrequent(tensors: readonly RewrittenTensor[]): RewrittenDtype {
  const counts = new Map<RewrittenDtype, number>();
  for (const { rewrite, shape } of tensors) {
    counts.set(rewrite.dtype, (counts.get(rewrite.dtype) ?? 0) + elements(shape));
  }
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** Header, then every tensor at its place. The gaps between them stay zero. */
async function fill(
  output: OutputFile,
  layout: GgufLayout<GgufSource>,
  options: JobOptions,
  threads: number | undefined,
): Promise<void> {
  const { header, tensors, bytes: total } = layout;
  let done = 0;
  const copy: CopyOptions = {
    signal: options.signal,
    onBytes(bytes) {
      done += bytes;
      options.onProgress?.({ label: 'writing', done, total, unit: 'bytes' });
    },
  };
  await output.handle.truncate(total);
  await output.handle.write(header, 0, header.length, 0);
  copy.onBytes?.(header.length);
  const pieces = PieceWriter.open(
    output,
    tensors.map(({ copy: range, rewrite }) => (range ? undefined : rewrite)),
    copy,
    threads,
  );
  try {
    for (const { name, offset, copy: range, rewrite } of tensors) {
      if (range) await copyRanges(output, offset, rangesOf(range), copy);
      else if (pieces?.takes(rewrite!)) await pieces.write(offset, name, rewrite);
      else await writeRewritten(output, offset, { name, rewrite: rewrite! }, copy);
    }
    await pieces?.done();
  } finally {
    await pieces?.close();
  }
}
