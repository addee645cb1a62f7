/** An adapter as an overlay: what a forward graph makes of it, to the last bit. */
import assert from 'node:assert/strict';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { LinearName } from '../../../src/engine/checkpoint/architecture';
import { blockBinder, sourceBinding } from '../../../src/engine/model/binding';
import { projectLayer } from '../../../src/engine/model/project';
import { Graph, type Value } from '../../../src/engine/onnx/graph';
import { linear } from '../../../src/engine/onnx/ops/linear';
import { split } from '../../../src/engine/onnx/ops/shapes';
import { float32, floats, openSession } from '../../../src/engine/onnx/session';
import { Overlay } from '../../../src/engine/weights/overlay';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { randomAdapter } from '../../support/adapters';
import { normal } from '../../support/random';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const TOKENS = 9;
const LAYER = 2;
const INPUTS: readonly (readonly LinearName[])[] = [['q', 'k', 'v'], ['o'], ['gate', 'up'], ['down']];

/** Results of every group of Linears that share an input, as `project` applies them. */
async function run(
  source: WeightSource,
  build: (g: Graph) => (x: Value, linears: readonly LinearName[]) => Value[],
): Promise<Map<string, Float32Array>> {
  const g = new Graph();
  const project = build(g);
  const next = normal(11);
  const feeds: Record<string, ReturnType<typeof float32>> = {};
  for (const linears of INPUTS) {
    const width = source.shape({ layer: LAYER, name: linears[0] })[1];
    const name = `x ${linears.join('')}`;
    const x = g.input(name, 'float32', ['tokens', width]);
    project(x, linears).forEach((y, i) => g.output(linears[i], y));
    feeds[name] = float32(Float32Array.from({ length: TOKENS * width }, next), [TOKENS, width]);
  }
  const session = await openSession(g.serialize(), { provider: 'cpu', prepack: true });
  try {
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, y]) => [name, Float32Array.from(floats(y))]));
  } finally {
    await session.close();
  }
}

const cases: [TinyName, readonly LinearName[]][] = [
  ['llama-bias', ['q', 'v', 'o', 'down']],
  ['llama-gqa-tied', ['q', 'k', 'v', 'o', 'gate', 'up', 'down']],
  ['llama3-rope', ['up']],
];

describe('an adapter as an overlay', () => {
  for (const [name, targets] of cases) {
    it(`${name}: y = W x + (α/r) B (A x), Linears of one input sharing a product`, async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint(name));
      const adapter = randomAdapter(requireArchitecture(checkpoint), { targets, rank: 3, alpha: 5 });
      const matrices = adapter.matrices.get(LAYER)!;
      const factor = 5 / 3;
      await withWeights(checkpoint, async (source) => {
        const overlay = new Overlay(source, adapterPatches(adapter));
        const weight = (g: Graph) => blockBinder(source.architecture, LAYER, (key) => source.bind(g, key));
        const onTop = await run(overlay, (g) => {
          const binding = sourceBinding(g, overlay);
          return projectLayer(g, LAYER, blockBinder(overlay.architecture, LAYER, binding.weight), binding);
        });
        const byHand = await run(source, (g) => {
          const bound = weight(g);
          return (x, linears) => {
            const adapted = linears.filter((linearName) => targets.includes(linearName));
            const width = x.shape[1] as number;
            const stacked = Float32Array.from(adapted.flatMap((linearName) => [...matrices[`${linearName}.A`]]));
            const ranks = adapted.map(() => 3);
            const inner = adapted.length
              ? split(g, linear(g, x, g.floats(stacked, [3 * adapted.length, width])), 1, ranks)
              : [];
            return linears.map((linearName) => {
              const base = linear(g, x, bound(linearName)!, bound(`${linearName}Bias`));
              const place = adapted.indexOf(linearName);
              if (place === -1) return base;
              const b = matrices[`${linearName}.B`].map((value) => factor * value);
              return linear(g, inner[place], g.floats(b, [b.length / 3, 3]), base);
            });
          };
        });
        const bare = await run(source, (g) => {
          const bound = weight(g);
          return (x, linears) => linears.map((l) => linear(g, x, bound(l)!, bound(`${l}Bias`)));
        });
        assert.deepEqual(onTop, byHand);
        for (const linearName of INPUTS.flat()) {
          const isSame = onTop.get(linearName)!.every((value, i) => value === bare.get(linearName)![i]);
          assert.equal(isSame, !targets.includes(linearName), linearName);
        }
      });
    });
  }

  it('leaves W in its file and brings only the thin matrices into the graph', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-plain'));
    const adapter = randomAdapter(requireArchitecture(checkpoint), { targets: ['q'], rank: 2 });
    await withWeights(checkpoint, (source) => {
      const overlay = new Overlay(source, adapterPatches(adapter));
      const g = new Graph();
      const binding = sourceBinding(g, overlay);
      const project = projectLayer(g, LAYER, blockBinder(overlay.architecture, LAYER, binding.weight), binding);
      g.output('y', project(g.input('x', 'float32', ['tokens', 64]), ['q'])[0]);
      const { initializer } = fromBinary(ModelProtoSchema, g.serialize().bytes).graph!;
      const inGraph = initializer.map(({ rawData }) => rawData.length);
      assert.deepEqual(
        inGraph.sort((a, b) => a - b),
        [0, 4 * 2 * 64, 4 * 2 * 64],
      );
      return Promise.resolve();
    });
  });
});
