/**
 * Measures in about two seconds what a machine does that has run no job yet: products and reading of memory on the device,
 * sums in JavaScript, and a file. Only processes that compute import it.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureRates } from '../engine/evaluate/grid/rates';
import { chooseDevice, type DeviceChoice } from '../engine/onnx/device';
import type { Rates } from './first-guess';
import { MachineSpeeds } from './machine';

/** What computes, as options of a job say. */
export interface Where {
  readonly device?: DeviceChoice;
  readonly threads?: number;
}

/** The speeds of this machine, of which something is known. */
export async function openSpeeds(where?: Where, folder?: string): Promise<MachineSpeeds> {
  const speeds = await MachineSpeeds.open(folder);
  await requireRates(speeds, where);
  return speeds;
}

/** Measures where nothing was measured before, and keeps it: the device that computes, and the CPU, which other jobs may ask for. */
export async function requireRates(speeds: MachineSpeeds, { device = 'auto', threads }: Where = {}): Promise<void> {
  const chosen = await chooseDevice(device, threads);
  for (const provider of new Set(['cpu', chosen.provider] as const)) {
    if (speeds.rates(provider) !== undefined) continue;
    const { flopsPerSecond, bytesPerSecond } = await measureRates({ provider, threads });
    const bytes = bytesPerSecond ?? flopsPerSecond / FLOPS_PER_BYTE;
    speeds.setRates(provider, { flops: flopsPerSecond, bytes, numbers: numberRate(), files: await fileRate() });
  }
  await speeds.save();
}

/** Of a device whose memory cannot be measured: a GPU makes about so many operations while it reads a byte. */
const FLOPS_PER_BYTE = 40;

const NUMBERS = 4e6;
const RUNS = 5;

/** Numbers that JavaScript adds up in a second: the best of some runs, because the first ones are compiled meanwhile. */
function numberRate(): Rates['numbers'] {
  const values = new Float32Array(NUMBERS).fill(1);
  const seconds = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const total = sumOf(values);
    return total > 0 ? (performance.now() - start) / 1000 : Infinity; // so that the sum is computed
  });
  return NUMBERS / Math.min(...seconds);
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < values.length; i += 2) sum += values[i] * values[i + 1];
  return sum;
}

const FILE_BYTES = 32 * 2 ** 20;

/** Bytes of a file that are written and read back in a second: as jobs do, which leave the rest to the system. */
async function fileRate(): Promise<Rates['files']> {
  const file = join(tmpdir(), `coppice-${randomUUID()}`);
  const start = performance.now();
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(Buffer.alloc(FILE_BYTES, 1));
    } finally {
      await handle.close();
    }
    await readFile(file);
    return (2 * FILE_BYTES * 1000) / (performance.now() - start);
  } finally {
    await rm(file, { force: true });
  }
}
