/**
 * The models that steps work on. A checkpoint that an earlier step has yet to write is taken to be the model without as
 * many blocks as the step leaves out. Reads headers only.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Architecture, withoutLayers } from '../../engine/checkpoint/architecture';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { layerParameters, parametersOf } from '../../engine/checkpoint/parameters';
import { UserError } from '../../engine/errors';
import { endBlocks } from '../../engine/importance/select';
import { isObject, type JsonObject } from '../../format/json';
import { stepOptions } from '../options';
import type { Json, Recipe, RecipeStep, Variables } from '../recipe';
import type { Reference } from '../references';
import { numberIn } from '../../jobs/amounts';

/** Where the recipe is run. */
export interface Around {
  readonly recipe: Recipe;
  /** Absolute path of the model. */
  readonly model?: string;
  /** The variables as they are set in this run. */
  readonly variables: Variables;
}

/** In place of a value that a step has yet to find. */
interface Later {
  readonly later: string;
  readonly fields: readonly string[];
}

const isLater = (value: unknown): value is Later & JsonObject => isObject(value) && typeof value.later === 'string';

/** The model of a step. */
export interface StepModel {
  readonly architecture: Architecture;
  /** Of its files; of one that is yet to be written, as many as its parameters take in 16 bits. */
  readonly bytes: number;
}

export class StepModels {
  private readonly opened = new Map<string, Promise<StepModel | undefined>>();

  constructor(private readonly around: Around) {}

  /** The options of a step as far as they are known; undefined if they cannot be used. */
  options(step: RecipeStep): JsonObject | undefined {
    const { recipe, model = '' } = this.around;
    const places = { model, folder: '', home: dirname(recipe.file) };
    try {
      return stepOptions(step, places, (reference) => this.valueOf(reference));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return undefined;
    }
  }

  private valueOf(reference: Reference): Json {
    const { model, variables } = this.around;
    if (reference.kind === 'step') return { later: reference.step, fields: reference.fields };
    return variables[reference.name] ?? (reference.name === 'model' ? (model ?? '') : '');
  }

  /** The model at a path, or the one that a step will have written. */
  async at(value: unknown): Promise<StepModel | undefined> {
    if (isLater(value)) return this.after(value.later);
    if (typeof value !== 'string' || value === '') return undefined;
    const known = this.opened.get(value) ?? this.open(value);
    this.opened.set(value, known);
    return known;
  }

  private async open(path: string): Promise<StepModel | undefined> {
    if (!(await stat(path).catch(() => undefined))) {
      // The usual place of what a step writes: STEP/STEP, with the end of a file.
      const step = basename(dirname(path));
      return this.stepNamed(step) && basename(path).startsWith(step) ? this.after(step) : undefined;
    }
    try {
      const { architecture, shards } = await openCheckpoint(path);
      return architecture && { architecture, bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return undefined;
    }
  }

  private stepNamed(name: string): RecipeStep | undefined {
    return this.around.recipe.steps.find((step) => step.name === name);
  }

  /** What a step will have written. Steps make no circle, so this ends. */
  private async after(name: string): Promise<StepModel | undefined> {
    const step = this.stepNamed(name);
    const options = step && this.options(step);
    const from = options && (await this.at(options.checkpoint));
    if (!step || !options || !from) return undefined;
    const removed = await this.removedBy(step, options, from.architecture);
    const architecture = withoutLayers(from.architecture, removed);
    return { architecture, bytes: BYTES_PER_PARAMETER * parametersOf(architecture) };
  }

  /** Blocks that a step leaves out of its model: those that it names, else as many as it is asked for. */
  async removedBy({ job }: Pick<RecipeStep, 'job'>, options: JsonObject, whole: Architecture): Promise<number[]> {
    const { remove, heal, adapter, blocks } = options;
    const named = await this.blocksOf(remove ?? blocks, whole);
    if (named.length > 0) return named;
    const onTop = [heal, adapter].find(isLater);
    if (onTop !== undefined) return this.blocksOf({ later: onTop.later, fields: ['removed'] }, whole);
    if (job === 'prune' || job === 'iterate') return someBlocks(whole, countIn(options, whole));
    return [];
  }

  private async blocksOf(value: unknown, whole: Architecture): Promise<number[]> {
    if (Array.isArray(value)) {
      return value.filter((item): item is number => typeof item === 'number' && item < whole.layers.length);
    }
    const step = isLater(value) ? this.stepNamed(value.later) : undefined;
    const options = step && this.options(step);
    if (!step || !options) return [];
    // Scores choose nothing by themselves; what is taken of them is a guess.
    if (step.job === 'score') return someBlocks(whole, numberIn(options, 'count') ?? quarter(whole));
    return this.removedBy(step, options, whole);
  }
}

const BYTES_PER_PARAMETER = 2;

const quarter = ({ layers }: Architecture): number => Math.floor(layers.length / 4);

/** How many blocks a step is asked to remove; a quarter where a limit decides. */
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
