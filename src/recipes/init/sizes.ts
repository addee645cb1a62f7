/** How many bytes an export will have, from headers alone: the same plans that the writers lay out. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mainDtype } from '../../engine/checkpoint/main-dtype';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { WeightDtype } from '../../engine/formats/dtype';
import { systemErrorCode } from '../../engine/errors';
import type { JobOptions } from '../../engine/progress';
import { withWeights } from '../../engine/weights/checkpoint';
import { findAccompanyingFiles } from '../../engine/write/accompanying-files';
import { planGguf } from '../../engine/write/gguf/write-gguf';
import type { GgufType } from '../../engine/write/gguf/kinds';
import type { OnnxKind } from '../../engine/write/onnx/kinds';
import { planOnnx } from '../../engine/write/onnx/plan';
import { planModel } from '../../engine/write/planned-model';
import type { ExportFormat } from '../../jobs/definitions/export';

/** What is exported. */
export interface Shipped {
  readonly format: ExportFormat;
  /** Undefined: every weight keeps its type. */
  readonly type?: string;
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
}

/** Records, cards and examples beside the weights: more than any has. */
const BESIDE = { gguf: 16 * 2 ** 10, safetensors: 64 * 2 ** 10, onnx: 256 * 2 ** 10 } as const;

/**
 * Bytes of all files of an export, at most some kilobytes too many.
 * @throws UserError for a model that the format cannot hold; CancelledError
 */
export async function exportBytes(checkpoint: Checkpoint, shipped: Shipped, job: JobOptions = {}): Promise<number> {
  const { format, removed, type } = shipped;
  const blocks = requireArchitecture(checkpoint).layers.length;
  const kept = Array.from({ length: blocks }, (_, block) => block).filter((block) => !removed.includes(block));
  return withWeights(checkpoint, async (weights) => {
    if (format === 'gguf') {
      const { layout } = await planGguf(checkpoint, weights, { kept, type: type as GgufType | undefined });
      return layout.bytes + BESIDE.gguf + (isGgufCheckpoint(checkpoint) ? await moreMetadata(checkpoint) : 0);
    }
    if (format === 'onnx') {
      const kind = (type ?? 'fp32') as OnnxKind;
      const { model, data } = await planOnnx(weights, { kept, kind, target: 'cpu', signal: job.signal });
      const beside = BESIDE.onnx + (await accompanying(checkpoint));
      return data.reduce((sum, { bytes }) => sum + bytes, model.length) + beside;
    }
    const { plan } = await planModel(checkpoint, weights, { removed, dtype: stored(type) });
    return plan.bytes + BESIDE.safetensors + (await accompanying(checkpoint));
  });
}

const DTYPES: Readonly<Record<string, WeightDtype>> = { f32: 'F32', f16: 'F16', bf16: 'BF16' };

const stored = (type: string | undefined): WeightDtype | undefined => (type === undefined ? undefined : DTYPES[type]);

/** The tokenizer and what else goes along. */
async function accompanying({ folder }: Checkpoint): Promise<number> {
  const { found } = await findAccompanyingFiles(folder);
  const config = await sizeOf(join(folder, 'config.json'));
  return found.reduce((sum, { bytes }) => sum + bytes, config);
}

/**
 * A tokenizer that was made from a GGUF file's metadata goes along in a second form, as a text, when a model that was
 * written from that file becomes GGUF again.
 */
async function moreMetadata({ shards, tensors }: Checkpoint): Promise<number> {
  const files = await Promise.all(shards.map(({ file }) => sizeOf(file)));
  const weights = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.max(0, files.reduce((sum, bytes) => sum + bytes, 0) - weights);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return 0;
  }
}

/** "f16" of a checkpoint whose weights are mostly so; undefined for types that no export keeps. */
export function keptType(checkpoint: Checkpoint): string | undefined {
  const dtype = mainDtype(checkpoint)?.toLowerCase();
  return dtype !== undefined && KEPT.includes(dtype) ? dtype : undefined;
}

const KEPT = ['f32', 'f16', 'bf16'];
