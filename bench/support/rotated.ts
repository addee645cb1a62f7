/**
 * The same model in another basis of its residual stream. x becomes x R with an orthogonal R; RMSNorm without weights does
 * not see that. So the weights of norms go into the Linears behind them, Linears that read the stream become W diag(norm) R,
 * those that write it Rᵀ W, the embedding E R. The head becomes a matrix of its own.
 *
 * R is the same block on the diagonal throughout: a random sign for each number, then a Hadamard matrix of 64.
 */
import type { LinearName } from '../../src/engine/checkpoint/architecture';
import type { WeightKey } from '../../src/engine/checkpoint/weight-key';
import { biasesOf } from '../../src/engine/checkpoint/kinds/parts';
import { Random } from '../../src/engine/random';
import { Overlay } from '../../src/engine/weights/overlay';
import type { KeyedPatch } from '../../src/engine/weights/patches';
import type { WeightSource } from '../../src/engine/weights/source';

const SIDE = 64;

/** @throws Error for a width that is no multiple of 64, and for biases that write the stream */
export async function rotated(source: WeightSource): Promise<WeightSource> {
  const { architecture } = source;
  const { hidden, layers } = architecture;
  if (hidden % SIDE !== 0) throw new Error(`a width of ${hidden} is no multiple of ${SIDE}`);
  const random = new Random(7);
  const signs = Float32Array.from({ length: hidden }, () => (random.uniform() < 0.5 ? -1 : 1));
  const patches: KeyedPatch[] = [];
  const replace = (key: WeightKey, values: Float32Array): void => void patches.push([key, { kind: 'replace', values }]);
  const reading = async (key: WeightKey, norm?: Float32Array): Promise<void> => {
    const values = await source.read(key);
    if (norm) for (let i = 0; i < values.length; i++) values[i] *= norm[i % hidden];
    for (let at = 0; at < values.length; at += hidden) turn(values.subarray(at, at + hidden), signs);
    replace(key, values);
  };
  const writing = async (key: WeightKey): Promise<void> => {
    const values = await source.read(key);
    const width = values.length / hidden;
    const column = new Float32Array(hidden);
    for (let c = 0; c < width; c++) {
      for (let row = 0; row < hidden; row++) column[row] = values[row * width + c];
      turn(column, signs);
      for (let row = 0; row < hidden; row++) values[row * width + c] = column[row];
    }
    replace(key, values);
  };
  await reading('embed');
  for (const [layer, shape] of layers.entries()) {
    const biases = biasesOf(shape);
    if (biases.includes('o') || biases.includes('down')) throw new Error('a bias writes the stream');
    for (const [norm, linears] of [
      ['inputNorm', ['q', 'k', 'v']],
      ['postNorm', ['gate', 'up']],
    ] as const satisfies readonly (readonly [string, readonly LinearName[]])[]) {
      const weights = await source.read({ layer, name: norm });
      for (const name of linears) await reading({ layer, name }, weights);
      replace({ layer, name: norm }, new Float32Array(hidden).fill(1));
    }
    for (const name of ['o', 'down'] as const) await writing({ layer, name });
  }
  await reading('head', await source.read('finalNorm'));
  replace('finalNorm', new Float32Array(hidden).fill(1));
  return new Overlay(source, patches, { ...architecture, tied: false });
}

/** x R, in place. */
function turn(x: Float32Array, signs: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i] *= signs[i];
  for (let start = 0; start < x.length; start += SIDE) {
    for (let half = 1; half < SIDE; half *= 2) {
      for (let i = start; i < start + SIDE; i++) {
        if ((i - start) & half) continue;
        const [a, b] = [x[i], x[i + half]];
        x[i] = (a + b) * Math.SQRT1_2;
        x[i + half] = (a - b) * Math.SQRT1_2;
      }
    }
  }
}
