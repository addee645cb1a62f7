/** Sampling with a draft keeps the distribution of the target: many texts of a small random chain, beside their exact probabilities. */
import assert from 'node:assert/strict';
import { type Reader, Speculation } from '../../../src/engine/evaluate/speculation';
import { Random } from '../../../src/engine/random';
import { full } from '../../support/shared';

const SYMBOLS = 5;
const LENGTH = 4;
const TEXTS = 40_000;

/** Log-probabilities of what follows two symbols; `SYMBOLS` stands before a text. */
type Chain = readonly (readonly Float32Array[])[];

const softmax = (logits: readonly number[]): number[] => {
  const weights = logits.map(Math.exp);
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
};

/** A chain, and one that is near it. */
function chains(): [Chain, Chain] {
  const random = new Random(7);
  const noise = (scale: number): number =>
    scale * Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const states = Array.from({ length: SYMBOLS + 1 }, (_, i) => i);
  const rows = states.map(() => states.map(() => Array.from({ length: SYMBOLS }, () => noise(1.2))));
  const chainOf = (spread: number): Chain =>
    rows.map((some) =>
      some.map((row) => Float32Array.from(softmax(row.map((logit) => logit + noise(spread))), Math.log)),
    );
  return [chainOf(0), chainOf(0.8)];
}

/** Reads a text as a decoder does. The first token of a text stands for its beginning. */
function readerOf(chain: Chain): Reader {
  let text: number[] = [];
  const after = (end: number): Float32Array => chain[text[end - 2] ?? SYMBOLS][text[end - 1]];
  return {
    append: (ids) => {
      text.push(...ids);
      return Promise.resolve(after(text.length));
    },
    appendAll: (ids) => {
      const start = text.length;
      text.push(...ids);
      const all = new Float32Array(ids.length * SYMBOLS);
      ids.forEach((_, i) => all.set(after(start + i + 1), i * SYMBOLS));
      return Promise.resolve(all);
    },
    goBack: (tokens) => {
      text = text.slice(0, text.length - tokens);
    },
  };
}

async function textOf(target: Chain, draft: Chain, length: number, random: Random): Promise<number[]> {
  const pair = new Speculation(readerOf(target), readerOf(draft), { random }, length);
  const text = [await pair.begin([SYMBOLS])];
  while (text.length < LENGTH) text.push(...(await pair.round(LENGTH - text.length)));
  return text;
}

describe('evaluate/speculation: sampled', () => {
  const [target, draft] = chains();

  for (const length of [1, 2, 3]) {
    (full || length !== 2 ? it : it.skip)(
      `texts come as often as the target alone writes them, ${length} at once`,
      async () => {
        const random = new Random(length);
        const counts = new Map<string, number>();
        for (let i = 0; i < TEXTS; i++) {
          const text = (await textOf(target, draft, length, random)).join('');
          assert.equal(text.length, LENGTH);
          counts.set(text, (counts.get(text) ?? 0) + 1);
        }
        let square = 0;
        const cells = SYMBOLS ** LENGTH;
        for (let cell = 0; cell < cells; cell++) {
          const text = Array.from({ length: LENGTH }, (_, i) => Math.floor(cell / SYMBOLS ** i) % SYMBOLS);
          const chances = text.map((id, i) =>
            Math.exp(target[text[i - 2] ?? SYMBOLS][i === 0 ? SYMBOLS : text[i - 1]][id]),
          );
          const expected = TEXTS * chances.reduce((a, b) => a * b);
          square += ((counts.get(text.join('')) ?? 0) - expected) ** 2 / expected;
        }
        const freedom = cells - 1;
        const deviations = (square - freedom) / Math.sqrt(2 * freedom);
        assert.ok(
          Math.abs(deviations) < 3,
          `χ² ${square.toFixed(1)} of ${freedom} degrees: ${deviations.toFixed(2)} σ`,
        );
      },
    );
  }

  it('takes everything of a draft that is the target', async () => {
    const pair = new Speculation(readerOf(target), readerOf(target), { random: new Random(1) }, 4);
    await pair.begin([SYMBOLS]);
    for (let i = 0; i < 50; i++) assert.equal((await pair.round(100)).length, 5);
    assert.deepEqual(pair.counts, { rounds: 50, drafted: 200, accepted: 200 });
  });
});
