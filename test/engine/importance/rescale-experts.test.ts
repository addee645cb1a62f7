/** Factors of kept experts: least squares by definition in float64, their bounds, and the rows that are held out. */
import assert from 'node:assert/strict';
import type { ExpertFactors, KeptExperts } from '../../../src/engine/checkpoint/kept-experts';
import { expertBlocks } from '../../../src/engine/checkpoint/kept-experts';
import type { BlockWeightName } from '../../../src/engine/checkpoint/weight-key';
import { blockWeights } from '../../../src/engine/checkpoint/weight-names';
import { Products } from '../../../src/engine/heal/solve';
import { fitFactors } from '../../../src/engine/importance/experts/fit-factors';
import { FactorSums, splitRows } from '../../../src/engine/importance/experts/rescale';
import { Forward } from '../../../src/engine/model/forward';
import type { Model } from '../../../src/engine/model/model';
import { releaseState, type State } from '../../../src/engine/model/states';
import { fullView } from '../../../src/engine/model/view';
import { type ReferenceBlock, referenceFactors, referenceFeedForward } from '../../reference/experts';
import { assertAllClose } from '../../support/close';
import { expertToy as qwenToy } from '../../support/expert-toy';
import { expertToy } from '../../support/expert-toys';
import { checkpointFolder } from '../../support/golden';
import { withModel, withModelOf } from '../../support/model';
import { randomRows } from '../../support/random';
import { itShared } from '../../support/shared';

const KEPT = 3;

/** With Mamba, and an FFN beside the experts. */
const GRANITE = {
  model_type: 'granitemoehybrid',
  num_local_experts: 5,
  shared_intermediate_size: 32,
  residual_multiplier: 0.5,
  mamba_n_heads: 16,
  layer_types: ['mamba', 'attention'],
};

/** Of every block the last experts. */
const lastExperts = ({ architecture }: Model): KeptExperts =>
  new Map(
    expertBlocks(architecture).map(({ block, experts: { count } }) => [
      block,
      Array.from({ length: KEPT }, (_, i) => count - KEPT + i),
    ]),
  );

type Stream = readonly (readonly number[])[];

/** Factors by definition; of the program are only the mixers. */
async function inLoops(model: Model, rows: readonly number[][], kept: KeptExperts): Promise<ExpertFactors> {
  const { architecture, weights } = model;
  const { hidden, layers } = architecture;
  const forward = new Forward(model, rows[0].length);
  const tokensOf = (state: State): Stream =>
    state.flatMap(({ data }) =>
      Array.from({ length: data.length / hidden }, (_, t) => Array.from(data.subarray(t * hidden, (t + 1) * hidden))),
    );
  const mixed = async (layer: number, stream: Stream): Promise<Stream> => {
    const state = await forward.embed(rows);
    let token = 0;
    for (const { data } of state) for (let at = 0; at < data.length; at += hidden) data.set(stream[token++], at);
    const open = await forward.openOver(weights, { block: layer, attention: true, ffn: false });
    const after = await open.runAll(state);
    await open.close();
    return tokensOf(after);
  };
  const embedded = await forward.embed(rows);
  let [original, pruned] = [tokensOf(embedded), tokensOf(embedded)];
  releaseState(embedded);
  const factors = new Map<number, number[]>();
  for (const layer of layers.keys()) {
    const block = await readBlock(model, layer);
    const through = async (stream: Stream, experts?: readonly number[]) =>
      (await mixed(layer, stream)).map((h) => referenceFeedForward(architecture, layer, block, h, experts));
    const [whole, fewer] = [await through(original), await through(pruned, kept.get(layer))];
    [original, pruned] = [whole, fewer].map((tokens) => tokens.map(({ stream }) => stream));
    const tokens = whole.map(({ outputs }, t) => ({ original: outputs, pruned: fewer[t].outputs }));
    if (kept.has(layer)) factors.set(layer, referenceFactors(tokens, KEPT, hidden));
  }
  return factors;
}

async function readBlock({ architecture, weights }: Model, layer: number): Promise<ReferenceBlock> {
  const block = new Map<string, number[][]>();
  for (const [name, weight] of Object.entries(blockWeights(architecture, layer))) {
    if (!weight || !/^(experts\.|router|gateUp|gate|up|down|postNorm)/.test(name)) continue;
    const values = Array.from(await weights.read({ layer, name: name as BlockWeightName }));
    const width = weight.shape[1] ?? values.length;
    const rowCount = values.length / width;
    block.set(
      name,
      Array.from({ length: rowCount }, (_, r) => values.slice(r * width, (r + 1) * width)),
    );
  }
  return block;
}

async function check(path: string, memory?: number): Promise<void> {
  await withModel(path, async (model) => {
    const { layers, vocabulary } = model.architecture;
    const kept = lastExperts(model);
    const rows = randomRows(2, 12, vocabulary, 5);
    const view = fullView(layers.length);
    const found = await fitFactors(model, rows, kept, view);
    const expected = await inLoops(model, rows, kept);
    assert.deepEqual([...found.keys()], [...expected.keys()]);
    for (const [block, factors] of found)
      assertAllClose(factors, expected.get(block)!, { absolute: 1e-4 }, `block ${block}`);
    assert.ok([...found.values()].flat().some((factor) => factor > 0.3 && factor < 0.99));
    if (memory === undefined) return;
    const again = (small: Model) => fitFactors(small, rows, kept, view);
    assert.deepEqual(await withModelOf(model.checkpoint, again, { memory }), found);
  });
}

describe('factors of kept experts', () => {
  it('are those of the definition: Qwen3 MoE with a dense block, with little memory too', () =>
    check(qwenToy(), 20_000));
  it('are those of the definition: Granite 4', () => check(expertToy(GRANITE)));
  itShared('are those of the definition: gpt-oss', () => check(checkpointFolder('families3/gptoss-sinks')));

  describe('of one block', () => {
    const products = new Products(1);
    after(() => products.close());
    const solved = (add: (sums: FactorSums) => void): Promise<number[]> => {
      const sums = new FactorSums(7, 3, 2);
      add(sums);
      return sums.solve(products);
    };
    const token = (wanted: readonly number[], experts: readonly number[], outputs: readonly number[]) =>
      [Float32Array.from(wanted), experts, Float32Array.from(outputs)] as const;

    it('are 1 where no token is, stay within bounds, and are not found from broken numbers', async () => {
      assert.deepEqual(await solved(() => undefined), [1, 1, 1]);
      const [first, second, third] = await solved((sums) => {
        sums.add(...token([9, 0], [0], [1, 0]));
        sums.add(...token([0, -9], [2], [0, 3]));
      });
      assert.deepEqual([first, second, third], [4, 1, 1 / 4]);
      const broken = solved((sums) => sums.add(...token([NaN, 0], [0], [1, 0])));
      await assert.rejects(broken, { name: 'UserError', message: /cannot be rescaled: what those of block 7 give/ });
    });

    it('of an expert with few tokens stay nearer to 1', async () => {
      const [often, , rarely] = await solved((sums) => {
        for (let i = 0; i < 1000; i++) sums.add(...token([0.5, 0], [0], [1, 0]));
        sums.add(...token([0, 0.5], [2], [0, 1]));
      });
      assert.ok(often < 0.51 && rarely > 0.8, `${often} and ${rarely}`);
    });
  });

  it('are fitted on rows that do not decide', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => [i]);
    const split = (count: number) => {
      const { fit, heldOut } = splitRows(rows(count));
      return [fit, heldOut].map((each) => each.map((row) => row[0]));
    };
    assert.deepEqual(split(2), [[0], [1]]);
    assert.deepEqual(split(3), [[0, 1], [2]]);
    assert.deepEqual(split(9), [
      [0, 1, 2, 4, 5, 6, 8],
      [3, 7],
    ]);
  });
});
