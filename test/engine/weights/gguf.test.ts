/** Weights in GGUF files: the same numbers in every way of reading, and the same model as the checkpoint written from them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expertGroups } from '../../../src/engine/checkpoint/kinds/experts';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { keyText, weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { openModel } from '../../../src/engine/model/model';
import { Graph } from '../../../src/engine/onnx/graph';
import { openSession } from '../../../src/engine/onnx/session';
import { checkpointWeights, withWeights } from '../../../src/engine/weights/checkpoint';
import { writeModified } from '../../../src/engine/write/modified';
import { newRecord } from '../../../src/engine/records/record';
import { columnsWithOffsets } from '../../../src/engine/onnx/ops/blocks';
import { storedRows } from '../../../src/engine/weights/blocks/stored';
import { Overlay } from '../../../src/engine/weights/overlay';
import { dequantized, dequantizedWithOffsets } from '../../support/blocks';
import { expertToy } from '../../support/expert-toys';
import { editGguf, ggufBytes, readGgufContent } from '../../support/gguf-edits';
import { u32, value } from '../../support/gguf-files';
import { asGguf } from '../../support/golden-gguf';
import { openToy } from '../../support/model';
import { numbersOf } from '../../support/model-numbers';
import { randomRows } from '../../support/random';
import { describeShared, itFull, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const stories = (type: string): string => shared(`models/stories260K-gguf/stories260K-${type}.gguf`);
const rows = randomRows(3, 20, 288, 41);
/** What 4 bits of the offsets of Q4_1 leave, of the largest number. Seen: 2.5e-3. */
const OFFSETS = 5e-3;

/** The whole model as a checkpoint in safetensors. */
async function written(source: Checkpoint): Promise<Checkpoint> {
  const out = join(temporaryFolder(), 'out');
  const record = (): ReturnType<typeof newRecord> =>
    newRecord({ kind: 'prune', inputs: [], settings: {}, results: {}, started: new Date() });
  await writeModified(
    source,
    { removed: [], changes: [], notes: {}, card: () => Promise.resolve(''), record },
    out,
    {},
  );
  return openCheckpoint(out);
}

describeShared('weights in GGUF files', function () {
  this.timeout('2m');

  for (const type of ['q4_0', 'f16']) {
    it(`of ${type} are the same in a graph as they are read: whole, some rows, and rows by number`, async () => {
      await withWeights(await openCheckpoint(stories(type)), async (weights) => {
        for (const key of weightKeys(weights.architecture)) {
          const [all] = weights.shape(key);
          const some = { start: Math.floor(all / 3), count: Math.max(1, Math.floor(all / 2)) };
          const picked = [all - 1, 0, Math.floor(all / 2)];
          const g = new Graph();
          g.output('whole', weights.bind(g, key));
          g.output('some', weights.bind(g, key, some));
          g.output('picked', weights.bind(g, key, g.indices(picked)));
          const session = await openSession(g.serialize(), { provider: 'cpu', threads: 1 });
          const found = await session.run({});
          const values = async (name: string): Promise<Float32Array> =>
            Float32Array.from((await found[name].getData()) as Float32Array);
          const whole = await weights.read(key);
          const width = whole.length / all;
          const each = picked.flatMap((row) => [...whole.subarray(row * width, (row + 1) * width)]);
          assert.deepEqual(await values('whole'), whole);
          assert.deepEqual(await values('some'), await weights.read(key, some));
          assert.deepEqual(await values('some'), whole.slice(some.start * width, (some.start + some.count) * width));
          assert.deepEqual(await values('picked'), Float32Array.from(each));
          await session.close();
        }
      });
    });
  }

  const sameAsWritten = async (path: string): Promise<void> => {
    const source = await openCheckpoint(path);
    const copy = await written(source);
    const [model, other] = [await openModel(source, { device: 'cpu' }), await openModel(copy, { device: 'cpu' })];
    try {
      const { magnitude: _, ...numbers } = await numbersOf(model, rows);
      const { magnitude: _2, ...expected } = await numbersOf(other, rows);
      assert.deepEqual(numbers, expected);
    } finally {
      await model.close();
      await other.close();
    }
  };

  it('compute what the checkpoint written from them does, bit for bit: scores, texts, gradients', () =>
    sameAsWritten(stories('q4_1')));
  for (const type of ['f16', 'q5_0', 'q8_0', 'iq4_nl']) {
    itFull(`so do those of ${type}`, () => sameAsWritten(stories(type)));
  }
  itFull('so do those of a scaled rotation and of Qwen3', async () => {
    for (const name of ['llama3-rope', 'qwen3-qknorm'])
      await sameAsWritten(shared(`models/families-gguf/${name}.gguf`));
  });

  it('in several files are those in one', async () => {
    const folder = temporaryFolder();
    const { metadata, tensors } = await readGgufContent(stories('q5_1'));
    const parts = [tensors.slice(0, 0), tensors.slice(0, 20), tensors.slice(20)];
    parts.forEach((part, i) => {
      const short = (number: number): Buffer => value('u16', Buffer.from(Uint16Array.of(number).buffer));
      const split = [['split.no', short(i)] as const, ['split.count', short(3)] as const];
      const total = ['split.tensors.count', value('i32', u32(tensors.length))] as const;
      const own = new Map([...(i === 0 ? metadata : []), ...split, total]);
      writeFileSync(join(folder, `m-0000${i + 1}-of-00003.gguf`), ggufBytes({ metadata: own, tensors: part }));
    });
    const whole = checkpointWeights(await openCheckpoint(stories('q5_1')));
    await withWeights(await openCheckpoint(folder), async (weights) => {
      for (const key of weightKeys(weights.architecture))
        assert.deepEqual(await weights.read(key), await whole.read(key));
    });
    await whole.close();
  });

  it('are written with config, tokenizer and licence; divisors that no config says are refused', async () => {
    const copy = await written(await openCheckpoint(stories('q8_0')));
    assert.deepEqual(Object.keys(copy.config ?? {}).includes('rope_theta'), true);
    assert.deepEqual(
      new Set([...copy.tensors.values()].map(({ dtype }) => dtype)),
      new Set(['F32', 'F16']),
      'rows of 172 are F16',
    );
    const odd = await editGguf(stories('f16'), join(temporaryFolder(), 'm.gguf'), ({ tensors }) =>
      tensors.push({
        name: 'rope_freqs.weight',
        dtype: 'F32',
        shape: [4],
        data: Buffer.from(Float32Array.of(1, 3, 2, 4).buffer),
      }),
    );
    await assert.rejects(written(await openCheckpoint(odd)), /m cannot be written as a checkpoint/);
  });
});

/** Two key heads, each of two value heads: files have them in another order. */
const DELTA_NET = {
  model_type: 'qwen3_5_text',
  layer_types: ['linear_attention', 'full_attention'],
  head_dim: 16,
  linear_conv_kernel_dim: 4,
  linear_num_key_heads: 2,
  linear_num_value_heads: 4,
  num_local_experts: null,
  num_experts_per_tok: null,
};

describeShared('blocks of GGUF files in int8 and int4', () => {
  const types = { q4_0: 4, q4_1: 4, q8_0: 8 } as const;
  /** @returns the weights whose blocks were taken */
  async function takenOf(file: string, type: keyof typeof types): Promise<string[]> {
    const bits = types[type];
    return withWeights(await openCheckpoint(file), async (weights) => {
      const taken: string[] = [];
      for (const key of weightKeys(weights.architecture)) {
        const [out, width] = weights.shape(key);
        if (weights.stored(key)?.dtype !== type.toUpperCase()) continue;
        const columns = type === 'q4_1' ? columnsWithOffsets(width) : width;
        const some = { start: Math.floor(out / 3), count: Math.floor(out / 2) };
        const rows = await storedRows(weights, key, { bits, width, columns }, some);
        if (!rows) continue;
        const numbers = await weights.read(key, some);
        const found = type === 'q4_1' ? dequantizedWithOffsets(rows, width) : dequantized(rows, width, bits);
        const off = Math.max(...numbers.map((value, i) => Math.abs(value - found[i])));
        const most = Math.max(...numbers.map(Math.abs));
        // Offsets have 4 bits of their own; without them a block is exactly the file's.
        assert.ok(off <= (type === 'q4_1' ? OFFSETS * most : 0), `${keyText(key)}: off by ${off} of ${most}`);
        taken.push(keyText(key));
      }
      return taken;
    });
  }

  for (const type of ['q4_0', 'q4_1', 'q8_0'] as const) {
    it(`those of ${type} are taken as they are`, async () => {
      const taken = await takenOf(stories(type), type);
      assert.ok(taken.length > 20, String(taken.length));
    });
  }

  it('those of experts are taken as they are', async () => {
    const taken = await takenOf(await asGguf(await openToy(expertToy()), [], { type: 'q4_0' }), 'q4_0');
    const wanted = [0, 1, 2].flatMap((expert) => expertGroups(expert).flat());
    assert.deepEqual(
      taken.filter((key) => key.startsWith('1.experts')),
      wanted.map((name) => `1.${name}`),
    );
  });

  it('those of a delta net are taken as they are where heads are whole blocks, else rounded again', async () => {
    for (const [width, isTaken] of [
      [32, true],
      [16, false],
    ] as const) {
      const toy = expertToy({ ...DELTA_NET, linear_key_head_dim: width, linear_value_head_dim: width });
      const taken = await takenOf(await asGguf(await openToy(toy), [], { type: 'q4_0' }), 'q4_0');
      assert.equal(taken.includes('0.deltaOut'), isTaken);
      assert.ok(
        ['0.deltaQkv', '0.deltaGate', '1.o'].every((key) => taken.includes(key)),
        String(taken),
      );
    }
  });

  it('changed weights are not', async () => {
    const source = checkpointWeights(await openCheckpoint(stories('q4_0')));
    const key = { layer: 1, name: 'q' } as const;
    const changed = new Overlay(source, [[key, { kind: 'replace', values: await source.read(key) }]]);
    const wanted = { bits: 4, width: 64, columns: 64 } as const;
    assert.equal(await storedRows(changed, key, wanted, { start: 0, count: 8 }), undefined);
    assert.ok(await storedRows(changed, { layer: 2, name: 'q' }, wanted, { start: 0, count: 8 }));
    assert.ok(await storedRows(source, key, wanted, { start: 0, count: 8 }));
    await changed.close();
  });
});
