/**
 * The models that steps work on. A checkpoint that an earlier step has yet to write is taken to be the model without as
 * many blocks as the step leaves out. Reads headers only.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Architecture } from '../engine/checkpoint/architecture';
import { UserError } from '../engine/errors';
import { removedBy } from '../estimates/job';
import {
  blocksIn,
  type ModelFacts,
  type Models,
  modelsIn,
  openFacts,
  quarter,
  shortened,
  someBlocks,
} from '../estimates/models';
import { isObject, type JsonObject } from '../format/json';
import { numberIn } from '../jobs/amounts';
import { JOBS } from '../jobs/definitions';
import { stepOptions } from './options';
import type { Json, Recipe, RecipeStep, Variables } from './recipe';
import type { Reference } from './references';

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

export class StepModels implements Models {
  private readonly opened = new Map<string, Promise<ModelFacts | undefined>>();
  private readonly known = new Map<string, ModelFacts>();

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

  /** Opens the models that options name, which the other methods know then. Steps make no circle, so this ends. */
  async open(options: JsonObject): Promise<void> {
    for (const value of modelsIn(options)) {
      const step = this.writerOf(value);
      const from = step && this.options(step);
      if (from) await this.open(from);
      else if (typeof value === 'string' && value !== '') await this.openPath(value);
    }
  }

  private async openPath(path: string): Promise<void> {
    const opening = this.opened.get(path) ?? openFacts(path);
    this.opened.set(path, opening);
    const found = await opening;
    if (found) this.known.set(path, found);
  }

  /** The step that has yet to write what the value of an option names. */
  private writerOf(value: unknown): RecipeStep | undefined {
    if (isLater(value)) return this.stepNamed(value.later);
    if (typeof value !== 'string' || value === '' || existsSync(value)) return undefined;
    // The usual place of what a step writes: STEP/STEP, with the end of a file.
    const step = basename(dirname(value));
    return basename(value).startsWith(step) ? this.stepNamed(step) : undefined;
  }

  private stepNamed(name: string): RecipeStep | undefined {
    return this.around.recipe.steps.find((step) => step.name === name);
  }

  at(value: unknown): ModelFacts | undefined {
    const step = this.writerOf(value);
    if (!step) return typeof value === 'string' ? this.known.get(value) : undefined;
    const options = this.options(step);
    const from = options && this.at(options.checkpoint);
    return from && shortened(from, removedBy(step.job, options, from, this));
  }

  blocks(value: unknown, whole: Architecture): readonly number[] {
    const step = isLater(value) ? this.stepNamed(value.later) : undefined;
    const options = step && this.options(step);
    if (!step || !options) return blocksIn(value, whole);
    // Scores choose nothing by themselves; what is taken of them is a guess.
    if (JOBS[step.job].givesScores) return someBlocks(whole, numberIn(options, 'count') ?? quarter(whole));
    return removedBy(step.job, options, { architecture: whole }, this);
  }
}
