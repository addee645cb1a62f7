/** Writing GGUF files: what is in them, that llama.cpp runs them like Coppice, and that no accident leaves half of one. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarizeGguf } from '../../../src/engine/checkpoint/gguf/summary';
import { requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { fullWidth, narrowCheckpoint, type Width } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { generate } from '../../../src/engine/evaluate/generate';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { openModel } from '../../../src/engine/model/model';
import { recordInGguf } from '../../../src/engine/records/in-gguf';
import { newRecord, type RunRecord } from '../../../src/engine/records/record';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { Overlay } from '../../../src/engine/weights/overlay';
import { checkpointWeights, withWeights } from '../../../src/engine/weights/checkpoint';
import { type GgufOptions, type GgufWritten, planGguf, writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { fromBfloat16, fromFloat16 } from '../../support/half';
import { continueWithLlamaCpp, itLlamaCpp, itLlamaCppFull } from '../../support/llamacpp';
import { openToy } from '../../support/model';
import { normal } from '../../support/random';
import { readCheckpointTensors } from '../../support/safetensors';
import { shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { ownTinyCheckpoint, type TinyName, tinyCheckpoint } from '../../support/tiny-models';

const toy = (name: TinyName, config: Readonly<Record<string, unknown>> = {}): Promise<Checkpoint> =>
  openToy(tinyCheckpoint(name, { tokenizer: true, config }));

const write = (checkpoint: Checkpoint, file: string, options: GgufOptions = {}): Promise<GgufWritten> =>
  withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, options));

const fresh = (): string => join(temporaryFolder(), 'model.gguf');

/** Every tensor of the file, widened. */
async function tensorsOf(
  file: string,
): Promise<Map<string, { dtype: string; shape: readonly number[]; values: number[] }>> {
  const { tensors } = await openGguf(file);
  const bytes = readFileSync(file);
  return new Map(
    tensors.map(({ name, dtype, shape, offset, bytes: size }) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const step = size / count;
      const values = Array.from({ length: count }, (_, i) => {
        const at = offset + i * step;
        if (dtype === 'F32') return bytes.readFloatLE(at);
        return dtype === 'F16' ? fromFloat16(bytes.readUInt16LE(at)) : fromBfloat16(bytes.readUInt16LE(at));
      });
      return [name, { dtype, shape, values }];
    }),
  );
}

/** Rows in the order of rotated pairs: (heads, 2, d / 2) → (heads, d / 2, 2). */
function paired(values: ArrayLike<number>, rows: number, headDim: number): number[] {
  const width = values.length / rows;
  const order = Array.from({ length: rows }, (_, row) => {
    const [head, at] = [Math.floor(row / headDim), row % headDim];
    return head * headDim + (at % 2) * (headDim / 2) + Math.floor(at / 2);
  });
  return order.flatMap((row) => Array.from({ length: width }, (_, i) => values[row * width + i]));
}

/** Blocks that differ: not the same groups and neurons in all of them. */
function ragged({ architecture }: Checkpoint): Width {
  const layers = fullWidth(architecture!).layers.map(({ groups, neurons }, block) => ({
    groups: groups.length > 1 && block !== 1 ? groups.slice(block % 2, groups.length - 1 + (block % 2)) : groups,
    neurons: neurons.filter((neuron) => (neuron + block) % (3 + block) !== 0),
  }));
  return { layers };
}

/** The same with what FLAP adds to make up for what is gone. */
function compensated(checkpoint: Checkpoint): Width {
  const next = normal(3);
  const bias = (): Float32Array => Float32Array.from({ length: checkpoint.architecture!.hidden }, () => 0.3 * next());
  const width = ragged(checkpoint);
  return { ...width, biases: width.layers.map(() => ({ o: bias(), down: bias() })) };
}

/** Greedy ids of Coppice for the same model. */
async function continued(checkpoint: Checkpoint, prompt: readonly number[], count: number): Promise<readonly number[]> {
  const model = await openModel(checkpoint, { device: 'cpu' });
  try {
    return (await generate(model, prompt, { maxNewTokens: count, greedy: true, ignoreEos: true })).ids;
  } finally {
    await model.close();
  }
}

/**
 * Fails unless llama.cpp continues the prompt as Coppice does, and cuts a text into the same tokens.
 * @returns the new ids
 */
async function assertRuns(
  checkpoint: Checkpoint,
  expected: string,
  prompt: string | readonly number[],
): Promise<unknown> {
  const file = fresh();
  const { architecture } = await write(checkpoint, file);
  assert.equal(architecture, expected);
  const { ids, promptIds } = continueWithLlamaCpp(file, prompt, 24);
  if (typeof prompt === 'string') {
    const tokenizer = await loadLocalTokenizer(checkpoint.folder);
    assert.deepEqual(promptIds, tokenizer.encode(prompt, { addSpecialTokens: true }));
  }
  assert.ok(ids.length >= 12);
  assert.deepEqual(ids, (await continued(checkpoint, promptIds, 24)).slice(0, ids.length));
  return ids;
}

describe('write/gguf', () => {
  for (const name of ['llama-bias', 'llama-gqa-tied', 'qwen3-qknorm'] as const) {
    it(`holds the weights of ${name} bit for bit, q and k in pairs where llama.cpp rotates pairs`, async () => {
      const checkpoint = await toy(name);
      const { layers, tied } = requireArchitecture(checkpoint);
      const file = fresh();
      const { architecture } = await write(checkpoint, file);
      const source = readCheckpointTensors(checkpoint.folder);
      const tensors = await tensorsOf(file);
      const same = (theirs: string, ours: string, pairs = false): void => {
        const { dtype, shape, values } = source.get(ours)!;
        const found = tensors.get(theirs)!;
        assert.deepEqual([found.dtype, found.shape], [shape.length === 1 ? 'F32' : dtype, shape], theirs);
        assert.deepEqual(
          found.values,
          pairs ? paired(values, shape[0], plainShape(layers[0]).headDim) : [...values],
          theirs,
        );
        tensors.delete(theirs);
      };
      same('token_embd.weight', 'model.embed_tokens.weight');
      same('output_norm.weight', 'model.norm.weight');
      if (!tied) same('output.weight', 'lm_head.weight');
      layers.map(plainShape).forEach(({ biases, qkNorm }, block) => {
        const [from, to] = [`model.layers.${block}`, `blk.${block}`];
        same(`${to}.attn_norm.weight`, `${from}.input_layernorm.weight`);
        same(`${to}.ffn_norm.weight`, `${from}.post_attention_layernorm.weight`);
        for (const kind of biases.length > 0 ? ['weight', 'bias'] : ['weight']) {
          for (const linear of ['q', 'k', 'v'] as const) {
            const pairs = architecture === 'llama' && linear !== 'v';
            same(`${to}.attn_${linear}.${kind}`, `${from}.self_attn.${linear}_proj.${kind}`, pairs);
          }
          same(`${to}.attn_output.${kind}`, `${from}.self_attn.o_proj.${kind}`);
          for (const linear of ['gate', 'up', 'down'])
            same(`${to}.ffn_${linear}.${kind}`, `${from}.mlp.${linear}_proj.${kind}`);
        }
        if (qkNorm)
          for (const norm of ['q_norm', 'k_norm'])
            same(`${to}.attn_${norm}.weight`, `${from}.self_attn.${norm}.weight`);
      });
      assert.deepEqual([...tensors.keys()], [], 'nothing else is in it');
    });
  }

  it('holds the kept blocks of a narrower model, its biases, and lists of its widths', async () => {
    const whole = await toy('llama-gqa-tied');
    const width = compensated(whole);
    const file = fresh();
    const narrow = narrowCheckpoint(whole, width);
    const { architecture, bytes, notes } = await write(narrow, file, {
      kept: [0, 2, 3],
      name: 'Toy',
      description: 'Made small.',
    });
    assert.equal(architecture, 'deci');
    assert.match(notes.join(), /no multiple of 32/);
    const { metadata, tensors, bytes: size } = await openGguf(file);
    assert.equal(size, bytes);
    const number = (key: string): unknown => metadata.get(key)?.value;
    assert.deepEqual(
      [number('general.name'), number('general.description'), number('general.file_type')],
      ['Toy', 'Made small.', 32],
    );
    const blocks = [0, 2, 3].map((block) => plainShape(requireArchitecture(narrow).layers[block]));
    const list = (values: number[]): object => ({ of: 'u32', length: 3, first: values });
    assert.deepEqual(number('deci.attention.head_count_kv'), list(blocks.map(({ kvHeads }) => kvHeads)));
    assert.deepEqual(number('deci.feed_forward_length'), list(blocks.map(({ ffn }) => ffn)));
    assert.equal(tensors.filter(({ name }) => name.startsWith('blk.')).length, 3 * 11);
    const summary = summarizeGguf(await openGguf(file));
    assert.deepEqual(
      [summary.heads, summary.kvHeads, summary.headDim, summary.ffn],
      [2, 1, 16, blocks.map(({ ffn }) => ffn)],
    );
    const found = await tensorsOf(file);
    const [{ neurons }, source] = [width.layers[2], readCheckpointTensors(whole.folder)];
    const up = source.get('model.layers.2.mlp.up_proj.weight')!.values;
    const expected = neurons.flatMap((neuron) => [...up.subarray(64 * neuron, 64 * (neuron + 1))]);
    assert.deepEqual(found.get('blk.1.ffn_up.weight')?.values, expected);
    assert.deepEqual(found.get('blk.2.ffn_down.bias')?.values, [...width.biases![3].down]);
    assert.deepEqual(found.get('blk.2.attn_output.bias')?.dtype, 'F32');
  });

  it('has the record of the run that made it', async () => {
    const [file, without] = [fresh(), fresh()];
    const now = new Date();
    const record = (bytes: number): RunRecord =>
      newRecord({ kind: 'export', inputs: [], settings: {}, results: { bytes }, started: now, finished: now });
    await write(await toy('llama-plain'), file, { record });
    await write(await toy('llama-plain'), without);
    assert.deepEqual(await recordInGguf(file), record(statSync(file).size));
    assert.equal(await recordInGguf(without), undefined);
  });

  it('holds changed weights in the type of the stored ones, or in another type', async () => {
    const checkpoint = await toy('llama-gqa-tied');
    const values = new Float32Array(64 * 96).fill(1 / 3);
    const weights = new Overlay(checkpointWeights(checkpoint), [
      [
        { layer: 1, name: 'down' },
        { kind: 'replace', values },
      ],
    ]);
    try {
      const [own, wide] = [fresh(), fresh()];
      await writeGguf(checkpoint, weights, own);
      await writeGguf(checkpoint, weights, wide, { type: 'f32' });
      const down = (await tensorsOf(own)).get('blk.1.ffn_down.weight')!;
      assert.deepEqual([down.dtype, new Set(down.values)], ['BF16', new Set([0.333984375])]);
      const tensors = await tensorsOf(wide);
      assert.deepEqual(new Set([...tensors.values()].map(({ dtype }) => dtype)), new Set(['F32']));
      assert.equal(tensors.get('blk.1.ffn_down.weight')?.values[7], Math.fround(1 / 3));
    } finally {
      await weights.close();
    }
  });

  it('refuses before it writes: an output that exists, a place in the source, models that llama.cpp runs otherwise', async () => {
    const checkpoint = await toy('llama-plain');
    const file = fresh();
    writeFileSync(file, 'mine');
    await assert.rejects(write(checkpoint, file), /exists already/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    await assert.rejects(write(checkpoint, join(checkpoint.folder, 'model.gguf')), /inside the source/);
    const out = fresh();
    const bare = await openToy(tinyCheckpoint('llama-plain'));
    await assert.rejects(write(bare, out), /no tokenizer\.json/);
    const small = await toy('llama-plain', { vocab_size: 200 });
    await assert.rejects(write(small, out), /the embedding has 200 rows/);
    assert.ok(!existsSync(out));
  });

  it('says what llama.cpp leaves out: windows', async () => {
    const windowed = await toy('mistral-window');
    const { notes } = await withWeights(windowed, (weights) => planGguf(windowed, weights));
    assert.match(notes.join(), /window of 7 tokens.* more than 7 tokens/);
  });

  it('makes the folders of the output, and reports what it writes', async () => {
    const parent = temporaryFolder();
    const file = join(parent, 'new', 'model.gguf');
    const seen: number[] = [];
    const written = await write(await toy('llama-plain'), file, {
      onProgress: ({ done, total }) => seen.push(done / total),
    });
    assert.deepEqual([written.file, readdirSync(join(parent, 'new'))], [file, ['model.gguf']]);
    assert.ok(seen.length > 10 && seen.every((share, i) => share <= 1 && share > (seen[i - 1] ?? 0)));
  });

  it('leaves nothing when cancelled, at whatever moment, or when the source changes', async () => {
    const parent = temporaryFolder();
    const folder = ownTinyCheckpoint('llama-plain', { tokenizer: true });
    const checkpoint = await openToy(folder);
    const attempt = async (moment: number, act: (abort: AbortController) => void): Promise<number> => {
      const abort = new AbortController();
      let reports = 0;
      const onProgress = (): void => {
        if (reports++ === moment) act(abort);
      };
      await write(checkpoint, join(parent, 'new', 'model.gguf'), { signal: abort.signal, onProgress });
      return reports;
    };
    const cancel = (abort: AbortController): void => abort.abort();
    for (const moment of [0, 1, 5, 20]) {
      await assert.rejects(attempt(moment, cancel), CancelledError);
      assert.deepEqual(readdirSync(parent), [], `cancelled at ${moment}`);
    }
    const grow = (): void => appendFileSync(join(folder, 'model.safetensors'), 'x');
    await assert.rejects(
      attempt(3, grow),
      (error) => error instanceof UserError && error.message.includes('changed while'),
    );
    assert.deepEqual(readdirSync(parent), []);
  });

  it('clears up after a process that ended, and leaves other files alone', async () => {
    const parent = temporaryFolder();
    const file = join(parent, 'model.gguf');
    const { temporaryName } = await import('../../../src/engine/files/partial');
    const mine = temporaryName('model.gguf');
    const dead = mine.replace(String(process.pid), String(2 ** 22 + 1));
    for (const name of [mine, dead]) writeFileSync(join(parent, name), 'half');
    mkdirSync(join(parent, 'other'));
    await write(await toy('llama-plain'), file);
    assert.deepEqual(readdirSync(parent).sort(), [mine, 'model.gguf', 'other'].sort());
  });
});

describe('write/gguf in llama.cpp', () => {
  const PROMPT = [1, 40, 77, 200, 33, 150, 9];
  const STORY = 'Once upon a time, Tim saw  a été';
  const stories = (): Promise<Checkpoint> => openToy(shared('models/stories260K-f32'));

  itLlamaCpp('a ragged model whose biases make up for what is gone continues as in Coppice', async () => {
    const checkpoint = await stories();
    const width = compensated(checkpoint);
    const ids = await assertRuns(narrowCheckpoint(checkpoint, width), 'deci', STORY);
    const plain = narrowCheckpoint(checkpoint, { layers: width.layers });
    const tokenizer = await loadLocalTokenizer(checkpoint.folder);
    const prompt = tokenizer.encode(STORY, { addSpecialTokens: true });
    assert.notDeepEqual(ids, await continued(plain, prompt, 24), 'the biases matter');
  });

  itLlamaCppFull('so do the whole model, a ragged one without biases, and one with equal widths', async () => {
    const checkpoint = await stories();
    await assertRuns(checkpoint, 'llama', STORY);
    await assertRuns(narrowCheckpoint(checkpoint, ragged(checkpoint)), 'deci', STORY);
    const layers = fullWidth(checkpoint.architecture!).layers.map(({ groups, neurons }) => {
      return { groups: groups.slice(1), neurons: neurons.slice(0, 128) };
    });
    await assertRuns(narrowCheckpoint(checkpoint, { ...compensated(checkpoint), layers }), 'llama', STORY);
  });

  itLlamaCppFull('every bias is used, scaled rotations too, and a tokenizer on bytes', async () => {
    await assertRuns(await toy('llama-plain'), 'llama', STORY);
    for (const name of ['llama-bias', 'llama3-rope', 'llama-linear-rope'] as const) {
      const checkpoint = await toy(name);
      await assertRuns(narrowCheckpoint(checkpoint, ragged(checkpoint)), 'deci', PROMPT);
    }
  });

  itLlamaCppFull('Qwen models continue as in Coppice', async () => {
    const qwen2 = await toy('qwen2-mixed-windows', { use_sliding_window: false });
    await assertRuns(qwen2, 'qwen2', PROMPT);
    await assertRuns(narrowCheckpoint(qwen2, ragged(qwen2)), 'deci', PROMPT);
    await assertRuns(await toy('qwen3-qknorm'), 'qwen3', PROMPT);
  });

  itLlamaCppFull('SmolLM2 with ragged widths continues as in Coppice', async () => {
    const checkpoint = await openToy(smollm2Folder());
    const layers = fullWidth(checkpoint.architecture!).layers.map(({ groups, neurons }, block) => ({
      groups: block % 7 === 3 ? groups.slice(0, 2) : groups,
      neurons: neurons.filter((neuron) => (7 * neuron + block) % (12 + block) !== 0),
    }));
    const narrow = narrowCheckpoint(checkpoint, { layers });
    const file = fresh();
    // In F32: with BF16 weights llama.cpp rounds what it multiplies by them to BF16 too, which decides near ties.
    await write(narrow, file, { type: 'f32' });
    const { ids, promptIds } = continueWithLlamaCpp(file, 'The capital of France is', 24);
    assert.ok(ids.length > 12);
    assert.deepEqual(ids, (await continued(narrow, promptIds, 24)).slice(0, ids.length));
  });
});
