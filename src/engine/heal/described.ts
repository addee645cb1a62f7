/** What a step of healing says of its new weights, by which others can check them. */
import { formulaNumber } from '../random';
import type { NewWeight } from './corrections';
import type { HealStep } from './result';

/** Which of the fixed pseudo-random vectors. */
const CHECK = 7;

/** Of new weights, of biases behind them, and of the weight of the norm behind. */
export function describe(
  changed: readonly NewWeight[],
  [norm]: readonly NewWeight[] = [],
): Pick<HealStep, 'weight' | 'besideWeight' | 'normWeight'> {
  const [weight, beside] = changed.filter(({ key }) => !(typeof key === 'object' && key.name.endsWith('Bias')));
  return {
    ...(weight && { weight: checkOf(weight) }),
    ...(beside && { besideWeight: checkOf(beside) }),
    ...(norm && { normWeight: checkOf(norm) }),
  };
}

/** Norm of the new weight, and its dot product with a fixed pseudo-random vector, by which others can check it. */
function checkOf({ values }: NewWeight): NonNullable<HealStep['weight']> {
  let dot = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    dot += values[i] * formulaNumber(i, CHECK);
    squares += values[i] * values[i];
  }
  return { norm: Math.sqrt(squares), dot };
}
