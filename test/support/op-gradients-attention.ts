/** The gradient rules of rotation and attention, as op-gradients.ts checks the others. */
import type { Graph } from '../../src/engine/onnx/graph';
import { plainAttention, rotate, type AttentionShape, type RotaryTable } from '../../src/engine/onnx/ops/attention';
import { float32, floats, type Tensor } from '../../src/engine/onnx/session';
import { dot } from './differences';
import { rowsOf, softmaxOf, type Check, type Vector } from './op-check';

/** Angles of three positions for heads of width 4, of which the first 2 · pairs entries turn. */
interface Turn {
  readonly pairs: number;
  /** Factor of cosines and sines. */
  readonly factor: number;
}

const WHOLE: Turn = { pairs: 2, factor: 1 };
const TURNS = {
  rotation: WHOLE,
  'rotation with a factor on cosines and sines': { pairs: 2, factor: 1.3 },
  'rotation of the first half of a head': { pairs: 1, factor: 0.8 },
};

const SHAPE: AttentionShape = { heads: 4, kvHeads: 2, headDim: 4, window: 2 };
const ATTENTIONS = {
  'grouped-query attention from plain products, masked': { shape: SHAPE, turn: WHOLE },
  'the same with a factor and a soft bound of scores': {
    shape: { ...SHAPE, scoreScale: 0.9, scoreCap: 0.7 },
    turn: TURNS['rotation of the first half of a head'],
  },
};

/** Registers their tests. */
export function testAttentionGradients(check: Check): void {
  for (const [name, turn] of Object.entries(TURNS)) {
    it(name, async () => {
      const shapes = [['rows', 2, 'length', 4]];
      const feeds = tablesOf(turn);
      await check(shapes, (g, [x]) => rotate(g, x, g.ints(0), tables(g, turn)), rotation(turn), { feeds });
    });
  }

  it('rotation of heads that lie side by side, whole and in part', async () => {
    for (const turn of Object.values(TURNS)) {
      await check(
        [['rows', 'length', 8]],
        (g, [x]) => rotate(g, x, g.ints(0), tables(g, turn)),
        (x) => fromHeads(byHead(x, 2).map(rotation(turn)), 2),
        { feeds: tablesOf(turn) },
      );
    }
  });

  for (const [name, { shape, turn }] of Object.entries(ATTENTIONS)) {
    for (const trained of [true, false]) {
      it(`${name}${trained ? ', as training has it' : ''}`, () => checkAttention(check, shape, turn, trained));
    }
  }
}

async function checkAttention(check: Check, shape: AttentionShape, turn: Turn, trained: boolean): Promise<void> {
  const mask = Float32Array.from({ length: 9 }, (_, at) => (hidden(Math.floor(at / 3), at % 3) ? -1e30 : 0));
  await check(
    [
      ['tokens', 16],
      ['tokens', 8],
      ['tokens', 8],
    ],
    (g, [q, k, v]) =>
      plainAttention(g, [q, k, v], shape, tables(g, turn), {
        mask: g.input('mask', 'float32', ['length', 'length']),
        trained,
      }),
    (q, k, v) => {
      const queries = byHead(q, 4).map(rotation(turn));
      const keys = byHead(k, 2).map(rotation(turn));
      const values = byHead(v, 2);
      const mixed = queries.map((query, n) => {
        const shared = 2 * Math.floor(n / 4) + Math.floor((n % 4) / 2); // of the same row, two query heads each
        return attended(query, keys[shared], values[shared], shape);
      });
      return fromHeads(mixed, 4);
    },
    { feeds: { ...tablesOf(turn), mask: float32(mask, [3, 3]) } },
  );
}

/** Causal, a window of 2. */
const hidden = (i: number, j: number): boolean => j > i || j <= i - 2;

/** One head's attention: (length, 4) each. */
function attended(query: Vector, keys: Vector, values: Vector, { scoreScale, scoreCap }: AttentionShape): Vector {
  const rows = [0, 1, 2].map((i) => {
    const scores = [0, 1, 2].map((j) => {
      const score = dot(rowsOf(query, 4)[i], rowsOf(keys, 4)[j]) * (scoreScale ?? 1 / 2);
      return hidden(i, j) ? -Infinity : scoreCap ? scoreCap * Math.tanh(score / scoreCap) : score;
    });
    const weights = softmaxOf(Float64Array.from(scores));
    return [0, 1, 2, 3].map((d) => [0, 1, 2].reduce((sum, j) => sum + weights[j] * values[4 * j + d], 0));
  });
  return Float64Array.from(rows.flat());
}

/** (rows · length, heads · 4) → (rows, heads, length, 4), a matrix (length, 4) for each head. */
const byHead = (x: Vector, heads: number): Vector[] =>
  Array.from({ length: 2 * heads }, (_, n) => {
    const [r, h] = [Math.floor(n / heads), n % heads];
    return Float64Array.from([0, 1, 2].flatMap((t) => [...rowsOf(x, 4)[(r * 3 + t) * heads + h]]));
  });

/** The other way. */
const fromHeads = (matrices: readonly Vector[], heads: number): number[] =>
  [0, 1].flatMap((r) =>
    [0, 1, 2].flatMap((t) =>
      Array.from({ length: heads }, (_, h) => [...rowsOf(matrices[heads * r + h], 4)[t]]).flat(),
    ),
  );

function tablesOf({ pairs, factor }: Turn): { cos: Tensor; sin: Tensor } {
  const angles = Float32Array.from({ length: 3 * pairs }, (_, i) => 0.7 * i);
  const table = (f: (x: number) => number): Tensor =>
    float32(
      angles.map((angle) => factor * f(angle)),
      [3, pairs],
    );
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

function tables(g: Graph, { pairs }: Turn): RotaryTable {
  const shape = ['length', pairs];
  return { cos: g.input('cos', 'float32', shape), sin: g.input('sin', 'float32', shape), headDim: 4 };
}

/** Rotates the pairs (i, i + pairs) of heads of width 4 whose positions are 0, 1, 2, 0, 1, 2, … */
function rotation(turn: Turn): (x: Vector) => Vector {
  const { pairs } = turn;
  const { cos, sin } = tablesOf(turn);
  return (x) => {
    const heads = rowsOf(x, 4).flatMap((v, p) => {
      const turned = [...v];
      for (let i = 0; i < pairs; i++) {
        const at = pairs * (p % 3) + i;
        const [c, s] = [floats(cos)[at], floats(sin)[at]];
        turned[i] = v[i] * c - v[i + pairs] * s;
        turned[i + pairs] = v[i + pairs] * c + v[i] * s;
      }
      return turned;
    });
    return Float64Array.from(heads);
  };
}
