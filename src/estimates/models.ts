/** The models of a job, as far as estimates need them: from headers, or as a model that is yet to be written will be. */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { openCheckpoint } from '../engine/checkpoint/open';
import { layerParameters, parametersOf } from '../engine/checkpoint/parameters';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { endBlocks } from '../engine/importance/select';
import { isObject, type JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';

export interface ModelFacts {
  readonly architecture: Architecture;
  /** Of its files. */
  readonly bytes: number;
}

/** Knows the models that options name. */
export interface Models {
  /** The model that the value of an option names; undefined where it is not known. */
  at(value: unknown): ModelFacts | undefined;
  /** The blocks that the value of an option names. */
  blocks(value: unknown, whole: Architecture): readonly number[];
}

/** A file whose weights have less than 16 bits; files of 16 bits have a little more. @param bytes of a weight */
export const isQuantized = (bytes: number): boolean => bytes < 1.9;

/** Undefined for a checkpoint that Coppice cannot compute with. */
export const factsOf = ({
  architecture,
  shards,
}: Pick<Checkpoint, 'architecture' | 'shards'>): ModelFacts | undefined =>
  architecture && { architecture, bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0) };

/** Models by their paths. */
export const modelsAt = (known: (path: string) => ModelFacts | undefined): Models => ({
  at: (value) => (typeof value === 'string' ? known(value) : undefined),
  blocks: blocksIn,
});

/** A list of parts as far as they are blocks of the model. */
export const blocksIn = (value: unknown, { layers }: Pick<Architecture, 'layers'>): number[] =>
  Array.isArray(value) ? value.filter((item): item is number => typeof item === 'number' && item < layers.length) : [];

/** The values of options that name models. */
export function modelsIn({ checkpoint, checkpoints, columns, against, teacher, output }: JsonObject): unknown[] {
  const several = Array.isArray(checkpoints) ? (checkpoints as readonly unknown[]) : [];
  return [checkpoint, ...several, ...columnsIn(columns).map((each) => each.checkpoint), against, teacher, output];
}

export const columnsIn = (columns: unknown): JsonObject[] => (Array.isArray(columns) ? columns.filter(isObject) : []);

/** The models that options name, from the headers of their files. What cannot be read is not known. */
export async function openModels(options: JsonObject): Promise<Models> {
  const known = new Map<string, ModelFacts>();
  for (const path of new Set(modelsIn(options).filter((value) => typeof value === 'string'))) {
    const found = await openFacts(path);
    if (found) known.set(path, found);
  }
  return modelsAt((path) => known.get(path));
}

/** Undefined for what cannot be read: the job will say why. */
export async function openFacts(path: string): Promise<ModelFacts | undefined> {
  try {
    return factsOf(await openCheckpoint(path));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

/** A model in 16 bits that is yet to be written. */
export function shortened({ architecture }: Pick<ModelFacts, 'architecture'>, removed: readonly number[]): ModelFacts {
  const left = withoutLayers(architecture, removed);
  return { architecture: left, bytes: 2 * parametersOf(left) };
}

/** How many blocks a job is asked to remove; a quarter where a limit decides. */
export function countIn(options: JsonObject, whole: Architecture): number {
  const count = numberIn(options, 'count');
  if (count !== undefined) return Math.min(count, whole.layers.length - 1);
  const ratio = numberIn(options, 'ratio');
  const target = numberIn(options, 'targetParams');
  const all = parametersOf(whole);
  const spare = ratio !== undefined ? ratio * all : target !== undefined ? Math.max(0, all - target) : undefined;
  if (spare === undefined) return quarter(whole);
  const mean = layerParameters(whole).reduce((sum, each) => sum + each, 0) / whole.layers.length;
  return Math.min(Math.floor(spare / mean), whole.layers.length - 1);
}

export const quarter = ({ layers }: Pick<Architecture, 'layers'>): number => Math.max(1, Math.floor(layers.length / 4));

/** Blocks in place of those that are not chosen yet: spread evenly, so that healing begins neither early nor late. */
export function someBlocks({ layers }: Pick<Architecture, 'layers'>, count: number): number[] {
  const ends = endBlocks(layers.length);
  const inner = [...layers.keys()].filter((block) => !ends.includes(block));
  const free = count > inner.length ? [...layers.keys()] : inner;
  return Array.from(
    { length: Math.min(count, free.length) },
    (_, i) => free[Math.floor(((i + 0.5) * free.length) / count)],
  );
}
