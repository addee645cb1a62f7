/** Models in GGUF files: what their metadata mean, and what is refused with file and key. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { scalingOf } from '../../../src/engine/checkpoint/gguf/divisors';
import type { Rope } from '../../../src/engine/checkpoint/architecture';
import { UserError } from '../../../src/engine/errors';
import { rotaryFrequencies } from '../../../src/engine/checkpoint/frequencies';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { editGguf, ggufBytes, type GgufContent, readGgufContent } from '../../support/gguf-edits';
import { list, text, u32, value } from '../../support/gguf-files';
import { uniform } from '../../support/random';
import { describeShared, full, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const u = (number: number): Buffer => value('u32', u32(number));
const f = (number: number): Buffer => value('f32', Buffer.from(Float32Array.of(number).buffer));
const s = (words: string): Buffer => value('string', text(words));

describe('the scaling of a rotation by divisors', () => {
  const factorsOf = (rope: Rope, width: number): number[] => {
    const plain = rotaryFrequencies({ theta: rope.theta, scaling: { kind: 'default' } }, width);
    const scaled = rotaryFrequencies(rope, width);
    return [...plain].map((frequency, i) => Math.fround(frequency / scaled[i]));
  };

  it("gives the numbers of LLaMA 3's rule back", () => {
    for (const [factor, high, context, theta, width] of [
      [8, 4, 8192, 500_000, 128],
      [32, 4, 8192, 500_000, 64],
      [4, 3, 1024, 10_000, 32],
    ]) {
      const scaling = {
        kind: 'llama3',
        factor,
        lowFreqFactor: 1,
        highFreqFactor: high,
        originalContext: context,
      } as const;
      assert.deepEqual(scalingOf(factorsOf({ theta, scaling }, width), theta), scaling);
    }
  });

  it('finds an equal rule where both limits are another multiple', () => {
    const scaling = {
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 2,
      highFreqFactor: 8,
      originalContext: 8192,
    } as const;
    const found = scalingOf(factorsOf({ theta: 500_000, scaling }, 128), 500_000);
    assert.deepEqual(found, { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 4096 });
  });

  it('keeps divisors that follow no rule, and drops those that change nothing', () => {
    const factors = [1, 2, 1.5, 8];
    assert.deepEqual(scalingOf(factors, 10_000), { kind: 'factors', factors });
    assert.deepEqual(scalingOf([1, 1], 10_000), { kind: 'default' });
    const rope: Rope = { theta: 10_000, scaling: { kind: 'factors', factors } };
    const plain = rotaryFrequencies({ theta: 10_000, scaling: { kind: 'default' } }, 8);
    assert.deepEqual(
      [...rotaryFrequencies(rope, 8)],
      [...plain].map((frequency, i) => frequency / factors[i]),
    );
  });
});

describeShared('a model in a GGUF file', () => {
  const stories = shared('models/stories260K-gguf/stories260K-q4_0.gguf');
  const place = (): string => join(temporaryFolder(), 'm.gguf');
  const edited = (edit: (content: GgufContent) => void, from = stories): Promise<string> =>
    editGguf(from, place(), edit);
  const withKey = (key: string, bytes: Buffer): Promise<string> => edited(({ metadata }) => metadata.set(key, bytes));

  it('has the architecture and config of the checkpoint it was made from', async () => {
    for (const name of ['llama-bias', 'llama-linear-rope', 'llama3-rope', 'qwen3-qknorm']) {
      const made = await openCheckpoint(shared('models/families-gguf', `${name}.gguf`));
      const from = await openCheckpoint(shared('models/families', name));
      const { bosTokenId: _b, eosTokenIds: _e, ...architecture } = made.architecture!;
      const { bosTokenId: _b2, eosTokenIds: _e2, ...expected } = from.architecture!;
      assert.deepEqual(architecture, expected, name);
      assert.equal(made.config?.model_type, from.config?.model_type);
    }
  });

  it('is found in its folder, and by any of its files', async () => {
    const folder = temporaryFolder();
    const { metadata, tensors } = await readGgufContent(stories);
    const half = Math.ceil(tensors.length / 2);
    [tensors.slice(0, half), tensors.slice(half)].forEach((part, i) => {
      const split = [
        ['split.no', value('u16', Buffer.from(Uint16Array.of(i).buffer))] as const,
        ['split.count', value('u16', Buffer.from(Uint16Array.of(2).buffer))] as const,
        ['split.tensors.count', value('i32', u32(tensors.length))] as const,
      ];
      const own = new Map([...(i === 0 ? metadata : []), ...split]);
      writeFileSync(join(folder, `m-0000${i + 1}-of-00002.gguf`), ggufBytes({ metadata: own, tensors: part }));
    });
    const whole = await openCheckpoint(stories);
    for (const path of [folder, join(folder, 'm-00001-of-00002.gguf'), join(folder, 'm-00002-of-00002.gguf')]) {
      const { format, architecture, shards } = await openCheckpoint(path);
      assert.deepEqual([format, shards.length], ['gguf-sharded', 2]);
      assert.deepEqual(architecture, whole.architecture);
    }
    writeFileSync(join(folder, 'other.gguf'), '');
    await assert.rejects(openCheckpoint(folder), /2 models in GGUF files/);
  });

  it('misses no file of several', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'm-00001-of-00002.gguf'), readFileSync(stories));
    const path = join(folder, 'm-00001-of-00002.gguf');
    await assert.rejects(openCheckpoint(path), /m-00002-of-00002\.gguf/);
    writeFileSync(join(folder, 'm-00002-of-00002.gguf'), readFileSync(stories));
    await assert.rejects(openCheckpoint(path), /is not the file that its name says/);
    await assert.rejects(
      openCheckpoint(await withKey('split.count', value('u16', Buffer.from(Uint16Array.of(2).buffer)))),
      /one of 2 files of a model/,
    );
  });

  const UNSUPPORTED: readonly (readonly [string, Buffer, RegExp])[] = [
    ['general.architecture', s('mamba'), /general\.architecture is "mamba"/],
    ['general.architecture', s('constructor'), /general\.architecture is "constructor"/],
    ['general.architecture', u(3), /general\.architecture is not a text/],
    ['llama.logit_scale', f(0.5), /llama\.logit_scale is 0\.5/],
    ['llama.rope.scaling.type', s('ntk'), /scaled by "ntk"/],
    ['llama.rope.scaling.type', s('longrope'), /longrope", in part only/],
    ['llama.attn_logit_softcapping', f(50), /attn_logit_softcapping is 50/],
    ['llama.rope.dimension_count', u(4), /only 4 of the 8/],
    ['llama.attention.value_length', u(16), /16 numbers a head/],
  ];
  for (const [key, bytes, why] of UNSUPPORTED) {
    it(`is inspected, and not computed with, if ${key} says so: ${why.source}`, async () => {
      const { unsupported, architecture } = await openCheckpoint(await withKey(key, bytes));
      assert.match(unsupported?.why ?? '', why);
      assert.equal(architecture, undefined);
    });
  }

  const BAD: readonly (readonly [string, Buffer, RegExp])[] = [
    ['llama.block_count', u(2 ** 31), /m\.gguf: metadata "llama\.block_count" is not valid/],
    ['llama.block_count', u(6), /"blk\.5\.attn_norm\.weight" is missing/],
    ['llama.feed_forward_length', u(128), /"blk\.0\.ffn_gate\.weight" disagrees with the metadata/],
    ['llama.attention.head_count', list('u32', [u32(8), u32(8)]), /it lists 2 numbers for 5 blocks/],
    ['llama.attention.head_count', s('eight'), /eight is not a whole number/],
    ['llama.attention.head_count_kv', u(3), /3 key-value heads of block 0 cannot be shared by 8 query heads/],
    ['llama.attention.key_length', u(7), /a head of 7/],
    ['llama.expert_count', u(8), /"llama\.expert_used_count" is not valid/],
    ['llama.context_length', s('long'), /"llama\.context_length"/],
    ['llama.attention.layer_norm_rms_epsilon', f(NaN), /NaN is not a number/],
    ['llama.rope.freq_base', f(-1), /"llama\.rope\.freq_base"/],
  ];
  for (const [key, bytes, message] of BAD) {
    it(`is refused with file and key if ${key} is wrong: ${message.source}`, async () => {
      await assert.rejects(openCheckpoint(await withKey(key, bytes)), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('needs numbers above 0 as divisors of its rotation, one for each pair', async () => {
    const factors = (...values: number[]): Promise<string> =>
      edited(({ tensors }) =>
        tensors.push({
          name: 'rope_freqs.weight',
          dtype: 'F32',
          shape: [values.length],
          data: Buffer.from(Float32Array.from(values).buffer),
        }),
      );
    await assert.rejects(openCheckpoint(await factors(1, 0, 1, 1)), /number 1 is 0/);
    await assert.rejects(openCheckpoint(await factors(1, 1)), /a head of 8 has 4 pairs/);
    const { architecture } = await openCheckpoint(await factors(1, 3, 2, 4));
    assert.deepEqual(plainShape(architecture!.layers[0]).rope?.scaling, { kind: 'factors', factors: [1, 3, 2, 4] });
  });

  it('is inspected if a weight has a type that Coppice does not read', async () => {
    const path = await edited(({ tensors }) => {
      const at = tensors.findIndex(({ name }) => name === 'blk.1.ffn_up.weight');
      const { name, shape } = tensors[at];
      tensors[at] = { name, shape, dtype: 'MXFP4', data: Buffer.alloc((shape[0] * shape[1] * 17) / 32) };
    });
    const { unsupported } = await openCheckpoint(path);
    assert.match(unsupported?.why ?? '', /"blk\.1\.ffn_up\.weight" is stored as MXFP4/);
    assert.equal(unsupported?.described?.layers.length, 5);
  });

  it('notes tensors that the model does not use', async () => {
    const path = await edited(({ tensors }) =>
      tensors.push({ name: 'blk.9.extra.weight', dtype: 'F32', shape: [1], data: Buffer.alloc(4) }),
    );
    const { notes } = await openCheckpoint(path);
    assert.deepEqual(notes, ['stored but not used by the model: blk.9.extra.weight']);
  });

  it('never ends in anything but a checkpoint or an error for the user, whatever the bytes', async function () {
    this.timeout('2m');
    const next = uniform(20);
    const sound = readFileSync(stories);
    const { metadata } = await (async () => readGgufContent(stories))();
    const start = sound.indexOf('general.architecture') - 8;
    const vocabulary = sound.indexOf('tokenizer.ggml.tokens');
    const after = sound.indexOf('tokenizer.ggml.bos_token_id');
    assert.ok(metadata.size > 10 && start > 0 && vocabulary > start && after > vocabulary);
    const path = place();
    const odd = [0, 1, 4, 9, 12, 31, 127, 255];
    const files = full ? 1500 : 300;
    let opened = 0;
    for (let i = 0; i < files; i++) {
      const bytes = Buffer.from(sound);
      // Most of the file is vocabulary and weights; what describes the model lies around them.
      const end = bytes.indexOf('token_embd.weight') + 3000;
      for (let edits = 1 + Math.floor(next() * 3); edits > 0; edits--) {
        const at = next() < 0.5 ? next() * vocabulary : after + next() * (end - after);
        bytes[Math.floor(at)] = odd[Math.floor(next() * odd.length)];
      }
      writeFileSync(path, next() < 0.1 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes);
      try {
        await openCheckpoint(path);
        opened++;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }
    assert.ok(opened > files / 15 && opened < (files * 14) / 15, `${opened} opened`);
  });

  it('of the known broken files computes with none', async () => {
    const folder = shared('data/bad-gguf');
    const expected = new Map(
      readFileSync(join(folder, 'EXPECTED.tsv'), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split('\t'))
        .map(([file, , outcome]) => [file, outcome] as const),
    );
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.gguf'))) {
      const outcome = expected.get(name);
      assert.ok(outcome, name);
      const found = await openCheckpoint(join(folder, name)).catch((error: unknown) => {
        assert.ok(error instanceof UserError, `${name}: ${String(error)}`);
        return error;
      });
      if (!(found instanceof UserError)) assert.ok(found.unsupported, name);
    }
  });
});
