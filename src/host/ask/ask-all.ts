/** Asks questions in steps, with a way back. Does not use VS Code, so that plain Node can test it. */

/** The user returns to the previous question. Thrown by a question, as a cancelled one throws `CancelledError`. */
export class WentBack extends Error {}

/** The answer to a question that another answer has led to; undefined where the user returns to that. */
export const unlessBack = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (error instanceof WentBack) return undefined;
    throw error;
  });

/** Position of a question in its sequence. */
export interface Place {
  readonly title: string;
  /** Starts at 1. */
  readonly step: number;
  /** Undefined while it depends on later answers. */
  readonly totalSteps?: number;
}

/** One question of a sequence, which adds its answer to the state. */
export interface Step<S> {
  (state: S, place: Place): Promise<Partial<S>>;
  /** Whether the question is asked, by the answers so far; undefined while they do not decide. Absent: always asked. */
  readonly comes?: (state: S) => boolean | undefined;
}

/** A conditional step; `comes` as in `Step`. Where it comes, a condition of the step's own decides too. */
export const when = <S>(comes: Required<Step<S>>['comes'], step: Step<S>): Step<S> =>
  Object.assign((state: S, place: Place) => step(state, place), {
    comes: (state: S) => (comes(state) === true && step.comes ? step.comes(state) : comes(state)),
  });

/** Asks all steps in order, with a way back. @returns the state with all answers */
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
    const place = { title, step, ...(totalSteps !== undefined && { totalSteps }) };
    const answer = await unlessBack(steps[at](current, place));
    if (answer === undefined) {
      // The first question has none before it and is asked again.
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

/** The number of steps with those that follow `step`; undefined if that is not decided. */
function totalOf<S>(step: number, state: S, after: readonly Step<S>[]): number | undefined {
  const coming = after.map(({ comes }) => (comes ? comes(state) : true));
  return coming.includes(undefined) ? undefined : step + coming.filter(Boolean).length;
}
