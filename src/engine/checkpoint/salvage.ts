/** The readable part of a damaged checkpoint and all its problems, for display only, never for computing. */
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors';
import { isUnsupported, readConfigArchitecture } from './config';
import { readConfigFile } from './config-file';
import type { Report } from '../formats/damage';
import { checkAgainstIndex, readShardIndex } from '../formats/safetensors/index-file';
import { locateCheckpoint, type Located } from './locate';
import { MAX_TENSORS } from '../formats/limits';
import { readShardHeader } from '../formats/safetensors/file';
import type { Shard } from '../formats/safetensors/file';
import type { TensorInfo } from '../formats/tensor';
import { hasTextPart, textPart } from './text-part';
import { verifyTensors } from './verify';

export interface Salvaged {
  readonly config?: Readonly<Record<string, unknown>>;
  /** The shards with a header that is readable, at least in part. */
  readonly shards: readonly Shard[];
  /** A name occurs twice if two shards have it. */
  readonly tensors: readonly TensorInfo[];
  /** The first problems; never empty. */
  readonly problems: readonly UserError[];
  /** Total number of problems. */
  readonly found: number;
}

/** A file of noise has as many problems as entries; more than these do not help the user. */
const KEPT_PROBLEMS = 100;

/** Reads a checkpoint that `openCheckpoint` refuses with `refusal`. Throws only on bugs. */
export async function salvageCheckpoint(path: string, refusal: UserError): Promise<Salvaged> {
  const problems: UserError[] = [];
  let found = 0;
  const report: Report = (problem) => {
    found++;
    if (problems.length < KEPT_PROBLEMS) problems.push(problem);
  };
  const attempt = async <T>(read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      report(error);
      return undefined;
    }
  };
  const shards: Shard[] = [];
  const tensors: TensorInfo[] = [];
  let config: Readonly<Record<string, unknown>> | undefined;
  const located = await attempt(() => locateCheckpoint(path));
  if (located) {
    const { index, names } = await shardNames(located, attempt);
    const shardOf = new Map<string, string>();
    for (const name of names) {
      const header = await attempt(() => readShardHeader(join(dirname(located.weights.path), name), name, report));
      if (!header || tensors.length + header.tensors.length > MAX_TENSORS) continue;
      shards.push(header.shard);
      for (const tensor of header.tensors) {
        tensors.push(tensor);
        shardOf.set(tensor.name, name);
      }
    }
    config = located.names.includes('config.json')
      ? (await attempt(() => readConfigFile(located.folder)))?.value
      : undefined;
    if (index && found === 0) await attempt(() => checkAgainstIndex(index, shardOf));
    const value = config;
    if (value && found === 0 && !located.isPart) await attempt(() => checkConfig(value, tensors));
  }
  if (problems.length === 0) report(refusal);
  return { ...(config && { config }), shards, tensors, problems, found };
}

type Attempt = <T>(read: () => T | Promise<T>) => Promise<T | undefined>;

async function shardNames({ weights }: Located, attempt: Attempt) {
  if (weights.kind === 'file') return { names: [basename(weights.path)] };
  const index = await attempt(() => readShardIndex(weights.path));
  return { index, names: index?.shards ?? [] };
}

function checkConfig(config: Readonly<Record<string, unknown>>, tensors: readonly TensorInfo[]): void {
  const architecture = readConfigArchitecture(config);
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (!isUnsupported(architecture))
    verifyTensors(architecture, hasTextPart(config) ? textPart(stored, config).tensors : stored);
}
