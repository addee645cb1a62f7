/** Tests that need a GPU, be it one in software: the part "webgpu" of test/run.mjs starts them with one. */
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { openModel, type Model } from '../../src/engine/model/model';
import { openToy } from './model';

const missing =
  process.env.COPPICE_TEST_WEBGPU === '1'
    ? undefined
    : (process.env.COPPICE_TEST_WEBGPU_MISSING ?? 'run by `node test/run.mjs webgpu`');

/** A group of tests on the device; where that cannot be had, one skipped test says why. */
export function describeWebGpu(title: string, body: (this: Mocha.Suite) => void): void {
  if (missing === undefined) describe(title, body);
  else it.skip(`${title} (no software GPU: ${missing})`);
}

/** Opens a checkpoint on the CPU and on the device, and closes both whatever happens. */
export async function onBoth<T>(path: string, use: (cpu: Model, gpu: Model) => Promise<T>): Promise<T> {
  return openedOnBoth(await openToy(path), use);
}

/** The same for a checkpoint that is open. */
export async function openedOnBoth<T>(checkpoint: Checkpoint, use: (cpu: Model, gpu: Model) => Promise<T>): Promise<T> {
  const cpu = await openModel(checkpoint, { device: 'cpu' });
  try {
    const gpu = await openModel(checkpoint, { device: 'webgpu' });
    try {
      return await use(cpu, gpu);
    } finally {
      await gpu.close();
    }
  } finally {
    await cpu.close();
  }
}
