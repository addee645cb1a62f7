/** Healing against reference numbers: every field of every step, and what is left. */
import assert from 'node:assert/strict';
import { assertAllClose, assertClose } from './close';
import type { GOLDEN_HEALINGS, GoldenHeal, GoldenHealStep, GoldenLikeness } from './golden';

/** How close two healings must be. The names are those of healing.md, §6. */
export interface HealTolerance {
  /** Losses and KL, absolute. */
  readonly loss: number;
  /** Trace, median, norm of the correction, factor: relative. */
  readonly sums: number;
  /** Squared errors, relative. */
  readonly errors: number;
  /** ‖XᵀR‖, relative. */
  readonly cross: number;
  /** Norm of the new weight, relative. */
  readonly norm: number;
  /** Its dot product, relative to its norm. */
  readonly dot: number;
  /** Losses and KL once weights are rounded to a file's type, where one half-way between two numbers may go the other way; `loss` if absent. */
  readonly rounded?: number;
  /** Errors on the rows that choose a ridge, absolute. */
  readonly held: number;
  /** Two ridges whose errors are as close as this may change places; so may the best one and no correction. */
  readonly tie: number;
}

/** float32 against float64 (toys), and against float32 with sums in float64 (SmolLM2). */
export const HEAL_TOLERANCE = {
  toys: { loss: 1e-5, sums: 1e-5, errors: 1e-5, cross: 1e-5, norm: 1e-5, dot: 1e-4, held: 1e-5, tie: 1e-4 },
  /** The scale of each token is float32 too, and the norm behind makes small errors of a small z large. */
  behindNorms: {
    loss: 1e-5,
    rounded: 1e-4,
    sums: 1e-5,
    errors: 1e-5,
    cross: 1e-5,
    norm: 1e-5,
    dot: 1e-4,
    held: 1e-5,
    tie: 1e-4,
  },
  smollm2: { loss: 3e-4, sums: 1e-4, errors: 2e-4, cross: 2e-3, norm: 1e-5, dot: 1e-3, held: 1e-2, tie: 1e-3 },
} as const satisfies Record<string, HealTolerance>;

/**
 * Compares all fields that the expected steps have.
 * @returns whether all steps were compared: after a near tie of two ridges that went the other way nothing is comparable
 */
export function checkHealSteps(
  actual: readonly GoldenHealStep[],
  expected: readonly GoldenHealStep[],
  tolerance: HealTolerance,
): boolean {
  assert.deepEqual(
    actual.map(nameOf),
    expected.map((step, i) => nameOf({ ...actual[i], ...step })),
    'the steps',
  );
  for (const [i, want] of expected.entries()) {
    const got = actual[i];
    const what = nameOf(got);
    const close = (field: keyof GoldenHealStep, limit: number): void => {
      if (want[field] === undefined) return;
      assertClose(got[field] as number, want[field] as number, { relative: limit }, `${what}, ${field}`);
    };
    if (want.removed) assert.deepEqual(new Set(got.removed), new Set(want.removed), `${what}, removed`);
    close('s', tolerance.sums);
    close('traceGram', tolerance.sums);
    close('medianGram', tolerance.sums);
    close('normCross', tolerance.cross);
    close('errorBefore', tolerance.errors);
    if (want.heldErrors) {
      assertAllClose(got.heldErrors!, want.heldErrors, { absolute: tolerance.held }, `${what}, heldErrors`);
      if (got.ridge !== want.ridge && isTie(want.heldErrors, tolerance.tie)) return false;
    }
    if (want.ridge !== undefined) assert.equal(got.ridge, want.ridge, `${what}, ridge`);
    close('normDelta', tolerance.sums);
    close('errorAfter', tolerance.errors);
    if (want.normWeight && want.normDelta !== 0) {
      const { norm, dot } = want.normWeight;
      assertClose(got.normWeight!.norm, norm, { relative: tolerance.norm }, `${what}, norm of the norm's weight`);
      assertClose(got.normWeight!.dot, dot, { absolute: tolerance.dot * norm }, `${what}, dot of the norm's weight`);
    }
    if (want.normDelta === 0) assert.equal(got.weight, undefined, `${what}, a new weight without a correction`);
    else if (want.weight) {
      const { norm, dot } = want.weight;
      assertClose(got.weight!.norm, norm, { relative: tolerance.norm }, `${what}, norm of the weight`);
      assertClose(got.weight!.dot, dot, { absolute: tolerance.dot * norm }, `${what}, dot of the weight`);
    }
  }
  return true;
}

/** The settings of one of the golden file's healings, for engine and reference. */
export function healSettings(
  { foldRidge, refitRidge, step, stepCut }: Pick<GoldenHeal, 'foldRidge' | 'refitRidge' | 'step' | 'stepCut'>,
  name: (typeof GOLDEN_HEALINGS)[number],
): { method: 'refit' | 'fold' | 'scalar'; ridge?: number | 'auto'; step: number; stepCut: number } {
  const ridge = { scalar: undefined, fold: foldRidge, refit: refitRidge, auto: 'auto' as const }[name];
  return { method: name === 'auto' ? 'refit' : name, ...(ridge !== undefined && { ridge }), step, stepCut };
}

/** Losses and KL. */
export function checkLikeness(
  actual: GoldenLikeness,
  expected: GoldenLikeness,
  tolerance: HealTolerance,
  what: string,
): void {
  assertClose(actual.meanNll, expected.meanNll, { absolute: tolerance.loss }, `${what}, loss`);
  assertClose(actual.kl, expected.kl, { absolute: tolerance.loss }, `${what}, KL`);
}

const nameOf = ({ block, tensor }: GoldenHealStep): string => `block ${block}, ${tensor}`;

/** Whether the two lowest errors, or the lowest and that of no correction, are nearly the same. */
function isTie(errors: readonly number[], within: number): boolean {
  const [first, second] = [...errors].sort((a, b) => a - b);
  return second - first < within || Math.abs(first - 1) < within;
}
