/**
 * Chooses the execution provider, and says why.
 *
 * `auto` times a product on every provider that can be present, and takes the fastest. A GPU that is emulated in
 * software is slower than the CPU that emulates it. If no GPU provider can be present, nothing is timed.
 */
import { availableParallelism } from 'node:os';
import { DeviceError, UserError } from '../errors';
import { set } from '../option-token';
import { findProvider, type HalfTrial, timeProvider, type Trial } from './device-trial';
import { missingPart } from './drivers';
import { integerArithmetic } from './integer-trial';
import type { Provider } from './session';
import { mostThreads } from '../machine-share';

export type DeviceChoice = 'auto' | Provider;

/** The chosen provider, in words that can be shown. */
export interface DeviceReport {
  readonly provider: Provider;
  /** Why this provider was chosen, and why no better one. */
  readonly why: string;
  /** All providers that were checked, with their speed or the reason why they cannot be used. */
  readonly tried: readonly Trial[];
  /** What half precision is good for on it, where it is used. */
  readonly half?: HalfTrial;
  /** What the CPU does with products of 8-bit integers, in words; only if the CPU computes. */
  readonly integers?: string;
}

const GPU_PROVIDERS: readonly Provider[] = ['cuda', 'dml', 'coreml', 'webgpu'];

/** Devices that were asked for by name and found. Missing devices are not cached, because they may appear later. */
const found = new Map<Provider, DeviceReport>();
const automatic = new Map<number | undefined, Promise<DeviceReport>>();

/**
 * Picks the provider for `choice`.
 * @param threads of the CPU, which a GPU has to beat
 * @throws DeviceError when a device that was asked for by name is missing; UserError for an unreasonable number of
 *   threads
 */
export async function chooseDevice(choice: DeviceChoice, threads?: number): Promise<DeviceReport> {
  const report = await chosen(choice, threads);
  return report.provider === 'cpu' ? { ...report, integers: (await integerArithmetic()).why } : report;
}

async function chosen(choice: DeviceChoice, threads?: number): Promise<DeviceReport> {
  checkThreads(threads);
  if (choice === 'cpu') return { provider: 'cpu', why: 'asked for', tried: [] };
  if (choice !== 'auto') return requireDevice(choice);
  let report = automatic.get(threads);
  if (!report) automatic.set(threads, (report = fastestDevice(threads)));
  return report;
}

/** onnxruntime starts all threads that it is told to, for each of its sessions. Thousands of threads stop a machine. */
function checkThreads(threads = 1): void {
  const cores = availableParallelism();
  const most = mostThreads();
  if (threads <= most) return;
  throw new UserError(
    `${threads} threads are too many`,
    `this machine runs ${cores} at a time, and more than ${most} slow each other down`,
    `${set('threads', cores, 'give')} or fewer, or leave it out.`,
  );
}

async function requireDevice(provider: Provider): Promise<DeviceReport> {
  const known = found.get(provider);
  if (known) return known;
  const trial = await findProvider(provider);
  if (trial.error === undefined) {
    const report: DeviceReport = { provider, why: 'asked for', tried: [trial] };
    found.set(provider, report);
    return report;
  }
  throw new DeviceError(
    `the device "${provider}" cannot be used`,
    missingPart(provider)?.why ?? trial.error,
    missingPart(provider)?.action ?? `Check the driver of the GPU, or ${set('device', 'cpu')}.`,
    { cause: new Error(trial.error) },
  );
}

async function fastestDevice(threads: number | undefined): Promise<DeviceReport> {
  const tried: Trial[] = [];
  for (const provider of GPU_PROVIDERS) {
    const missing = missingPart(provider);
    if (missing === undefined) tried.push(await timeProvider(provider));
    else if (!missing.elsewhere) tried.push({ provider, error: missing.why });
  }
  if (tried.every(({ error }) => error !== undefined)) {
    return { provider: 'cpu', why: `no GPU can be used: ${tried.map(inWords).join('; ')}`, tried };
  }
  tried.push(await timeProvider('cpu', threads));
  const speed = ({ gflops }: Trial): number => gflops ?? 0;
  const fastest = tried.reduce((best, trial) => (speed(trial) > speed(best) ? trial : best));
  // The CPU may have been too busy to be timed. It is still a candidate.
  const cpu = tried.at(-1)!;
  const { provider } = cpu.gflops === undefined ? cpu : fastest;
  return { provider, why: `fastest matrix product: ${tried.map(inWords).join('; ')}`, tried };
}

function inWords({ provider, gflops, error }: Trial): string {
  return `${provider}: ${error ?? `${(gflops ?? 0).toPrecision(3)} GFLOP/s`}`;
}
