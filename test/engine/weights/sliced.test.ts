/** A narrower model: its numbers, what its graphs compute, and what is refused. */
import assert from 'node:assert/strict';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { layerKeys, type WeightKey, weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { asStored, fullWidth, narrowCheckpoint, type Width } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { openModel } from '../../../src/engine/model/model';
import { fullView, stepsOf } from '../../../src/engine/model/view';
import { Graph } from '../../../src/engine/onnx/graph';
import { floats, int64, openSession } from '../../../src/engine/onnx/session';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { loadReference } from '../../reference/forward';
import { openToy } from '../../support/model';
import { randomRows } from '../../support/random';
import { checkForward, checkSweep } from '../../support/reference-checks';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';
import { masked, randomWidth } from '../../support/widths';

const MODELS: readonly TinyName[] = [
  'llama-plain',
  'llama-gqa-tied',
  'llama-bias',
  'llama3-rope',
  'mistral-window',
  'qwen2-mixed-windows',
  'qwen3-qknorm',
  'ragged-bias',
];

for (const name of MODELS) {
  for (const biases of [false, true]) {
    it(`${name} narrower${biases ? ', with the means of what is removed' : ''}: the reference of a mask`, async () => {
      const checkpoint = await openToy(tinyCheckpoint(name));
      const width = randomWidth(requireArchitecture(checkpoint), { seed: biases ? 5 : 3, biases });
      const model = await openModel(narrowCheckpoint(checkpoint, width), { device: 'cpu' });
      try {
        const reference = masked(loadReference(tinyCheckpoint(name)), width);
        const rows = randomRows(2, 9, model.architecture.vocabulary, 7);
        await checkForward(model, reference, rows);
        await checkSweep(model, reference, rows, stepsOf(fullView(model.architecture.layers.length), true));
      } finally {
        await model.close();
      }
    });
  }
}

/** The row and column numbers that a weight of a narrower model keeps, from the definition (width.ts). */
function keptOf(wide: WeightSource, { layers }: Width, key: WeightKey): readonly [number[], number[]] {
  const shape = wide.shape(key);
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  if (typeof key === 'string') return [all(shape[0]), all(shape[1] ?? 1)];
  const { heads, kvHeads, headDim } = plainShape(wide.architecture.layers[key.layer]);
  const { groups, neurons } = layers[key.layer];
  const channels = (size: number): number[] => all(shape[0]).filter((row) => groups.includes(Math.floor(row / size)));
  const query = (heads / kvHeads) * headDim;
  switch (key.name.replace('Bias', '')) {
    case 'q':
      return [channels(query), all(shape[1] ?? 1)];
    case 'k':
    case 'v':
      return [channels(headDim), all(shape[1] ?? 1)];
    case 'gate':
    case 'up':
      return [[...neurons], all(shape[1] ?? 1)];
    case 'o':
      return [
        all(shape[0]),
        key.name === 'oBias' ? [0] : all(shape[1]).filter((c) => groups.includes(Math.floor(c / query))),
      ];
    case 'down':
      return [all(shape[0]), key.name === 'downBias' ? [0] : [...neurons]];
    default:
      return [all(shape[0]), all(shape[1] ?? 1)];
  }
}

/** What a graph that binds a weight gives. */
async function bound(build: (g: Graph) => void, feeds = {}): Promise<Float32Array> {
  const g = new Graph();
  build(g);
  const session = await openSession(g.serialize(), { provider: 'cpu' });
  try {
    return Float32Array.from(floats((await session.run(feeds)).y));
  } finally {
    await session.close();
  }
}

for (const name of ['llama-bias', 'llama-gqa-tied', 'qwen3-qknorm'] as const) {
  it(`${name}: every weight as numbers and in a graph, whole and in part, bit for bit`, async () => {
    const checkpoint = await openToy(tinyCheckpoint(name));
    const width = randomWidth(requireArchitecture(checkpoint), { seed: 11 });
    await withWeights(checkpoint, (wide) =>
      withWeights(narrowCheckpoint(checkpoint, width), async (narrow) => {
        for (const key of weightKeys(narrow.architecture)) {
          const [rows, columns] = keptOf(wide, width, key);
          const all = await wide.read(key);
          const perRow = wide.shape(key)[1] ?? 1;
          const expected = (kept: readonly number[]): number[] =>
            kept.flatMap((row) => columns.map((column) => all[row * perRow + column]));
          const label = JSON.stringify(key);
          assert.deepEqual(narrow.shape(key), [rows.length, ...(wide.shape(key).length > 1 ? [columns.length] : [])]);
          assert.deepEqual([...(await narrow.read(key))], expected(rows), label);
          assert.deepEqual([...(await bound((g) => g.output('y', narrow.bind(g, key))))], expected(rows), label);
          const part = { start: 1, count: rows.length - 2 };
          const middle = expected(rows.slice(1, -1));
          assert.deepEqual([...(await narrow.read(key, part))], middle, label);
          assert.deepEqual([...(await bound((g) => g.output('y', narrow.bind(g, key, part))))], middle, label);
          const picked = await bound((g) => g.output('y', narrow.bind(g, key, g.input('rows', 'int64', [2]))), {
            rows: int64([rows.length - 1, 0], [2]),
          });
          assert.deepEqual([...picked], expected([rows[rows.length - 1], rows[0]]), label);
          const isCut = rows.length !== wide.shape(key)[0] || columns.length !== perRow;
          assert.equal(narrow.stored(key)?.name, isCut ? undefined : wide.stored(key)?.name, label);
        }
      }),
    );
  });
}

it('counts parameters of what is kept, and gives each width its own identity', async () => {
  const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
  const architecture = requireArchitecture(checkpoint);
  const whole = fullWidth(architecture);
  const full = narrowCheckpoint(checkpoint, whole);
  assert.equal(parametersOf(full.architecture!), parametersOf(architecture));
  const [first, ...rest] = whole.layers;
  const narrow = narrowCheckpoint(checkpoint, { layers: [{ groups: [1], neurons: first.neurons.slice(3) }, ...rest] });
  const { hidden, layers } = architecture;
  const { heads, kvHeads, headDim } = plainShape(layers[0]);
  const group = hidden * headDim * (2 * (heads / kvHeads) + 2);
  assert.equal(parametersOf(narrow.architecture!), parametersOf(architecture) - group - 9 * hidden);
  assert.deepEqual(layerKeys(narrow.architecture!, 0), layerKeys(architecture, 0));
  assert.equal(new Set([checkpoint.identity, full.identity, narrow.identity]).size, 3);
  assert.equal(asStored(narrow), checkpoint);
  assert.throws(() => narrowCheckpoint(narrow, whole), /narrowed already/);
});

it('refuses a width of another model', async () => {
  const checkpoint = await openToy(tinyCheckpoint('llama-gqa-tied'));
  const { layers } = fullWidth(requireArchitecture(checkpoint));
  const bad: readonly Width[] = [
    { layers: layers.slice(1) },
    { layers: [{ groups: [], neurons: [0] }, ...layers.slice(1)] },
    { layers: [{ groups: [0, 2], neurons: [0] }, ...layers.slice(1)] },
    { layers: [{ groups: [0], neurons: [1, 1] }, ...layers.slice(1)] },
    { layers: [{ groups: [0], neurons: [-1] }, ...layers.slice(1)] },
    { layers, biases: layers.slice(1).map(() => ({ o: new Float32Array(64), down: new Float32Array(64) })) },
    { layers, biases: layers.map(() => ({ o: new Float32Array(63), down: new Float32Array(64) })) },
  ];
  for (const width of bad) assert.throws(() => narrowCheckpoint(checkpoint, width), /a width of another model/);
});
