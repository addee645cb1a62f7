/** Times of a recipe's steps for one run: estimates before it, and what the steps that ran tell about this machine. */
import { dirname, resolve } from 'node:path';
import { learnStep, MachineSpeeds, stepEstimator } from './estimate';
import type { Around } from './estimate/models';
import type { RecipeRequest, StepEstimate } from './plan';
import type { Variables } from './recipe';
import { substitute } from './references';
import type { FinishedStep, RecipeEvent } from './types';

export class StepTimes {
  readonly estimate: StepEstimate;
  private readonly ran: FinishedStep[] = [];

  private constructor(
    private readonly around: Around,
    private readonly speeds: MachineSpeeds,
  ) {
    this.estimate = stepEstimator(around, speeds);
  }

  /** @param folder of the speeds; the user's cache folder without one */
  static async open(request: RecipeRequest, folder?: string): Promise<StepTimes> {
    return new StepTimes(aroundOf(request), await MachineSpeeds.open(folder));
  }

  /** Notes a step that ran. */
  hear(event: RecipeEvent): void {
    if (event.type === 'end' && event.end.state === 'done' && event.end.finished) this.ran.push(event.end.finished);
  }

  /** Learns from the steps that ran, and keeps it for the next time. */
  async learn(): Promise<void> {
    for (const finished of this.ran.splice(0)) await learnStep(this.around, this.speeds, finished);
    await this.speeds.save();
  }
}

function aroundOf({ recipe, model, set, quick }: RecipeRequest): Around {
  const variables: Variables = { ...recipe.variables, ...(quick && recipe.quick), ...set };
  if (model !== undefined) return { recipe, variables, model: resolve(model) };
  const named = substitute(recipe.model ?? '', (each) =>
    each.kind === 'variable' ? (variables[each.name] ?? '') : '',
  );
  const found = typeof named === 'string' && named !== '' ? resolve(dirname(recipe.file), named) : undefined;
  return { recipe, variables, ...(found !== undefined && { model: found }) };
}
