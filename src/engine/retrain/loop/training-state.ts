/**
 * The complete state of a training run in one file: parameters, the optimiser's moments, the best parameters so far,
 * and the log. It is written atomically. A run that is killed at any moment resumes from its last saved step and gives
 * the same numbers as without the interruption. (Data order and dropout need no state: they are functions of seed and
 * step.)
 *
 * The metadata contains a SHA-256 of everything else, because a flipped bit on the disk would silently lead to other
 * weights.
 */
import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTensorFile, writeTensorFile, type NamedTensor } from '../../formats/safetensors/tensor-file';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import { isObject, parseNumbers, stringifyJson } from '../../../format/json';
import { cannotWrite } from '../../system-failure';
import type { AdamW, Parameters } from './adamw';
import type { TrainingRequest } from '../request';
import { differences, type RunFacts } from '../run-facts';

/** Version of the file's layout. 2 added the checksum. */
const FORMAT = '2';

type Tensors = ReadonlyMap<string, NamedTensor>;
type Metadata = Readonly<Record<string, string>>;

/** One step of the optimiser. */
export interface TraceEntry {
  readonly step: number;
  /** Mean loss of the step's batch, in nats. */
  readonly loss: number;
  readonly learningRate: number;
  /** Total norm of the gradient, before clipping. */
  readonly gradientNorm: number;
  /** Tokens of the step's batch, and the seconds that it took. */
  readonly tokens: number;
  readonly seconds: number;
}

/** Loss on the held-out part, in nats. */
export interface Evaluation {
  readonly step: number;
  readonly loss: number;
}

/** The log of the run so far. */
export interface TrainingLog {
  readonly trace: TraceEntry[];
  readonly evaluations: Evaluation[];
}

/** The loss exploded in `step`; what is kept are the parameters after the step `kept`. */
export interface LossExplosion {
  readonly step: number;
  readonly why: string;
  readonly kept: number;
}

export interface TrainingState {
  /** Steps done. */
  step: number;
  readonly log: TrainingLog;
  /** The parameters with the lowest held-out loss so far. */
  best?: { readonly step: number; readonly loss: number; readonly values: ReadonlyMap<string, Float32Array> };
  /** Set when the loss exploded in `step`. The parameters are then those after the step `kept`. Not saved. */
  stopped?: LossExplosion;
}

/** The state file of a run. */
export interface StateFile {
  readonly path: string;
  /** Identifies the run; only the same run continues from a state. */
  readonly run: RunFacts;
  /** The settings of the run, so that it can be resumed from the state alone. */
  readonly request?: TrainingRequest;
}

/** @throws UserError when it cannot be written; the previous state is kept then */
export async function saveState(
  { path, run, request }: StateFile,
  state: TrainingState,
  parameters: Parameters,
  optimizer: AdamW,
): Promise<void> {
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { values, shape }] of parameters) {
    const { mean, variance } = optimizer.moments.get(name)!;
    tensors.set(`value:${name}`, { values, shape });
    tensors.set(`mean:${name}`, { values: mean, shape });
    tensors.set(`variance:${name}`, { values: variance, shape });
    const best = state.best?.values.get(name);
    if (best) tensors.set(`best:${name}`, { values: best, shape });
  }
  const metadata = {
    format: FORMAT,
    run: JSON.stringify(run),
    step: String(state.step),
    log: stringifyJson(state.log),
    ...(request && { request: JSON.stringify(request) }),
    ...(state.best && { best: stringifyJson({ step: state.best.step, loss: state.best.loss }) }),
  };
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeTensorFile(path, tensors, { ...metadata, sha256: checksumOf(tensors, metadata) });
  } catch (error) {
    throw cannotWrite(`the state of the training, ${path},`, error);
  }
}

/** SHA-256 (hex) of everything in a state except the checksum itself: metadata, names, shapes, numbers. */
export function checksumOf(tensors: Tensors, { sha256: _, ...metadata }: Metadata): string {
  const hash = createHash('sha256');
  const entries = [...tensors].map(([name, { shape }]) => [name, shape]);
  hash.update(JSON.stringify([Object.entries(metadata), entries]));
  for (const { values } of tensors.values()) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/**
 * Loads a saved state into parameters and optimiser.
 * @returns undefined when there is no saved state
 * @throws UserError when it is damaged, or of another run
 */
export async function loadState(
  { path, run }: StateFile,
  parameters: Parameters,
  optimizer: AdamW,
): Promise<TrainingState | undefined> {
  if (!(await exists(path))) return undefined;
  const over = `remove ${dirname(path)} or name another ${option('out')}, and start again without ${option('resume')}.`;
  const damaged = (why: string, cause?: unknown): UserError =>
    new UserError(`Cannot resume from ${path}`, `it is damaged: ${why}`, `To start without it, ${over}`, { cause });
  const { tensors, metadata } = await readTensorFile(path).catch((error: unknown) => {
    // The advice for a checkpoint's file, to download it again, does not apply here.
    throw error instanceof UserError ? damaged(error.texts.why, error) : error;
  });
  const fault = faultOf(tensors, metadata);
  if (fault !== undefined) throw damaged(fault);
  const saved = readRun(metadata.run);
  if (!saved) throw damaged('it does not say which run it belongs to');
  const others = differences(saved, run);
  if (others.length > 0) {
    throw new UserError(
      `Cannot resume from ${path}`,
      `it was saved by a run with other settings, data or model: ${others.join(', ')}`,
      `Give the settings of that run; or ${over}`,
    );
  }
  const take = (kind: string, name: string, into: Float32Array): Float32Array => {
    const tensor = tensors.get(`${kind}:${name}`);
    if (tensor?.values.length !== into.length) throw damaged(`${kind} of ${name} is missing`);
    into.set(tensor.values);
    return into;
  };
  const happened = readHappened(metadata);
  if (!happened) throw damaged('its description of the run cannot be read');
  for (const [name, { values }] of parameters) {
    const { mean, variance } = optimizer.moments.get(name)!;
    take('value', name, values);
    take('mean', name, mean);
    take('variance', name, variance);
  }
  const { step, log, best } = happened;
  if (!best) return { step, log };
  const bestValues = [...parameters].map(([name, { values }]) => {
    return [name, take('best', name, new Float32Array(values.length))] as const;
  });
  return { step, log, best: { ...best, values: new Map(bestValues) } };
}

/** Why this is not the state that was saved; undefined when nothing is wrong. */
function faultOf(tensors: Tensors, metadata: Metadata): string | undefined {
  if (metadata.sha256 === undefined || metadata.format !== FORMAT) {
    return 'it has no checksum of this version, so damage would not be noticed';
  }
  return checksumOf(tensors, metadata) === metadata.sha256 ? undefined : 'its content does not match its checksum';
}

/** The run of a state, from its metadata; undefined when the metadata is invalid. */
export function readRun(text = ''): RunFacts | undefined {
  try {
    const run: unknown = JSON.parse(text);
    return isObject(run) ? run : undefined;
  } catch {
    return undefined;
  }
}

/** The numbers of the metadata; undefined when they are invalid. */
export function readHappened({
  step = '',
  log = '',
  best,
}: Metadata): (Pick<TrainingState, 'step' | 'log'> & { best?: Evaluation }) | undefined {
  try {
    const happened = parseNumbers(log);
    if (!/^\d+$/.test(step) || !isLog(happened)) return undefined;
    const read = { step: Number(step), log: happened };
    if (best === undefined) return read;
    const kept = parseNumbers(best);
    return isEvaluation(kept) ? { ...read, best: kept } : undefined;
  } catch {
    return undefined;
  }
}

const TRACED = ['step', 'loss', 'learningRate', 'gradientNorm', 'tokens', 'seconds'];

function isLog(value: unknown): value is TrainingLog {
  if (!isObject(value) || !Array.isArray(value.trace) || !Array.isArray(value.evaluations)) return false;
  return value.trace.every((entry) => hasNumbers(entry, TRACED)) && value.evaluations.every(isEvaluation);
}

const isEvaluation = (value: unknown): value is Evaluation => hasNumbers(value, ['step', 'loss']);

const hasNumbers = (value: unknown, names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => typeof value[name] === 'number');

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
