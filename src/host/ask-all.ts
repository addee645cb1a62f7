/** The order of questions in steps, back and forth. Knows nothing of VS Code, so that plain Node can test it. */

/** The answer that means the step before. */
export const BACK = Symbol('back');
export type Back = typeof BACK;

/** Where in a sequence a question stands. */
export interface Place {
  readonly title: string;
  /** From 1. */
  readonly step: number;
  /** Undefined while it depends on answers that are still to come. */
  readonly totalSteps?: number;
}

/** One question of a sequence: it puts its answer into the state. */
export interface Step<S> {
  (state: S, place: Place): Promise<Partial<S> | Back>;
  /** Whether it has something to ask, by the answers so far; undefined while they do not tell. Always when absent. */
  readonly comes?: (state: S) => boolean | undefined;
}

/** A step that comes under a condition; `comes` as in `Step`. */
export const when = <S>(comes: Required<Step<S>>['comes'], step: Step<S>): Step<S> =>
  Object.assign((state: S, place: Place) => step(state, place), { comes });

/** Asks all steps in order, back and forth. @returns the state with every answer */
export async function askAll<S>(title: string, state: S, steps: readonly Step<S>[]): Promise<S> {
  const states = [state];
  const asked: number[] = [];
  for (let at = 0; at < steps.length;) {
    const current = states[states.length - 1];
    if (steps[at].comes?.(current) === false) {
      at++;
      continue;
    }
    const step = asked.length + 1;
    const totalSteps = totalOf(step, current, steps.slice(at + 1));
    const answer = await steps[at](current, { title, step, ...(totalSteps !== undefined && { totalSteps }) });
    if (answer === BACK) {
      // Before the first question there is none: it is asked again.
      const before = asked.pop();
      if (before === undefined) continue;
      at = before;
      states.pop();
      continue;
    }
    asked.push(at);
    states.push({ ...current, ...answer });
    at++;
  }
  return states[states.length - 1];
}

/** Up to the question `step`, and those after it that will come; undefined where one of them may. */
function totalOf<S>(step: number, state: S, after: readonly Step<S>[]): number | undefined {
  const coming = after.map(({ comes }) => (comes ? comes(state) : true));
  return coming.includes(undefined) ? undefined : step + coming.filter(Boolean).length;
}
