/** What another program trained: an adapter in PEFT's format, or whole weights as safetensors. Pickles are never read. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Adapter, adapterPatches } from '../engine/adapter/adapter';
import { readAdapter } from '../engine/adapter/files';
import type { Architecture } from '../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { weightKeys, weightOf } from '../engine/checkpoint/weight-key';
import { UserError } from '../engine/errors';
import { ADAPTER_CONFIG } from '../engine/formats/peft';
import { trainedPatches } from '../engine/retrain/full/write-trained';
import type { Parameter } from '../engine/retrain/loop/adamw';
import { withWeights } from '../engine/weights/checkpoint';
import type { KeyedPatch } from '../engine/weights/patches';
import { isObject } from '../format/json';
import { readTextFile } from '../engine/files/text-file';

export interface Trained {
  readonly adapter?: Adapter;
  /** Every weight, by its name in the checkpoint; empty for an adapter. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** As changes of the weights of the checkpoint that was handed over. */
  readonly patches: readonly KeyedPatch[];
  /** Numbers that were trained. */
  readonly count: number;
}

/**
 * @param folder of the result @param checkpoint that was handed over
 * @throws UserError when there is none, or it does not fit: another shape, type or architecture, or a number that is not finite
 */
export async function readTrained(folder: string, checkpoint: Checkpoint): Promise<Trained> {
  const names = await readdir(folder).catch((): undefined => undefined);
  if (names === undefined || names.length === 0) {
    throw new UserError(
      `${folder} has no result`,
      names ? 'the folder is empty' : 'the folder is not there',
      'Train first (README.md says how), and copy the result to this place.',
    );
  }
  if (names.includes(ADAPTER_CONFIG)) {
    const adapter = await readAdapter(folder, checkpoint);
    const values = [...adapter.matrices.values()].flatMap((named) => Object.values(named));
    const count = values.reduce((sum, { length }) => sum + length, 0);
    return { adapter, parameters: new Map(), patches: adapterPatches(adapter), count };
  }
  const trained = await openCheckpoint(folder);
  const architecture = requireArchitecture(checkpoint);
  requireSame(folder, requireArchitecture(trained), architecture);
  const parameters = await wholeWeights(folder, trained, architecture);
  const count = [...parameters.values()].reduce((sum, { values }) => sum + values.length, 0);
  return { parameters, patches: [...trainedPatches(architecture, [], parameters)], count };
}

async function wholeWeights(
  folder: string,
  trained: Checkpoint,
  architecture: Architecture,
): Promise<Map<string, Parameter>> {
  return withWeights(trained, async (weights) => {
    const parameters = new Map<string, Parameter>();
    for (const key of weightKeys(architecture)) {
      const { name } = weightOf(architecture, key)!;
      if (parameters.has(name)) continue; // the head is the embedding
      const values = await weights.read(key);
      if (!values.every(Number.isFinite)) {
        throw new UserError(
          `${join(folder, name)} cannot be taken`,
          'the weight holds infinities or NaN',
          'Its training diverged: train again with a lower learning rate, or use an earlier state.',
        );
      }
      const shape = [...weights.shape(key)];
      parameters.set(name, { values, shape, decays: shape.length > 1 });
    }
    return parameters;
  });
}

/** @throws UserError naming the first field of the config that differs */
function requireSame(folder: string, found: Architecture, expected: Architecture): void {
  const fields = Object.keys({ ...found, ...expected }) as (keyof Architecture)[];
  const differing = fields.find((name) => !isDeepStrictEqual(found[name], expected[name]));
  if (differing === undefined) return;
  const shown = ({ [differing]: value }: Architecture): string =>
    typeof value === 'number' ? String(value) : Array.isArray(value) ? `${value.length} of them` : 'another';
  throw new UserError(
    `${join(folder, 'config.json')} is not that of the model that was handed over`,
    `${differing}: ${shown(found)} here, ${shown(expected)} there`,
    'Copy the result of this hand-over into the folder.',
  );
}

/** What the program said of its training; everything may be missing. */
export interface TrainingLog {
  readonly steps: readonly {
    readonly step: number;
    readonly loss: number;
    readonly lr: number;
    readonly gradNorm: number;
  }[];
  readonly kept?: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly device: string;
  readonly processes?: number;
  readonly versions: Readonly<Record<string, string>>;
}

const LOG = 'log.json';
const MAX_LOG_BYTES = 64 * 2 ** 20;

/** Reads `log.json`; what is not of its kind is left out. */
export async function readLog(folder: string): Promise<TrainingLog | undefined> {
  let value: unknown;
  try {
    value = JSON.parse((await readTextFile(join(folder, LOG), MAX_LOG_BYTES, 'It has a line for each step.')).text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const real = (each: unknown): number => (typeof each === 'number' && Number.isFinite(each) ? each : 0);
  const { steps, kept, seconds, tokens_per_second: speed, device, processes, versions } = value;
  return {
    steps: (Array.isArray(steps) ? steps : []).filter(isObject).map((each) => ({
      step: Math.floor(real(each.step)),
      loss: real(each.loss),
      lr: real(each.learning_rate),
      gradNorm: real(each.grad_norm),
    })),
    ...(typeof kept === 'number' && Number.isSafeInteger(kept) && { kept }),
    seconds: real(seconds),
    tokensPerSecond: real(speed),
    device: typeof device === 'string' ? device.slice(0, 40) : 'unknown',
    ...(typeof processes === 'number' && Number.isSafeInteger(processes) && { processes }),
    versions: isObject(versions)
      ? Object.fromEntries(
          Object.entries(versions).filter((each): each is [string, string] => typeof each[1] === 'string'),
        )
      : {},
  };
}
