/** GGUF files from GGUF files: blocks left out, weights changed, other types, several files as the source. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { keyText, weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { fullWidth, narrowCheckpoint } from '../../../src/engine/checkpoint/width';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { type GgufFile, openGguf } from '../../../src/engine/formats/gguf/file';
import { type GgufField, layOutGguf } from '../../../src/engine/formats/gguf/layout';
import { quantize } from '../../../src/engine/formats/gguf/quantize';
import { bytesOfElements } from '../../../src/engine/formats/gguf/types';
import { checkpointWeights, withWeights } from '../../../src/engine/weights/checkpoint';
import { Overlay } from '../../../src/engine/weights/overlay';
import { type GgufOptions, type GgufWritten, writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { continueWithLlamaCpp, itLlamaCpp } from '../../support/llamacpp';
import { openToy } from '../../support/model';
import { normal } from '../../support/random';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { type TinyName, tinyCheckpoint } from '../../support/tiny-models';

const fresh = (name = 'model.gguf'): string => join(temporaryFolder(), name);

const write = (checkpoint: Checkpoint, file: string, options: GgufOptions = {}): Promise<GgufWritten> =>
  withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, options));

/** A GGUF file of a toy model. */
async function toyFile(name: TinyName, options: GgufOptions = {}): Promise<string> {
  const file = fresh('toy.gguf');
  await write(await openToy(tinyCheckpoint(name, { tokenizer: true })), file, options);
  return file;
}

/** Every tensor as its type, shape and bytes. */
async function contents(file: string): Promise<Map<string, readonly [string, string, Buffer]>> {
  const { tensors } = await openGguf(file);
  const bytes = readFileSync(file);
  return new Map(
    tensors.map(({ name, dtype, shape, offset, bytes: size }) => {
      return [name, [dtype, shape.join(), bytes.subarray(offset, offset + size)]];
    }),
  );
}

const value = ({ metadata }: GgufFile, key: string): unknown => metadata.get(key)?.value;

/** A file with the tensors of `file` and other metadata. */
async function withFields(file: string, change: (fields: Map<string, GgufField[1]>) => void): Promise<string> {
  const { metadata, tensors } = await openGguf(file);
  const bytes = readFileSync(file);
  const fields = new Map<string, GgufField[1]>();
  for (const { key, offset, end } of metadata.values()) {
    fields.set(key, { type: 'copied', bytes: bytes.subarray(offset + 8 + Buffer.byteLength(key), end) });
  }
  change(fields);
  const layout = layOutGguf([...fields], tensors);
  const out = Buffer.alloc(layout.bytes);
  layout.header.copy(out);
  layout.tensors.forEach(({ offset, bytes: size }, i) =>
    bytes.copy(out, offset, tensors[i].offset, tensors[i].offset + size),
  );
  const changed = fresh('changed.gguf');
  writeFileSync(changed, out);
  return changed;
}

describe('write/gguf from GGUF', () => {
  it('copies a whole model byte for byte, with its metadata', async () => {
    const file = await toyFile('qwen3-qknorm', { type: 'q5_1', name: 'Toy' });
    const out = fresh();
    const { architecture, notes } = await write(await openCheckpoint(file), out);
    assert.deepEqual([architecture, notes], ['qwen3', []]);
    assert.ok(readFileSync(out).equals(readFileSync(file)));
  });

  it('leaves out blocks, in any order, and says so', async () => {
    const file = await toyFile('llama-gqa-tied', { type: 'q4_0', name: 'Toy' });
    const out = fresh();
    await write(await openCheckpoint(file), out, { kept: [3, 0, 1] });
    const [before, after] = [await contents(file), await contents(out)];
    for (const [name, found] of after) {
      const source = name.replace(/^blk\.(\d)/, (_, block: string) => `blk.${[3, 0, 1][Number(block)]}`);
      assert.deepEqual(found, before.get(source), name);
    }
    assert.equal(after.size, 2 + 3 * 9);
    const gguf = await openGguf(out);
    assert.equal(value(gguf, 'llama.block_count'), 3);
    assert.equal(value(gguf, 'general.base_model.0.name'), 'Toy');
    assert.equal(value(gguf, 'general.base_model.count'), 1);
    assert.match(String(value(gguf, 'general.description')), /^3 of the \d blocks$/);
    assert.notEqual(value(gguf, 'general.size_label'), value(await openGguf(file), 'general.size_label'));
    const again = fresh();
    await write(await openCheckpoint(out), again, { kept: [0], name: 'Smaller', description: 'One block.' });
    const last = await openGguf(again);
    const said = ['general.name', 'general.description', 'general.base_model.0.name'].map((key) => value(last, key));
    assert.deepEqual(said, ['Smaller', 'One block.', 'Toy']);
    assert.equal(requireArchitecture(await openCheckpoint(again)).layers.length, 1);
  });

  it('cuts lists with a number for each block, and only those', async () => {
    const plain = await openToy(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }));
    const layers = fullWidth(plain.architecture!).layers.map(({ groups, neurons }, block) => {
      return { groups: block === 1 ? groups.slice(1) : groups, neurons: neurons.slice(0, 64 + 32 * (block % 2)) };
    });
    const ragged = fresh('ragged.gguf');
    await write(narrowCheckpoint(plain, { layers }), ragged);
    const blocks = layers.length;
    const file = await withFields(ragged, (fields) => {
      const list = Array.from({ length: blocks }, (_, i) => i + 10);
      fields.set('deci.rope.dimension_sections', { type: 'array', of: 'i32', values: list });
      fields.set('deci.expert_used_count', { type: 'array', of: 'u64', values: list });
      fields.set('deci.attention.recurrent_layers', { type: 'array', of: 'bool', values: list.map((i) => i % 2) });
      fields.set('deci.attention.sliding_window_pattern', { type: 'u32', value: 2 });
      fields.set('deci.leading_dense_block_count', { type: 'u32', value: 2 });
      fields.set('general.tags', { type: 'array', of: 'string', values: list.map(String) });
      fields.set('general.alignment', { type: 'u32', value: 32 });
    });
    const out = fresh();
    await write(await openCheckpoint(file), out, { kept: [1, 3] });
    const gguf = await openGguf(out);
    const numbers = (key: string): unknown => (value(gguf, key) as { first: unknown }).first;
    assert.deepEqual(numbers('deci.feed_forward_length'), [96, 96]);
    assert.deepEqual(
      numbers('deci.attention.head_count_kv'),
      [1, 3].map((block) => layers[block].groups.length),
    );
    assert.equal((numbers('deci.rope.dimension_sections') as unknown[]).length, blocks);
    assert.deepEqual(numbers('deci.expert_used_count'), [11, 13]);
    assert.deepEqual(numbers('deci.attention.recurrent_layers'), [true, true]);
    assert.deepEqual(numbers('deci.attention.sliding_window_pattern'), [false, false]);
    assert.equal(value(gguf, 'deci.leading_dense_block_count'), 1);
    assert.equal((numbers('general.tags') as unknown[]).length, blocks);
    assert.equal(value(gguf, 'general.alignment'), undefined);
    assert.equal(plainShape(requireArchitecture(await openCheckpoint(out)).layers[0]).ffn, 96);
  });

  it('refuses lists of another length, which other programs leave behind', async () => {
    const file = await withFields(await toyFile('llama-gqa-tied'), (fields) => {
      fields.set('llama.attention.sliding_window_pattern', { type: 'array', of: 'bool', values: [1, 0] });
    });
    const checkpoint = await openCheckpoint(file);
    await assert.rejects(
      write(checkpoint, fresh(), { kept: [0] }),
      /changed\.gguf.*sliding_window_pattern.*lists 2 numbers/s,
    );
  });

  it('stores changed weights in a type that keeps them, q and k in pairs, and says how much more that is', async () => {
    const checkpoint = await openCheckpoint(await toyFile('llama-gqa-tied', { type: 'q4_1' }));
    const { hidden, layers } = requireArchitecture(checkpoint);
    const { heads, headDim } = plainShape(layers[2]);
    const next = normal(5);
    const values = Float32Array.from({ length: heads * headDim * hidden }, () => next());
    const weights = new Overlay(checkpointWeights(checkpoint), [
      [
        { layer: 2, name: 'q' },
        { kind: 'replace', values },
      ],
    ]);
    const out = fresh();
    const { finer, notes } = await writeGguf(checkpoint, weights, out, { kept: [0, 2] });
    await weights.close();
    const bytesOf = (type: 'Q4_1' | 'Q5_1'): number => bytesOfElements(type, values.length);
    const more = bytesOf('Q5_1') - bytesOf('Q4_1');
    assert.deepEqual(finer, { matrices: 1, bytes: more, types: [{ from: 'Q4_1', to: 'Q5_1', matrices: 1 }] });
    assert.match(notes.join(), /1 changed matrix is kept in Q5_1 instead of Q4_1: .* more/);
    const paired = new Float32Array(values.length);
    for (let row = 0; row < heads * headDim; row++) {
      const [head, at] = [Math.floor(row / headDim), row % headDim];
      const from = head * headDim + (at % 2) * (headDim / 2) + Math.floor(at / 2);
      paired.set(values.subarray(from * hidden, (from + 1) * hidden), row * hidden);
    }
    const expected = quantize(paired, 'Q5_1', new Uint8Array(bytesOf('Q5_1')));
    const [dtype, , bytes] = (await contents(out)).get('blk.1.attn_q.weight')!;
    assert.equal(dtype, 'Q5_1');
    assert.ok(bytes.equals(expected));
    const read = await withWeights(await openCheckpoint(out), (found) => found.read({ layer: 1, name: 'q' }));
    const worst = read.reduce((most, each, i) => Math.max(most, Math.abs(each - values[i])), 0);
    assert.ok(worst < 0.17, 'half of a thirty-first of the range of a row');
  });

  it('makes a narrower model, whose matrices have the types they had', async () => {
    const checkpoint = await openCheckpoint(await toyFile('llama-gqa-tied', { type: 'q8_0' }));
    const layers = fullWidth(checkpoint.architecture!).layers.map(({ groups, neurons }, block) => {
      return { groups, neurons: neurons.slice(0, block === 0 ? 40 : 64) };
    });
    const narrow = narrowCheckpoint(checkpoint, { layers });
    const out = fresh();
    const { architecture, notes } = await write(narrow, out);
    assert.equal(architecture, 'deci');
    assert.match(notes.join(), /^1 matrix has rows that are no multiple of 32 long/);
    const found = await contents(out);
    const types = ['up', 'down'].flatMap((name) => [0, 1].map((b) => found.get(`blk.${b}.ffn_${name}.weight`)![0]));
    assert.deepEqual(types, ['Q8_0', 'Q8_0', 'F16', 'Q8_0'], 'rows of 40 are no whole blocks');
    const gguf = await openGguf(out);
    assert.deepEqual(value(gguf, 'general.architecture'), 'deci');
    assert.ok(![...gguf.metadata.keys()].some((key) => key.startsWith('llama.')));
    assert.deepEqual(
      requireArchitecture(await openCheckpoint(out)).layers.map((layer) => plainShape(layer).ffn),
      layers.map(({ neurons }) => neurons.length),
    );
  });

  it('brings rows into pairs where the narrower model has another architecture than the source', async () => {
    const checkpoint = await openCheckpoint(await toyFile('qwen2-mixed-windows'));
    const layers = fullWidth(checkpoint.architecture!).layers.map(({ groups, neurons }, block) => {
      return { groups: block === 1 ? groups.slice(1) : groups, neurons };
    });
    const narrow = narrowCheckpoint(checkpoint, { layers });
    const out = fresh();
    assert.equal((await write(narrow, out)).architecture, 'deci');
    const again = await openCheckpoint(out);
    await withWeights(narrow, (expected) =>
      withWeights(again, async (found) => {
        for (const key of weightKeys(expected.architecture)) {
          assert.deepEqual(await found.read(key), await expected.read(key), keyText(key));
        }
      }),
    );
  });

  it('takes the metadata of the first of several files, and the tensors of all', async () => {
    const whole = await toyFile('llama-plain', { type: 'q8_0' });
    const { tensors } = await openGguf(whole);
    const bytes = readFileSync(whole);
    const folder = temporaryFolder();
    const half = Math.floor(tensors.length / 2);
    for (const [i, part] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
      const split: GgufField[] = [
        ['split.no', { type: 'u16', value: i }],
        ['split.count', { type: 'u16', value: 2 }],
        ['split.tensors.count', { type: 'i32', value: tensors.length }],
      ];
      const { metadata } = await openGguf(whole);
      const all = [...metadata.values()].map(({ key, offset, end }): GgufField => {
        return [key, { type: 'copied', bytes: bytes.subarray(offset + 8 + Buffer.byteLength(key), end) }];
      });
      const layout = layOutGguf([...(i === 0 ? all : []), ...split], part);
      const out = Buffer.alloc(layout.bytes);
      layout.header.copy(out);
      layout.tensors.forEach(({ offset, bytes: size }, k) =>
        bytes.copy(out, offset, part[k].offset, part[k].offset + size),
      );
      writeFileSync(join(folder, `toy-0000${i + 1}-of-00002.gguf`), out);
    }
    const out = fresh();
    await write(await openCheckpoint(join(folder, 'toy-00002-of-00002.gguf')), out);
    assert.equal(basename(out), 'model.gguf');
    assert.ok(readFileSync(out).equals(bytes), 'as if it had never been split');
  });
});

describeShared('write/gguf from the GGUF files of llama.cpp', () => {
  const stories = (type: string): string => shared(`models/stories260K-gguf/stories260K-${type}.gguf`);

  it('makes the tensors of its own pruned copy, byte for byte', async () => {
    const out = fresh();
    await write(await openCheckpoint(stories('q4_0')), out, { kept: [0, 1, 3, 4] });
    assert.deepEqual(await contents(out), await contents(stories('q4_0-pruned')));
    assert.equal(value(await openGguf(out), 'llama.block_count'), 4);
  });

  it('brings a file into another type as llama-quantize does', async () => {
    const out = fresh();
    const { notes } = await write(await openCheckpoint(stories('f32')), out, { type: 'q5_0' });
    assert.deepEqual(await contents(out), new Map(await ordered(out, stories('q5_0'))));
    assert.match(notes.join(), /5 matrices have rows that are no multiple of 32/);
    assert.equal(value(await openGguf(out), 'general.file_type'), 8);
  });

  it('says that numbers are rounded again, and copies what is of the wanted type', async () => {
    const out = fresh();
    const { notes } = await write(await openCheckpoint(stories('q4_0')), out, { type: 'q8_0' });
    assert.match(notes.join(), /^.*30 matrices were quantized in the source already/);
    const [before, after] = [await contents(stories('q4_0')), await contents(out)];
    assert.deepEqual(after.get('token_embd.weight'), before.get('token_embd.weight'));
    assert.equal(after.get('blk.0.attn_q.weight')![0], 'Q8_0');
  });

  it('stores changed weights of K types in the next finer type, and copies the others', async () => {
    const source = shared('models/toy256-gguf/toy256-q4_k_m.gguf');
    const checkpoint = await openCheckpoint(source);
    const weights = new Overlay(checkpointWeights(checkpoint), [
      [
        { layer: 0, name: 'o' },
        { kind: 'replace', values: new Float32Array(256 * 256).fill(0.25) },
      ],
    ]);
    const out = fresh();
    const { notes } = await writeGguf(checkpoint, weights, out, { kept: [0, 2] });
    await weights.close();
    assert.match(notes.join(), /1 changed matrix is kept in Q5_1 instead of Q4_K: 12\.3 kB more/);
    const [before, after] = [await contents(source), await contents(out)];
    assert.equal(after.get('blk.0.attn_output.weight')![0], 'Q5_1');
    assert.deepEqual(after.get('blk.1.ffn_down.weight'), before.get('blk.2.ffn_down.weight'));
    assert.deepEqual(after.get('token_embd.weight'), before.get('token_embd.weight'));
    assert.equal(value(await openGguf(out), 'general.base_model.0.name'), 'T256');
  });

  itLlamaCpp('is continued by llama.cpp as its own pruned copy is', async () => {
    const out = fresh();
    await write(await openCheckpoint(stories('q4_0')), out, { kept: [0, 1, 3, 4] });
    const prompt = [1, 403, 407, 261, 378];
    const { ids } = continueWithLlamaCpp(out, prompt, 24);
    const golden = JSON.parse(readFileSync(shared('golden/gguf/models.json'), 'utf8')) as Record<
      string,
      readonly { readonly promptIds: readonly number[]; readonly ids: readonly number[] }[]
    >;
    const [row] = golden['stories260K-gguf/stories260K-q4_0-pruned.gguf'];
    assert.deepEqual(row.promptIds, prompt);
    assert.deepEqual(ids, row.ids.slice(0, ids.length));
    assert.ok(ids.length > 12);
  });
});

/** The tensors of `reference` in the order of `file`. */
async function ordered(file: string, reference: string): Promise<[string, readonly [string, string, Buffer]][]> {
  const theirs = await contents(reference);
  return [...(await contents(file)).keys()].map((name) => [name, theirs.get(name)!]);
}
