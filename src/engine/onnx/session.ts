/**
 * The only access to onnxruntime: opens a session over a graph made in memory, runs it, closes it. No other file
 * imports onnxruntime-node.
 */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-node';
import { Graph } from './graph';
import { tellMapped } from './mapped';
import type { GraphFile } from './model-file';
import { loadFailure, translateFailure } from './runtime-failure';
import { usualThreads } from './threads';

/** Errors are thrown. Printing them as well would break the progress line. */
const LOG_FATAL = 4;

/**
 * Since 1.29, onnxruntime for Linux and macOS reports its sessions to its maker, from the first one on, and keeps a number for this
 * machine and a file of reports in the user's cache. This setting turns all of it off, in child processes too. It has no effect on
 * Windows, where onnxruntime writes trace events for the system instead.
 */
process.env.ORT_DISABLE_TELEMETRY = '1';

const require = createRequire(import.meta.url);
let loaded: typeof Ort | undefined;

/**
 * onnxruntime, loaded on first use, so that commands that only read headers start without it.
 * @throws UserError when its native library cannot be loaded
 */
function ort(): typeof Ort {
  if (loaded) return loaded;
  try {
    loaded = require('onnxruntime-node') as typeof Ort;
  } catch (error) {
    throw loadFailure(error);
  }
  loaded.env.logLevel = 'fatal';
  return loaded;
}

/** Execution providers, by onnxruntime-node's names for them. */
export type Provider = 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

/** A tensor of onnxruntime, in this process's memory or on the device. */
export type Tensor = Ort.Tensor;
export type Feeds = Readonly<Record<string, Tensor>>;
/** Results by name: a tensor is filled in place, null lets onnxruntime allocate. */
export type Fetches = Readonly<Record<string, Tensor | null>>;

export interface SessionSettings {
  readonly provider: Provider;
  /** Threads of one run; what COPPICE_THREADS says when undefined, or else onnxruntime's own choice. */
  readonly threads?: number;
  /** Repack weights for faster products, one after another. The repacked weight replaces the original in memory. */
  readonly prepack?: boolean;
  /**
   * For several sessions that stay open together. Working memory returns to the process after every use; without this
   * setting, each session keeps the maximum that it ever needed.
   */
  readonly shareMemory?: boolean;
  /** Results that stay on the device. */
  readonly onDevice?: readonly string[];
  /** Awaited before every run. */
  readonly beforeRun?: () => Promise<void>;
  /** Prefix of a profile that onnxruntime writes when the session closes; for `bench/` only. */
  readonly profile?: string;
}

/** A feed of a session. */
export interface SessionInput {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export class Session {
  /**
   * Results on the device that may still be alive. They belong to the session, and the process crashes if they outlive
   * it.
   */
  private onDevice: Tensor[] = [];

  constructor(
    private readonly session: Ort.InferenceSession,
    private readonly provider: Provider,
    private readonly beforeRun?: () => Promise<void>,
  ) {}

  /** Names, types and shapes of the feeds; an extent that varies is its name. */
  get inputs(): readonly SessionInput[] {
    return this.session.inputMetadata.flatMap((input) =>
      input.isTensor ? [{ name: input.name, type: input.type, shape: input.shape }] : [],
    );
  }

  /**
   * One run. It blocks the thread until it is done, so callers keep runs short and check for cancellation between them.
   * @param fetches the results wanted; all of them, newly allocated, when omitted
   * @throws UserError when memory is short or the device is gone
   */
  async run(feeds: Feeds, fetches?: Fetches): Promise<Record<string, Tensor>> {
    await this.beforeRun?.();
    try {
      const results = await (fetches ? this.session.run(feeds, fetches) : this.session.run(feeds));
      const fresh = Object.values(results).filter(isOnDevice);
      if (fresh.length > 0) this.onDevice = [...this.onDevice.filter(isOnDevice), ...fresh];
      return results;
    } catch (error) {
      throw translateFailure(error, this.provider);
    }
  }

  /** Frees the session, and with it its results on the device. */
  async close(): Promise<void> {
    for (const tensor of this.onDevice) tensor.dispose();
    this.session.endProfiling();
    await this.session.release();
  }
}

/** Whether the tensor is in the device's memory and has not been disposed. */
function isOnDevice(tensor: Tensor): boolean {
  return tensor.location === 'gpu-buffer';
}

/**
 * @throws UserError when a file cannot be read, memory is short or the device is gone; what computing later constants throws
 * @throws Error when the provider is missing or refuses the graph
 */
export async function openSession(graph: GraphFile, settings: SessionSettings): Promise<Session> {
  const { folder, isBfloat16 = false } = graph;
  const bytes = (await graph.complete?.()) ?? graph.bytes;
  tellMapped(graph.files ?? []);
  return createSession(bytes, { folder, isBfloat16 }, settings);
}

/**
 * The same over the file of a model, whose external data lies beside it.
 * @throws UserError and Error as `openSession`
 */
export const openModelFile = (path: string, settings: SessionSettings): Promise<Session> =>
  createSession(path, {}, settings);

/**
 * Products in bfloat16 on Linux for arm64; without a word it does nothing elsewhere, which a trial finds out (bfloat16-trial.ts).
 *
 * Three optimizers would change what is computed so: `Gemm`, which they make of a product and a sum, is float32, and so is a product
 * with a factor; a transposition that they take into a product turns it from one to the other.
 */
const BFLOAT16 = {
  mlas: { enable_gemm_fastmath_arm64_bfloat16: '1' },
  optimization: { disable_specified_optimizers: 'MatMulAddFusion;MatMulScaleFusion;MatmulTransposeFusion' },
} as const;

async function createSession(
  model: Uint8Array | string,
  { folder, isBfloat16 }: Pick<GraphFile, 'folder' | 'isBfloat16'>,
  settings: SessionSettings,
): Promise<Session> {
  // Without this, threads of a finished session keep spinning and slow down the next session.
  const extra: Record<string, string> = { force_spinning_stop: '1' };
  if (folder !== undefined) extra.model_external_initializers_file_folder_path = folder;
  if (!(settings.prepack ?? false)) extra.disable_prepacking = '1';
  // onnxruntime refuses an option that is present but undefined.
  const options: Ort.InferenceSession.SessionOptions = {
    executionProviders: [settings.provider],
    logSeverityLevel: LOG_FATAL,
    extra: { session: extra, ...(isBfloat16 && BFLOAT16) },
    enableCpuMemArena: !(settings.shareMemory ?? false),
  };
  const threads = settings.threads ?? usualThreads();
  if (threads !== undefined) options.intraOpNumThreads = threads;
  if (settings.onDevice) {
    options.preferredOutputLocation = Object.fromEntries(settings.onDevice.map((name) => [name, 'gpu-buffer']));
  }
  if (settings.profile !== undefined) {
    options.enableProfiling = true;
    options.profileFilePrefix = settings.profile;
  }
  try {
    if (settings.provider === 'webgpu') await (webGpuKeeper ??= keepWebGpu());
    const { InferenceSession } = ort();
    // Its types have one signature for a path and another for bytes.
    const opening =
      typeof model === 'string' ? InferenceSession.create(model, options) : InferenceSession.create(model, options);
    const session = await opening;
    return new Session(session, settings.provider, settings.beforeRun);
  } catch (error) {
    throw translateFailure(error, settings.provider);
  }
}

let webGpuKeeper: Promise<Ort.InferenceSession> | undefined;

/**
 * Opens a session that is never used and never closed. WebGPU gives up its device and all programs compiled for it (a
 * second each) when its last session closes.
 */
function keepWebGpu(): Promise<Ort.InferenceSession> {
  const g = new Graph();
  g.output('y', g.input('x', 'float32', [1]));
  const { bytes } = g.serialize();
  return ort().InferenceSession.create(bytes, { executionProviders: ['webgpu'], logSeverityLevel: LOG_FATAL });
}

/**
 * Whether hidden states and caches of this provider can stay in its memory between runs. onnxruntime-node supports this
 * for WebGPU.
 */
export function keepsTensors(provider: Provider): boolean {
  return provider === 'webgpu';
}

/** The providers in this build of onnxruntime. They may still not work on this machine. */
export function knownProviders(): string[] {
  return ort()
    .listSupportedBackends()
    .map(({ name }) => name);
}

/** The file from which another process loads the same onnxruntime. */
export function onnxruntimeFile(): string {
  return require.resolve('onnxruntime-node');
}

/** A float32 tensor over `data`, which is used as it is, not copied. */
export function float32(data: Float32Array, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('float32', data, shape);
}

/** The same for float64. */
export function float64(data: Float64Array, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('float64', data, shape);
}

/** A float16 tensor over `data`, the bits of its numbers, which are used as they are. */
export function float16(data: Uint16Array, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('float16', data, shape);
}

/** An int32 tensor over a copy of `data`. */
export function int32(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('int32', Int32Array.from(data), shape);
}

/** An int64 tensor over a copy of `data`. */
export function int64(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('int64', BigInt64Array.from(data as ArrayLike<number> & Iterable<number>, BigInt), shape);
}

/** A uint8 tensor over `data`, which is used as it is. */
export function uint8(data: Uint8Array, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('uint8', data, shape);
}

/** An int8 tensor over `data`, which is used as it is. */
export function int8(data: Int8Array, shape: readonly number[]): Tensor {
  return new (ort().Tensor)('int8', data, shape);
}

/** A float16 or float32 tensor of zeros: a cache at its start. */
export function zeros(type: 'float16' | 'float32', shape: readonly number[]): Tensor {
  const { Tensor: Made } = ort();
  const size = shape.reduce((product, extent) => product * extent, 1);
  return type === 'float32'
    ? new Made('float32', new Float32Array(size), shape)
    : new Made('float16', new Uint16Array(size), shape);
}

/** The numbers of a float32 tensor in this process's memory. */
export function floats(tensor: Tensor): Float32Array {
  return tensor.data as Float32Array;
}

/** The numbers of an int32 tensor in this process's memory. */
export function integers(tensor: Tensor): Int32Array {
  return tensor.data as Int32Array;
}

/** Version of the onnxruntime that runs. */
export function onnxruntimeVersion(): string {
  const { versions } = ort().env;
  return versions.node ?? versions.common;
}
