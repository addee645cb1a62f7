/** Overlays: patched weights as numbers against float64, and as graphs. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { weightKeys, type WeightKey } from '../../../src/engine/checkpoint/weight-key';
import { Graph } from '../../../src/engine/onnx/graph';
import { floats, int64, openSession } from '../../../src/engine/onnx/session';
import { Overlay } from '../../../src/engine/weights/overlay';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { type LowRank, readWide, type WeightSource } from '../../../src/engine/weights/source';
import { assertAllClose } from '../../support/close';
import { normal } from '../../support/random';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const Q: WeightKey = { layer: 1, name: 'q' };
const DOWN: WeightKey = { layer: 2, name: 'down' };
const NORM: WeightKey = { layer: 0, name: 'inputNorm' };

const randomValues = (count: number, seed = 1): Float32Array => {
  const next = normal(seed);
  return Float32Array.from({ length: count }, next);
};

const product = (out: number, width: number, rank = 3, factor = 2 / 3): LowRank => ({
  rank,
  a: randomValues(rank * width, 2),
  b: randomValues(out * rank, 3),
  factor,
});

const withTiny = async <T>(name: TinyName, use: (weights: WeightSource) => Promise<T>): Promise<T> =>
  withWeights(await openCheckpoint(tinyCheckpoint(name)), use);

/** W + factor · B A in float64, one number after the other. */
function sumOf(w: ArrayLike<number>, { a, b, rank, factor }: LowRank, width: number): Float64Array {
  return Float64Array.from(w, (value, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let sum = value;
    for (let r = 0; r < rank; r++) sum += factor * b[row * rank + r] * a[r * width + column];
    return sum;
  });
}

/** What a graph that binds weights computes. */
async function bound(build: (g: Graph) => void, feeds = {}): Promise<Record<string, Float32Array>> {
  const g = new Graph();
  build(g);
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, Float32Array.from(floats(value))]));
  } finally {
    await session.close();
  }
}

for (const name of ['llama-plain', 'llama-gqa-tied', 'llama3-rope'] as const) {
  describe(`overlay over ${name}`, () => {
    it('adds a product of low rank, in float64 and rounded once', () =>
      withTiny(name, async (source) => {
        const added = product(64, 96);
        const overlay = new Overlay(source, [[DOWN, { kind: 'add', product: added }]]);
        const expected = sumOf(await source.read(DOWN), added, 96);
        assert.deepEqual(await overlay.readWide(DOWN), expected);
        assert.deepEqual(await overlay.read(DOWN), Float32Array.from(expected));
        const rows = { start: 5, count: 7 };
        assert.deepEqual(await overlay.read(DOWN, rows), Float32Array.from(expected.slice(5 * 96, 12 * 96)));
        assert.equal(overlay.stored(DOWN), undefined);
        assert.deepEqual(overlay.lowRank(DOWN), { base: source, product: added });
      }));

    it('replaces a weight', () =>
      withTiny(name, async (source) => {
        const values = randomValues(64);
        const overlay = new Overlay(source, [[NORM, { kind: 'replace', values }]]);
        const read = await overlay.read(NORM);
        assert.deepEqual(read, values);
        read.fill(0); // the array belongs to the caller
        assert.deepEqual(await overlay.read(NORM, { start: 60, count: 4 }), values.slice(60));
        assert.deepEqual(await overlay.readWide(NORM), Float64Array.from(values));
        assert.equal(overlay.stored(NORM), undefined);
        assert.equal(overlay.lowRank(NORM), undefined);
      }));

    it('leaves all others as they are', () =>
      withTiny(name, async (source) => {
        const overlay = new Overlay(source, [[Q, { kind: 'add', product: product(64, 64) }]]);
        for (const key of weightKeys(source.architecture)) {
          if (JSON.stringify(key) === JSON.stringify(Q)) continue;
          assert.equal(overlay.stored(key), source.stored(key));
          assert.equal(overlay.lowRank(key), undefined);
          assert.deepEqual(await overlay.read(key), await source.read(key));
        }
        assert.deepEqual(await readWide(source, Q), Float64Array.from(await source.read(Q)));
      }));

    it('brings both kinds into a graph: whole, a stretch of rows, rows by number', () =>
      withTiny(name, async (source) => {
        const embed = randomValues(288 * 64, 7);
        const patches: KeyedPatch[] = [
          [Q, { kind: 'add', product: product(64, 64) }],
          ['embed', { kind: 'replace', values: embed }],
        ];
        const overlay = new Overlay(source, patches);
        const found = await bound(
          (g) => {
            const ids = g.input('ids', 'int64', ['n']);
            for (const key of [Q, 'embed', DOWN] as const) {
              const text = JSON.stringify(key);
              g.output(`${text} whole`, overlay.bind(g, key));
              g.output(`${text} rows`, overlay.bind(g, key, { start: 8, count: 4 }));
              g.output(`${text} ids`, overlay.bind(g, key, ids));
            }
          },
          { ids: int64([9, 2, 9], [3]) },
        );
        for (const key of [Q, 'embed', DOWN] as const) {
          const text = JSON.stringify(key);
          const whole = await overlay.read(key);
          const width = key === DOWN ? 96 : 64;
          const row = (i: number): number[] => [...whole.subarray(i * width, (i + 1) * width)];
          const near = { absolute: 1e-6 };
          assertAllClose(found[`${text} whole`], whole, near, `${text} whole`);
          assertAllClose(found[`${text} rows`], [8, 9, 10, 11].flatMap(row), near, `${text} rows`);
          assertAllClose(found[`${text} ids`], [9, 2, 9].flatMap(row), near, `${text} ids`);
        }
      }));
  });
}

describe('overlays', () => {
  it('lie on each other', () =>
    withTiny('llama-plain', async (source) => {
      const [first, second] = [product(64, 64, 2, 1), product(64, 64, 3, -0.5)];
      const below = new Overlay(source, [[Q, { kind: 'add', product: first }]]);
      const above = new Overlay(below, [[Q, { kind: 'add', product: second }]]);
      const expected = sumOf(sumOf(await source.read(Q), first, 64), second, 64);
      assert.deepEqual(await above.readWide(Q), expected);
      assert.equal(above.lowRank(Q)?.base, below);
      assert.equal(above.bytesInGraph, below.bytesInGraph + 4 * 3 * 128);
      assert.equal(below.bytesInGraph, 4 * 2 * 128);
      const found = await bound((g) => g.output('w', above.bind(g, Q)));
      assertAllClose(found.w, expected, { absolute: 1e-6 }, 'w');
    }));

  it('change the head of a tied model with its embedding', () =>
    withTiny('llama-gqa-tied', async (source) => {
      const values = randomValues(288 * 64);
      const overlay = new Overlay(source, [['embed', { kind: 'replace', values }]]);
      assert.deepEqual(await overlay.read('head'), values);
      assert.equal(overlay.stored('head'), undefined);
      assert.throws(
        () =>
          new Overlay(source, [
            ['embed', { kind: 'replace', values }],
            ['head', { kind: 'replace', values }],
          ]),
        /two patches of embed/,
      );
    }));

  it('can give a weight another shape', () =>
    withTiny('llama-plain', async (source) => {
      const values = randomValues(64 * 48);
      const overlay = new Overlay(source, [[DOWN, { kind: 'replace', values, shape: [64, 48] }]]);
      assert.deepEqual(overlay.shape(DOWN), [64, 48]);
      assert.deepEqual(await overlay.read(DOWN, { start: 1, count: 1 }), values.slice(48, 96));
      const found = await bound((g) => g.output('w', overlay.bind(g, DOWN, { start: 1, count: 2 })));
      assert.deepEqual(found.w, values.slice(48, 144));
    }));

  it('refuse patches of another size, and rows beyond a weight', () =>
    withTiny('llama-plain', async (source) => {
      const overlay = (patch: KeyedPatch[1]) => new Overlay(source, [[DOWN, patch]]);
      const { a, b, ...others } = product(64, 96);
      const short = (values: Float32Array) => values.subarray(1);
      for (const patch of [
        { kind: 'replace', values: randomValues(64 * 96 - 1) },
        { kind: 'replace', values: randomValues(64 * 96), shape: [64, 48] },
        { kind: 'add', product: { ...others, a: short(a), b } },
        { kind: 'add', product: { ...others, a, b: short(b) } },
      ] as const)
        assert.throws(() => overlay(patch), /a patch of 2\.down has/);
      const replaced = overlay({ kind: 'replace', values: randomValues(64 * 96) });
      const added = overlay({ kind: 'add', product: { ...others, a, b } });
      for (const rows of [
        { start: 60, count: 5 },
        { start: -1, count: 2 },
      ]) {
        for (const weights of [source, replaced, added]) {
          await assert.rejects(weights.read(DOWN, rows), /no rows/);
          assert.throws(() => weights.bind(new Graph(), DOWN, rows), /no rows/);
        }
      }
    }));

  it('have an identity of their own, which every number changes', () =>
    withTiny('llama-plain', (source) => {
      const overlay = (values: Float32Array, key = NORM): string =>
        new Overlay(source, [[key, { kind: 'replace', values }]]).identity;
      const values = randomValues(64);
      assert.equal(overlay(values), overlay(values.slice()));
      assert.notEqual(overlay(values), source.identity);
      assert.notEqual(overlay(values), overlay(values.map((value, i) => (i === 63 ? value + 1 : value))));
      assert.notEqual(overlay(values), overlay(values, { layer: 1, name: 'inputNorm' }));
      return Promise.resolve();
    }));
});
