/**
 * The peak of this process's memory while something runs. Linux counts it, and the count can be set back, so that
 * nothing disturbs the clock. Elsewhere a second thread looks at the memory every few milliseconds.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { peakRssBytes } from '../../memory';

export interface PeakMeter {
  /** Forgets the peak so far. @returns bytes in use now */
  start(): Promise<number>;
  /** Bytes at the peak since `start`. */
  peak(): number;
  close(): Promise<void>;
}

/**
 * Memory of objects that nothing refers to any more returns first, so that it does not count. V8 frees large buffers in
 * another thread, which takes a moment.
 */
async function collectGarbage(): Promise<void> {
  collect ??= exposedGc();
  collect();
  await setTimeout(SWEEPING_MS);
  collect();
}

const SWEEPING_MS = 20;

let collect: (() => void) | undefined;

function exposedGc(): () => void {
  setFlagsFromString(`${'-'.repeat(2)}expose-gc`); // a flag of V8, not an option of ours
  return runInNewContext('gc') as () => void;
}

/** Value that sets the high-water mark of `VmHWM` back (proc(5)). */
const RESET_PEAK = '5';

/** @param counted by the system, if it does that */
export function openPeakMeter(counted = resetsPeak()): PeakMeter {
  return counted ? countedMeter() : sampledMeter();
}

function resetsPeak(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    writeFileSync('/proc/self/clear_refs', RESET_PEAK);
    return true;
  } catch {
    return false; // no /proc in this container, or it may not be written
  }
}

function countedMeter(): PeakMeter {
  return {
    start: async () => {
      await collectGarbage();
      resetsPeak();
      return process.memoryUsage.rss();
    },
    peak: () => Math.max(peakRssBytes(), process.memoryUsage.rss()),
    close: () => Promise.resolve(),
  };
}

/** Looks every 5 ms, and keeps the peak in memory that both threads share. */
const SAMPLER = `
const { workerData } = require('node:worker_threads');
const peak = new BigInt64Array(workerData);
setInterval(() => {
  const now = BigInt(process.memoryUsage.rss());
  if (now > Atomics.load(peak, 0)) Atomics.store(peak, 0, now);
}, 5);
`;

function sampledMeter(): PeakMeter {
  const shared = new SharedArrayBuffer(8);
  const peak = new BigInt64Array(shared);
  const worker = new Worker(SAMPLER, { eval: true, workerData: shared });
  worker.unref();
  return {
    start: async () => {
      await collectGarbage();
      const now = process.memoryUsage.rss();
      Atomics.store(peak, 0, BigInt(now));
      return now;
    },
    peak: () => Math.max(Number(Atomics.load(peak, 0)), process.memoryUsage.rss()),
    close: async () => {
      await worker.terminate();
    },
  };
}
