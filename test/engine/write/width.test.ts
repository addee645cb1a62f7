/** Checkpoints that were pruned in width: cut tensors to the bit, the same model as the view, and what is made of them. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withoutLayers } from '../../../src/engine/checkpoint/architecture';
import { BASE_KEY, baseNote, readBase, removedFor } from '../../../src/engine/adapter/base';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { checkpointReduction } from '../../../src/engine/checkpoint/reduction';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { fullWidth, narrowArchitecture, narrowCheckpoint, type Width } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { CancelledError } from '../../../src/engine/errors';
import { sweepLosses } from '../../../src/engine/importance/sweep';
import { type Changes, openModelOver } from '../../../src/engine/model/model';
import { stepsOf, viewWithout } from '../../../src/engine/model/view';
import { pruningWords } from '../../../src/engine/records/ancestry';
import { resultsOf, runTitle } from '../../../src/engine/records/compare';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { originalOf } from '../../../src/engine/records/original';
import { readRecord } from '../../../src/engine/records/record';
import { writeTrainedCheckpoint } from '../../../src/engine/retrain/full/write-trained';
import { withChanges } from '../../../src/engine/weights/overlay';
import { Rounded } from '../../../src/engine/weights/rounded';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { numbersOf } from '../../../src/engine/weights/width-note';
import { type HealFacts, writeHealed } from '../../../src/engine/write/healed';
import { mergeAdapter } from '../../../src/engine/write/merge';
import { requireKnownToOthers } from '../../../src/engine/write/recipes';
import { type WidthFacts, type WidthOptions, writeWidth } from '../../../src/engine/write/width';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { randomAdapter } from '../../support/adapters';
import { decodedLogits } from '../../support/model';
import { randomPatches } from '../../support/patches';
import { randomRows } from '../../support/random';
import { readCheckpointTensors, type TestTensor } from '../../support/safetensors';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint, type TinyName, type TinyOptions } from '../../support/tiny-models';
import { randomWidth } from '../../support/widths';

const FACTS: WidthFacts = { method: 'flap', ratio: 0.25, calibration: ['book.txt'], ppl: 12.5, warnings: ['kept one'] };
const ROWS = randomRows(2, 12, 288, 3);

const stage = { meanNll: 3, ppl: 20.09, kl: 0.9, top1: 0.4 };
const HEAL_FACTS: HealFacts = {
  method: 'refit',
  ridge: null,
  step: 0.5,
  stepCut: 0.8,
  tokens: 8192,
  fit: { rows: 4, before: stage, after: stage, rounded: stage },
  heldOut: null,
  weights: 'healed',
  texts: ['book.txt'],
  steps: [],
};

type Tensors = ReadonlyMap<string, TestTensor>;

async function narrowed(
  name: TinyName,
  how: Parameters<typeof randomWidth>[1] = {},
  options: TinyOptions = {},
): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(tinyCheckpoint(name, options));
  return narrowCheckpoint(checkpoint, randomWidth(requireArchitecture(checkpoint), how));
}

/** The same groups and neurons in every block. */
async function uniform(
  name: TinyName,
  groups: readonly number[],
  { biases = false, config = {} }: { readonly biases?: boolean; readonly config?: TinyOptions['config'] } = {},
): Promise<Checkpoint> {
  const heads = { num_attention_heads: 8, num_key_value_heads: 4 };
  const checkpoint = await openCheckpoint(tinyCheckpoint(name, { config: { ...heads, ...config } }));
  const architecture = requireArchitecture(checkpoint);
  const neurons = [0, 3, 4, 40, 41, 95];
  const width = randomWidth(architecture, { biases });
  return narrowCheckpoint(checkpoint, { ...width, layers: architecture.layers.map(() => ({ groups, neurons })) });
}

async function write(checkpoint: Checkpoint, options: Partial<WidthOptions> = {}): Promise<string> {
  const { out } = await writeWidth(checkpoint, join(temporaryFolder(), 'narrow'), { facts: FACTS, ...options });
  return out;
}

/** Rows of a tensor, or columns, in plain loops. */
function cut({ shape, values, ...rest }: TestTensor, axis: 0 | 1, kept: readonly number[]): TestTensor {
  const [rows, columns = 1] = shape;
  const chosen: number[] = [];
  for (const r of axis === 0 ? kept : Array.from({ length: rows }, (_, i) => i)) {
    for (const c of axis === 1 ? kept : Array.from({ length: columns }, (_, i) => i))
      chosen.push(values[r * columns + c]);
  }
  const size = axis === 0 ? [kept.length, ...shape.slice(1)] : [rows, kept.length];
  return { ...rest, shape: size, values: Float32Array.from(chosen) };
}

/** The tensors that the narrower model should have, without new biases. */
function cutTensors(
  before: Tensors,
  { layers }: Width,
  shape: { heads: number; kvHeads: number; headDim: number },
): Tensors {
  const after = new Map(before);
  const spread = (groups: readonly number[], size: number): number[] =>
    groups.flatMap((group) => Array.from({ length: size }, (_, i) => group * size + i));
  const change = (name: string, axis: 0 | 1, kept: readonly number[]): void => {
    const tensor = after.get(name);
    if (tensor) after.set(name, cut(tensor, axis, kept));
  };
  layers.forEach(({ groups, neurons }, block) => {
    const at = `model.layers.${block}`;
    const queries = spread(groups, (shape.heads / shape.kvHeads) * shape.headDim);
    const keys = spread(groups, shape.headDim);
    for (const part of ['weight', 'bias']) {
      change(`${at}.self_attn.q_proj.${part}`, 0, queries);
      change(`${at}.self_attn.k_proj.${part}`, 0, keys);
      change(`${at}.self_attn.v_proj.${part}`, 0, keys);
      change(`${at}.mlp.gate_proj.${part}`, 0, neurons);
      change(`${at}.mlp.up_proj.${part}`, 0, neurons);
    }
    change(`${at}.self_attn.o_proj.weight`, 1, queries);
    change(`${at}.mlp.down_proj.weight`, 1, neurons);
  });
  return after;
}

/** Logits and losses of a checkpoint, its weights under changes and rounded to the types of its files. */
async function computed(
  checkpoint: Checkpoint,
  { removed = [] as number[], changes = [] as Changes } = {},
): Promise<unknown> {
  const weights = checkpointWeights(checkpoint);
  const model = await openModelOver(new Rounded(withChanges(weights, changes), weights), checkpoint, { device: 'cpu' });
  const view = viewWithout(
    model.architecture.layers.length,
    removed.map((block) => ({ block })),
  );
  try {
    const logits = await decodedLogits(model, [ROWS[0]], view);
    return { logits, losses: (await sweepLosses(model, ROWS, stepsOf(view), [])).full };
  } finally {
    await model.close();
  }
}

const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');
const configOf = (folder: string): Record<string, unknown> =>
  JSON.parse(read(folder, 'config.json')) as Record<string, unknown>;

describe('a checkpoint written narrower', function () {
  this.timeout(60_000);

  for (const [name, biases] of [
    ['llama-plain', true],
    ['llama-gqa-tied', true],
    ['llama3-rope', false],
    ['llama-bias', true],
    ['mistral-window', false],
    ['qwen2-mixed-windows', true],
    ['qwen3-qknorm', false],
  ] as const) {
    it(`${name}: has the kept rows and columns, and computes what the view computes, to the bit`, async () => {
      const view = await narrowed(name, { biases });
      const { width, from } = view.narrowing!;
      const out = await write(view);
      const before = readCheckpointTensors(from.folder);
      const expected = cutTensors(before, width, plainShape(requireArchitecture(from).layers[0]));
      const after = new Map(readCheckpointTensors(out));
      const isNew = (tensor: string): boolean => /(o|down)_proj\.bias$/.test(tensor) && biases;
      for (const [tensor, value] of expected) if (!isNew(tensor)) assert.deepEqual(after.get(tensor), value, tensor);
      const added = [...after.keys()].filter(isNew);
      assert.equal(added.length, biases ? 8 : 0);
      for (const tensor of added) assert.equal(after.get(tensor)!.dtype, [...before.values()][0].dtype);
      assert.equal(after.size, new Set([...expected.keys(), ...added]).size, 'and nothing else');
      const opened = await openCheckpoint(out);
      assert.deepEqual(opened.architecture, view.architecture);
      assert.equal(opened.config?.model_type, 'coppice');
      assert.deepEqual(await computed(opened), await computed(view));
    });
  }

  const stock: [string, () => Promise<Checkpoint>, string, string][] = [
    ['llama', () => uniform('llama-plain', [1, 2]), 'llama', 'LlamaForCausalLM'],
    ['three heads of eight', () => uniform('llama3-rope', [0, 1, 3]), 'mistral', 'MistralForCausalLM'],
    ['biases', () => uniform('llama-gqa-tied', [3], { biases: true }), 'llama', 'LlamaForCausalLM'],
    ['biases of three', () => uniform('llama-plain', [0, 1, 3], { biases: true }), 'seed_oss', 'SeedOssForCausalLM'],
    ['qwen2', () => uniform('qwen2-mixed-windows', [0, 1, 3]), 'qwen2', 'Qwen2ForCausalLM'],
  ];
  for (const [title, make, type, name] of stock) {
    it(`with the same widths in every block is an ordinary one: ${title}`, async () => {
      const view = await make();
      const out = join(temporaryFolder(), 'narrow');
      const result = await writeWidth(view, out, { facts: FACTS });
      assert.equal(result.runs, name);
      const config = configOf(out);
      assert.deepEqual([config.model_type, config.architectures], [type, [name]]);
      const opened = await openCheckpoint(out);
      assert.deepEqual(await computed(opened), await computed(view));
      const zeros = [...readCheckpointTensors(out)].filter(
        ([tensor, { values }]) => tensor.endsWith('bias') && values.every((value) => value === 0),
      );
      const extra = zeros.reduce((sum, [, { values }]) => sum + values.length, 0);
      assert.equal(parametersOf(opened.architecture!), result.parametersAfter + extra);
      assert.equal(result.bytesAfter, checkpointReduction(opened, []).bytesBefore);
    });
  }

  it('says in card and record what was done, and its original is found', async () => {
    const view = await narrowed('llama-plain', { biases: true });
    const { from, digest: width } = view.narrowing!;
    const folder = temporaryFolder();
    const out = join(folder, 'narrow');
    const provenance = {
      settings: { method: 'flap', multiple: 8 },
      inputs: [{ role: 'calibration', name: 'book.txt' }],
    };
    const result = await writeWidth(view, out, { facts: FACTS, provenance });
    const record = await readRecord(join(out, 'coppice.json'));
    assert.equal(record.kind, 'width');
    assert.deepEqual(record.inputs[0], { role: 'model', name: basename(from.folder), identity: from.identity });
    assert.equal(record.settings.width, width);
    const { parametersBefore, parametersAfter, runs, method } = record.results;
    assert.deepEqual(
      [parametersBefore, parametersAfter],
      [parametersOf(from.architecture!), parametersOf(view.architecture!)],
    );
    assert.deepEqual([result.parametersAfter, runs, method], [parametersAfter, null, 'flap']);
    const card = read(out, 'README.md');
    assert.doesNotMatch(card, /library_name: transformers/);
    assert.match(card, /Only Coppice opens it \(its blocks differ in width\)/);
    assert.match(card, /method: \*Fluctuation-based[^]*, ratio 0\.25\n/);
    assert.match(card, /- kept one/);
    assert.match(card, /\| 0 +\| \d of 4/);
    assert.equal(
      (await originalOf(await openCheckpoint(out), [dirname(from.folder)]))?.checkpoint?.identity,
      from.identity,
    );
    const { cost, narrower, ...digest } = digestRecord(record);
    const { layers } = view.narrowing!.width;
    assert.deepEqual(
      narrower?.layers,
      layers.map(({ groups, neurons }) => ({ groups: groups.length, neurons: neurons.length })),
    );
    const masks = (record.results.layers as { mask: string }[]).map(({ mask }) => numbersOf(mask, 96));
    assert.deepEqual(
      masks,
      layers.map(({ neurons }) => neurons),
    );
    assert.equal(runTitle({ ...digest, narrower }), 'width · flap');
    const facts = new Map(resultsOf({ ...digest, narrower }));
    assert.deepEqual([facts.get('ratio'), facts.get('perplexity of the calibration rows')], ['0.25', '12.5']);
    assert.match(facts.get('neurons kept of each block') ?? '', /^\d+–\d+$/);
    assert.match(
      pruningWords('narrow', record) ?? '',
      /`narrow` itself is `.*` with fewer attention heads and neurons \(flap\)/,
    );
    assert.deepEqual(
      cost?.map(({ parameters }) => parameters),
      [parametersBefore, parametersAfter],
    );
  });

  it('leaves nothing when it is cancelled, or a bias is too large for its type', async () => {
    const view = await narrowed('llama3-rope');
    const folder = temporaryFolder();
    const out = join(folder, 'narrow');
    await assert.rejects(writeWidth(view, out, { facts: FACTS, signal: AbortSignal.abort() }), CancelledError);
    const large = Float32Array.from({ length: 64 }, () => 1e6);
    const width = { ...view.narrowing!.width, biases: [0, 1, 2, 3].map(() => ({ o: large, down: large })) };
    await assert.rejects(writeWidth(narrowCheckpoint(view.narrowing!.from, width), out, { facts: FACTS }), {
      name: 'UserError',
      what: /"model\.layers\.0\.self_attn\.o_proj\.bias" cannot be stored as F16/,
    });
    assert.ok(!existsSync(out));
    assert.deepEqual(readdirSync(folder), []);
    assert.ok(existsSync(await write(narrowCheckpoint(view.narrowing!.from, width), { dtype: 'F32' })));
  });

  describe('the same from the view and from the written one', () => {
    const removed = [1];
    let view: Checkpoint;
    let stored: Checkpoint;
    before(async () => {
      view = await narrowed('llama-gqa-tied', { biases: true, seed: 5 });
      stored = await openCheckpoint(await write(view));
    });

    /** Writes both, compares their tensors and configs, and gives the one from the view. */
    async function both(make: (checkpoint: Checkpoint, out: string) => Promise<unknown>): Promise<Checkpoint> {
      const folder = temporaryFolder();
      const [fromView, fromFile] = ['view', 'file'].map((name) => join(folder, name));
      await make(view, fromView);
      await make(stored, fromFile);
      assert.deepEqual(readCheckpointTensors(fromView), readCheckpointTensors(fromFile));
      assert.deepEqual(configOf(fromView), configOf(fromFile));
      assert.match(read(fromView, 'README.md'), /Only Coppice opens it/);
      assert.match(read(fromFile, 'README.md'), /Only Coppice opens it/);
      return openCheckpoint(fromView);
    }

    it('without a block', async () => {
      const pruned = await both((checkpoint, out) => writePruned(checkpoint, removed, out));
      assert.equal(pruned.architecture?.layers.length, 3);
      assert.equal((pruned.config?.coppice_layers as unknown[]).length, 3);
      assert.deepEqual(pruned.architecture.layers[1], view.architecture!.layers[2]);
      assert.deepEqual(await computed(pruned), await computed(view, { removed }));
      assert.throws(() => requireKnownToOthers(stored), { name: 'UserError', what: /no recipe/ });
      assert.doesNotMatch(read(pruned.folder, 'README.md'), /mergekit/);
    });

    it('with an adapter', async () => {
      const left = withoutLayers(requireArchitecture(view), removed);
      const adapter = { ...randomAdapter(left, { targets: ['q', 'v', 'o', 'down'] }), removed };
      const merged = await both((checkpoint, out) => mergeAdapter(checkpoint, adapter, out));
      const { tensors } = merged;
      assert.deepEqual(tensors.get('model.layers.2.mlp.down_proj.weight')?.shape, [
        64,
        plainShape(view.architecture!.layers[3]).ffn,
      ]);
      assert.notDeepEqual(await computed(merged), await computed(view, { removed }));
    });

    it('with an adapter that was trained on the view, with or without a block', async () => {
      for (const without of [[], removed]) {
        const base = readBase({ [BASE_KEY]: baseNote(view, 4, { removed: without }) }, 'adapter')!;
        assert.deepEqual(await removedFor(base, stored, 4, {}), without);
        assert.deepEqual(await removedFor(base, view, 4, {}), without);
        await assert.rejects(removedFor(base, view.narrowing!.from, 4, {}), { name: 'UserError', why: /identity/ });
        const folder = join(temporaryFolder(), 'pruned');
        await writePruned(view, removed, folder);
        const pruned = removedFor(base, await openCheckpoint(folder), 3, {});
        if (without.length > 0) assert.deepEqual(await pruned, []);
        else await assert.rejects(pruned, { name: 'UserError' });
      }
    });

    it('healed', async () => {
      const patches = await randomPatches(view, [2, 3]);
      const healed = await both((checkpoint, out) =>
        writeHealed(checkpoint, { removed: [{ block: 1 }], patches }, out, { facts: HEAL_FACTS }),
      );
      assert.deepEqual(await computed(healed), await computed(view, { removed, changes: [patches] }));
    });

    it('trained', async () => {
      const name = 'model.layers.1.self_attn.o_proj.bias';
      const values = Float32Array.from({ length: 64 }, (_, i) => i / 64);
      const parameters = new Map([[name, { shape: [64], values, decays: false }]]);
      const options = { removed, fromScratch: false, settings: {}, record: () => ({}) as never };
      const trained = await both((checkpoint, out) => writeTrainedCheckpoint(checkpoint, parameters, out, options));
      assert.deepEqual(readCheckpointTensors(trained.folder).get(name)?.values, values);
    });

    it('narrower again', async () => {
      const { layers } = requireArchitecture(stored);
      const all = fullWidth({ ...requireArchitecture(stored), layers });
      const once = view.narrowing!.width;
      const half = layers.map((_, i) => ({
        groups: all.layers[i].groups.slice(0, 1),
        neurons: all.layers[i].neurons.slice(0, 10),
      }));
      const twice = narrowCheckpoint(stored, { layers: half });
      const composed = {
        ...once,
        layers: half.map(({ groups, neurons }, i) => ({
          groups: groups.map((group) => once.layers[i].groups[group]),
          neurons: neurons.map((neuron) => once.layers[i].neurons[neuron]),
        })),
      };
      const direct = narrowCheckpoint(view.narrowing!.from, composed);
      assert.deepEqual(narrowArchitecture(stored.architecture!, { layers: half }), direct.architecture);
      const [a, b] = [await write(twice), await write(direct)];
      assert.deepEqual(readCheckpointTensors(a), readCheckpointTensors(b));
      const { coppice_layers: _, coppice_family: __, ...config } = configOf(a);
      assert.deepEqual(config.architectures, ['LlamaForCausalLM'], 'now all blocks are equal');
      const { max_position_embeddings: ___, ...rest } = configOf(b);
      for (const [key, value] of Object.entries(rest)) assert.deepEqual(config[key], value, key);
    });
  });
});
