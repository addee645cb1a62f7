/** The sample model's weights as files: fresh ones to start from, trained ones to be shipped. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isUnsupported, readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { ELEMENT_BYTES, narrow } from '../../src/engine/formats/narrow';
import { headerBytes, type NamedTensor, writeTensorFile } from '../../src/engine/formats/safetensors/tensor-file';
import { allWeights } from '../../src/engine/checkpoint/weight-names';
import { Random } from '../../src/engine/random';
import { MODEL_CONFIG, SEED } from './config';

const WEIGHTS = 'model.safetensors';

/** Adds onto the residual stream, which adds up what all blocks write: starts smaller by √(2L) (GPT-2). */
const WRITES_TO_RESIDUAL = /(o_proj|down_proj)\.weight$/;

/** Writes `config.json` and fresh float32 weights into `folder`: matrices normal, norms one. */
export async function writeFreshCheckpoint(folder: string): Promise<void> {
  const architecture = readConfigArchitecture(MODEL_CONFIG);
  if (isUnsupported(architecture)) throw new Error(architecture.why);
  const random = new Random(SEED);
  const tensors = new Map<string, NamedTensor>();
  for (const { name, shape } of allWeights(architecture)) {
    const values = new Float32Array(shape.reduce((a, b) => a * b));
    const deviation =
      MODEL_CONFIG.initializer_range / (WRITES_TO_RESIDUAL.test(name) ? Math.sqrt(2 * architecture.layers.length) : 1);
    tensors.set(name, {
      shape,
      values: shape.length > 1 ? values.map(() => deviation * random.normal()) : values.fill(1),
    });
  }
  mkdirSync(folder, { recursive: true });
  writeConfig(folder, { ...MODEL_CONFIG, torch_dtype: 'float32' });
  await writeTensorFile(join(folder, WEIGHTS), tensors);
}

/**
 * Writes `config.json` and the weights, rounded to bfloat16, into `folder`; the weights appear whole or not at all.
 * @returns SHA-256 (hex) of the weights' file
 */
export function writeTrainedCheckpoint(folder: string, tensors: ReadonlyMap<string, NamedTensor>): string {
  let end = 0;
  const entries = [...tensors].map(([name, { shape, values }]) => {
    const start = end;
    end += values.length * ELEMENT_BYTES.BF16;
    return [name, { dtype: 'BF16', shape, data_offsets: [start, end] }] as const;
  });
  const data = [...tensors.values()].map(({ values }) =>
    narrow(values, 'BF16', new Uint8Array(values.length * ELEMENT_BYTES.BF16)),
  );
  const header = headerBytes({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const bytes = Buffer.concat([header, ...data]);
  mkdirSync(folder, { recursive: true });
  writeConfig(folder, MODEL_CONFIG);
  writeFileSync(join(folder, `${WEIGHTS}.tmp`), bytes);
  renameSync(join(folder, `${WEIGHTS}.tmp`), join(folder, WEIGHTS));
  return createHash('sha256').update(bytes).digest('hex');
}

function writeConfig(folder: string, config: object): void {
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}
