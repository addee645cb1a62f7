/** The recurrences of mixers in each form, against the equations token by token in float64. */
import assert from 'node:assert/strict';
import { Graph, type Value } from '../../../src/engine/onnx/graph';
import { gradients } from '../../../src/engine/onnx/gradient';
import {
  chunkedRecurrence,
  fusedRecurrence,
  recurrenceStep,
  type Recurred,
  type Recurrence,
} from '../../../src/engine/onnx/ops/recurrence';
import { float32, floats, openSession, type Tensor } from '../../../src/engine/onnx/session';
import { recur, type RecurrenceNumbers, type RecurrenceShape } from '../../reference/recurrence';
import { assertAllClose, assertClose } from '../../support/close';
import { directionalDerivative, directions, dot } from '../../support/differences';
import { normal, uniform } from '../../support/random';

type Form = (g: Graph, given: Recurrence) => Recurred;
type Name = keyof RecurrenceNumbers;
const FORMS: Readonly<Record<string, Form>> = { fused: fusedRecurrence, chunked: chunkedRecurrence };
const LENGTHS = [1, 63, 64, 65, 200];
const SHAPE = { rows: 2, keyHeads: 2, heads: 4, keyWidth: 8, valueWidth: 6 };
/** Results and states are of the order of 1; float32 sums over 200 tokens. */
const TOLERANCE = { absolute: 1e-5 };

const SIZES: Readonly<Record<Name, (s: RecurrenceShape) => number[]>> = {
  query: (s) => [s.rows, s.length, s.keyHeads, s.keyWidth],
  key: (s) => [s.rows, s.length, s.keyHeads, s.keyWidth],
  value: (s) => [s.rows, s.length, s.heads, s.valueWidth],
  decay: (s) => [s.rows, s.length, s.heads],
  beta: (s) => [s.rows, s.length, s.heads],
  state: (s) => [s.rows, s.heads, s.keyWidth, s.valueWidth],
};
const NAMED: Readonly<Record<string, string>> = { rows: 'rows', length: 'length' };

/** Unit keys and queries, decays from almost none to almost all, β in (0, 1). */
function numbers(shape: RecurrenceShape, names: readonly Name[], seed = 5): RecurrenceNumbers {
  const [next, share] = [normal(seed), uniform(seed)];
  const found: Partial<Record<Name, Float64Array>> = {};
  for (const name of names) {
    const size = SIZES[name](shape).reduce((a, b) => a * b);
    const draw = name === 'decay' ? () => -Math.exp(3 * next() - 3) : name === 'beta' ? share : next;
    const data = Float64Array.from({ length: size }, () => Math.fround(draw()));
    if (name === 'key' || name === 'query') {
      for (let at = 0; at < size; at += shape.keyWidth) {
        const part = data.subarray(at, at + shape.keyWidth);
        const norm = Math.sqrt(dot(part, part));
        for (let i = 0; i < part.length; i++) part[i] = Math.fround(part[i] / norm);
      }
    }
    found[name] = data;
  }
  return found as RecurrenceNumbers;
}

const DELTA: readonly Name[] = ['query', 'key', 'value', 'decay', 'beta'];
const SUM: readonly Name[] = ['query', 'key', 'value', 'decay'];
const RULES = { 'the gated delta rule': DELTA, 'the gated sum of Mamba-2': SUM };

/** Declares what is given, and feeds it. */
function declare(g: Graph, shape: RecurrenceShape, given: RecurrenceNumbers): [Recurrence, Record<string, Tensor>] {
  const feeds: Record<string, Tensor> = {};
  const values: Partial<Record<Name, Value>> = {};
  for (const [name, data] of Object.entries(given) as [Name, Float64Array][]) {
    const dims = SIZES[name](shape);
    feeds[name] = float32(Float32Array.from(data), dims);
    const named = name === 'state' ? ['rows'] : [NAMED.rows, NAMED.length];
    values[name] = g.input(name, 'float32', [...named, ...dims.slice(named.length)]);
  }
  return [values as unknown as Recurrence, feeds];
}

async function run(
  form: Form,
  shape: RecurrenceShape,
  given: RecurrenceNumbers,
): Promise<Record<string, Float32Array>> {
  const g = new Graph();
  const [values, feeds] = declare(g, shape, given);
  const { output, state } = form(g, values);
  g.output('output', output);
  g.output('after', state);
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    const results = await session.run(feeds);
    assert.deepEqual([...results.output.dims], SIZES.value(shape));
    assert.deepEqual([...results.after.dims], SIZES.state(shape));
    return { output: floats(results.output), state: floats(results.after) };
  } finally {
    await session.close();
  }
}

async function check(form: Form, shape: RecurrenceShape, given: RecurrenceNumbers): Promise<void> {
  const found = await run(form, shape, given);
  const expected = recur(shape, given);
  assertAllClose(found.output, expected.output, TOLERANCE, 'output');
  assertAllClose(found.state, expected.state, TOLERANCE, 'state');
}

describe('onnx/ops/recurrence', () => {
  for (const [rule, names] of Object.entries(RULES)) {
    for (const [name, form] of Object.entries(FORMS)) {
      it(`${rule}, ${name}: rows of ${LENGTHS.join(', ')} tokens`, async () => {
        for (const length of LENGTHS) {
          const shape = { ...SHAPE, length };
          await check(form, shape, numbers(shape, names));
        }
      });

      it(`${rule}, ${name}: from a state on`, async () => {
        const shape = { ...SHAPE, length: 70 };
        await check(form, shape, numbers(shape, [...names, 'state']));
      });

      it(`${rule}, ${name}: equal keys, nothing forgotten`, async () => {
        // β = 1: each token replaces what the one before wrote. Powers of the matrix of a chunk would grow to 1e17.
        const shape = { ...SHAPE, length: 130 };
        const given = numbers(shape, names);
        for (const at of given.key.keys()) given.key[at] = given.key[at % shape.keyWidth];
        given.decay.fill(0);
        given.beta?.fill(1);
        if (!given.beta) for (const at of given.value.keys()) given.value[at] /= 64; // sums of 130 stay of the order of 1
        await check(form, shape, given);
      });

      it(`${rule}, ${name}: everything forgotten at once`, async () => {
        const shape = { ...SHAPE, length: 70 };
        const given = numbers(shape, names);
        given.decay.fill(-1000);
        await check(form, shape, given);
      });
    }

    it(`${rule}, one token: with a state and without`, async () => {
      const shape = { ...SHAPE, length: 1 };
      await check(recurrenceStep, shape, numbers(shape, names));
      await check(recurrenceStep, shape, numbers(shape, [...names, 'state']));
    });

    it(`${rule}: gradients in chunks`, async () => {
      for (const length of [1, 5, 64, 150]) {
        const shape = { ...SHAPE, heads: 2, keyHeads: length === 5 ? 1 : 2, keyWidth: 4, valueWidth: 3, length };
        await checkGradients(shape, numbers(shape, [...names, 'state']));
      }
    });
  }
});

/** Relative, to the largest derivative along the directions of an input. */
const GRADIENT = 2e-4;

/** ∂(Σ seed ⊙ output + Σ seed ⊙ state) by every input, along some directions, against central differences in float64. */
async function checkGradients(shape: RecurrenceShape, given: RecurrenceNumbers): Promise<void> {
  const g = new Graph();
  const next = normal(11);
  const [values, feeds] = declare(g, shape, given);
  const { output, state } = chunkedRecurrence(g, values);
  const expected = recur(shape, given);
  const seedOf = (name: string, result: Value, numbers: Float64Array, dims: number[]): [Value, Float64Array] => {
    const seed = numbers.map(() => Math.fround(next()));
    feeds[name] = float32(Float32Array.from(seed), dims);
    return [g.input(name, 'float32', result.shape), seed];
  };
  const [outputSeed, seeds] = seedOf('outputSeed', output, expected.output, SIZES.value(shape));
  const [stateSeed, stateSeeds] = seedOf('stateSeed', state, expected.state, SIZES.state(shape));
  const names = Object.keys(given) as Name[];
  const found = gradients(
    g,
    new Map([
      [output, outputSeed],
      [state, stateSeed],
    ]),
    names.map((name) => values[name]!),
  );
  found.forEach((d, i) => g.output(`d${i}`, d));
  const loss = (): number => {
    const { output: o, state: s } = recur(shape, given);
    return dot(seeds, o) + dot(stateSeeds, s);
  };
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    const results = await session.run(feeds);
    for (const [i, name] of names.entries()) {
      const x = given[name]!;
      const d = floats(results[`d${i}`]);
      assert.deepEqual([...results[`d${i}`].dims], SIZES[name](shape));
      const along = directions(x.length, 12, next);
      const wanted = along.map((direction) => directionalDerivative(loss, x, direction));
      const largest = Math.max(...wanted.map(Math.abs));
      for (const [at, direction] of along.entries()) {
        assertClose(dot(d, direction), wanted[at], { absolute: GRADIENT * largest }, `${name}, ${shape.length} tokens`);
      }
    }
  } finally {
    await session.close();
  }
}
