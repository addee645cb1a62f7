/**
 * Writes a model as ONNX files with a cache, which onnxruntime and the programs around it run. Steps: temporary folder beside
 * the output → write and flush, a piece of one weight in memory at a time → read back and compare → rename.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import type { Checkpoint } from '../../checkpoint/types';
import { CancelledError, throwIfCancelled, UserError } from '../../errors';
import { OutputFile } from '../../files/output-file';
import { claimTarget } from '../../files/target';
import { writeFailure } from '../../files/write-failure';
import type { OptionName } from '../../option-token';
import { type JobOptions, Work } from '../../progress';
import type { WeightSource } from '../../weights/source';
import { foldersOf } from '../../checkpoint/folders';
import { requireWhole } from '../write-checkpoint';
import { checkWrittenOnnx } from './check';
import { ONNX_FOLDER, type OnnxKind, type OnnxTarget } from './kinds';
import { notesOf } from './notes';
import { planOnnx, type PlannedOnnx } from './plan';
import { writeSource } from './pieces';

export interface OnnxOptions extends JobOptions {
  /** Blocks that are written, 0-based, in this order; all when undefined. */
  readonly kept?: readonly number[];
  readonly kinds: readonly OnnxKind[];
  /** "cpu" when undefined. */
  readonly target?: OnnxTarget;
  /** Bytes of a file of external data, at most, unless one constant is larger. */
  readonly maxDataBytes?: number;
  /** Gives the other files of the folder: names with "/", and texts. Called before weights are written. */
  readonly beside: (written: OnnxModelFacts) => Promise<readonly { readonly name: string; readonly text: string }[]>;
  /** The option that names the folder, for messages; `out` when undefined. */
  readonly option?: OptionName;
  /** `accuracy_level` of products with weights in blocks, for tests; 4 when undefined. */
  readonly accuracy?: 0 | 4;
}

/** What the other files of the folder say about its models. */
export interface OnnxModelFacts {
  /** Of the kept blocks. */
  readonly architecture: Architecture;
  readonly target: OnnxTarget;
  readonly models: readonly {
    readonly kind: OnnxKind;
    /** Within the folder: "onnx/model_q4.onnx". */
    readonly file: string;
    /** Its files of external data, in its own folder. */
    readonly data: readonly { readonly name: string; readonly bytes: number }[];
    /** With those. */
    readonly bytes: number;
    /** Whether it has the input "position_ids". */
    readonly usesPositionIds: boolean;
  }[];
}

export interface OnnxWritten {
  /** The folder, absolute. */
  readonly out: string;
  /** Of all its files. */
  readonly bytes: number;
  /** By name within the folder. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** Space for the file system's own data. */
const OVERHEAD_BYTES = 1024 * 1024;

/**
 * Writes the model `weights` to the folder `out`, which must not exist.
 * @param checkpoint where the weights come from
 * @throws UserError for a number that a kind cannot hold, and when the folder cannot be written; CancelledError. No partial
 *   output remains
 */
export async function writeOnnx(
  checkpoint: Checkpoint,
  weights: WeightSource,
  out: string,
  options: OnnxOptions,
): Promise<OnnxWritten> {
  const { signal, target = 'cpu', option = 'out' } = options;
  const kept = options.kept ?? [...weights.architecture.layers.keys()];
  if (kept.length === 0 || options.kinds.length === 0) throw new Error('nothing is written');
  const models: PlannedOnnx[] = [];
  for (const kind of new Set(options.kinds)) {
    models.push(await planOnnx(weights, { ...options, kept, kind, target }));
  }
  const facts = onnxFacts(weights.architecture, kept, target, models);
  const texts = await options.beside(facts);
  const small = texts.map(({ name, text }) => ({ name, bytes: Buffer.from(text) }));
  const files = [...models.flatMap(filesOf), ...small.map(({ name, bytes }) => ({ name, bytes: bytes.length }))];
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  throwIfCancelled(signal);
  const claimed = await claimTarget(out, foldersOf(checkpoint), bytes + OVERHEAD_BYTES, option);
  try {
    const gaps = models.flatMap(({ data }) => data).reduce((sum, { bytes: all, content }) => sum + all - content, 0);
    const work = new Work(options, bytes - gaps, 'bytes', 'writing');
    for (const model of models) await writeModel(join(claimed.temporary, ONNX_FOLDER), model, work);
    for (const { name, bytes: content } of small) await writeFile(join(claimed.temporary, name), content, work);
    await checkWrittenOnnx(join(claimed.temporary, ONNX_FOLDER), models, signal);
    throwIfCancelled(signal);
    await requireWhole(checkpoint);
    await claimed.commit();
    return { out: claimed.out, bytes, files, notes: notesOf(facts) };
  } catch (error) {
    await claimed.discard().catch(() => undefined); // it keeps its temporary name; the first error is the one to report
    // If the source changed in the meantime, errors look like bugs.
    if (!(error instanceof UserError) && !(error instanceof CancelledError)) await requireWhole(checkpoint);
    throw writeFailure(error, claimed.out, option);
  }
}

async function writeModel(folder: string, { file, model, data }: PlannedOnnx, work: Work): Promise<void> {
  await writeFile(join(folder, file), model, work);
  for (const { name, bytes, sources } of data) {
    await OutputFile.fill(join(folder, name), async (output) => {
      await output.handle.truncate(bytes); // the gaps between constants stay zero
      for (const source of sources) await writeSource(output, source, work);
    });
  }
}

async function writeFile(path: string, bytes: Uint8Array, work: Work): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await OutputFile.fill(path, (output) => output.handle.writeFile(bytes));
  work.advance(bytes.length);
}

/** What the other files of the folder say about the models. @param whole of the source, with all blocks */
export const onnxFacts = (
  whole: Architecture,
  kept: readonly number[],
  target: OnnxTarget,
  models: readonly PlannedOnnx[],
): OnnxModelFacts => ({ architecture: withLayers(whole, kept), target, models: models.map(factsOf) });

function factsOf({ kind, file, model, data }: PlannedOnnx): OnnxModelFacts['models'][number] {
  return {
    kind,
    file: `${ONNX_FOLDER}/${file}`,
    data: data.map(({ name, bytes }) => ({ name, bytes })),
    bytes: data.reduce((sum, { bytes }) => sum + bytes, model.length),
    usesPositionIds: false,
  };
}

function filesOf({ file, model, data }: PlannedOnnx): OnnxWritten['files'] {
  const all = [{ name: file, bytes: model.length }, ...data];
  return all.map(({ name, bytes }) => ({ name: `${ONNX_FOLDER}/${name}`, bytes }));
}
