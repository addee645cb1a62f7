/**
 * A reader and a writer of safetensors for tests, independent of the engine: eight bytes with the header's length,
 * a JSON header `{name: {dtype, shape, data_offsets}}`, then the tensors' bytes. It trusts its files.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half';

export type TestDtype = 'F32' | 'F16' | 'BF16';

/** A tensor whose values are held in float32, which all three dtypes fit into exactly. */
export interface TestTensor {
  readonly name: string;
  readonly dtype: TestDtype;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface HeaderEntry {
  readonly dtype: TestDtype;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

const bytesPerValue = (dtype: TestDtype): number => (dtype === 'F32' ? 4 : 2);

/** Writes one file; values are rounded to each tensor's dtype. */
export function writeSafetensors(
  file: string,
  tensors: readonly TestTensor[],
  metadata: Record<string, string> = { format: 'pt' },
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, dtype, shape, values } of tensors) {
    const start = end;
    end += values.length * bytesPerValue(dtype);
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const json = JSON.stringify(header);
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8); // the format wants the data 8-byte aligned
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(file, Buffer.concat([length, Buffer.from(padded), ...tensors.map(encode)]));
}

/** Reads every tensor of one file. */
export function readSafetensors(file: string): TestTensor[] {
  const bytes = readFileSync(file);
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, dataStart)) as Record<string, HeaderEntry>;
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [start, end],
        },
      ]) => {
        return { name, dtype, shape, values: decode(bytes.subarray(dataStart + start, dataStart + end), dtype) };
      },
    );
}

/** Every tensor of every safetensors file in a checkpoint's folder, by name. */
export function readCheckpointTensors(folder: string): Map<string, TestTensor> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
  const tensors = files.sort().flatMap((file) => readSafetensors(join(folder, file)));
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

function encode({ dtype, values }: TestTensor): Buffer {
  if (dtype === 'F32') return Buffer.from(values.slice().buffer);
  const toHalf = dtype === 'F16' ? toFloat16 : toBfloat16;
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i]);
  return Buffer.from(halves.buffer);
}

/** By their bits. */
let numbersOfFloat16: Float32Array | undefined;

function decode(bytes: Buffer, dtype: TestDtype): Float32Array {
  const own = Uint8Array.from(bytes).buffer;
  if (dtype === 'F32') return new Float32Array(own);
  const halves = new Uint16Array(own);
  const values = new Float32Array(halves.length);
  const table =
    dtype === 'F16'
      ? (numbersOfFloat16 ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => fromFloat16(half)))
      : undefined;
  for (let i = 0; i < values.length; i++) values[i] = table ? table[halves[i]] : fromBfloat16(halves[i]);
  return values;
}
