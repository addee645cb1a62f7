/** The order of questions in steps, back and forth. Knows nothing of VS Code, so that plain Node can test it. */

/** The answer that means the step before. */
export const BACK = Symbol('back');
export type Back = typeof BACK;

/** Where in a sequence a question stands. */
export interface Place {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  readonly totalSteps: number;
}

/** One question of a sequence: it puts its answer into the state. Undefined: there is nothing to ask. */
export type Step<S> = (state: S, place: Place) => Promise<Partial<S> | Back> | undefined;

/** Asks all steps in order, back and forth. @returns the state with every answer */
export async function askAll<S>(title: string, state: S, steps: readonly Step<S>[]): Promise<S> {
  const states = [state];
  const asked: number[] = [];
  for (let at = 0; at < steps.length;) {
    const current = states[states.length - 1];
    const answer = await steps[at](current, {
      title,
      step: asked.length + 1,
      totalSteps: asked.length + steps.length - at,
    });
    if (answer === BACK) {
      // Before the first question there is none: it is asked again.
      const before = asked.pop();
      if (before === undefined) continue;
      at = before;
      states.pop();
      continue;
    }
    if (answer !== undefined) {
      asked.push(at);
      states.push({ ...current, ...answer });
    }
    at++;
  }
  return states[states.length - 1];
}
