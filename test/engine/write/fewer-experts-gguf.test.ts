/** GGUF files with fewer experts: the bytes of the source, what the metadata say, and what llama.cpp computes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { newRecord } from '../../../src/engine/records/record';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { FewerExperts } from '../../../src/engine/weights/fewer-experts';
import { writeFewerExperts } from '../../../src/engine/write/experts';
import { expertToy } from '../../support/expert-toys';
import { familyToy } from '../../support/family-toys';
import { goldenExperts } from '../../support/golden';
import { asGguf, assertContinues } from '../../support/golden-gguf';
import { itLlamaCpp } from '../../support/llamacpp';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const writing = {
  card: () => 'card',
  record: () => newRecord({ kind: 'experts', inputs: [], settings: {}, results: {}, started: new Date() }),
};

/** The path of the file with the same experts in every block that stays. */
async function fewer(
  from: Checkpoint,
  experts: readonly number[] | ((block: number) => readonly number[]),
  removed: readonly number[] = [],
): Promise<string> {
  const blocks = [...requireArchitecture(from).layers.keys()].filter((block) => !removed.includes(block));
  const of = typeof experts === 'function' ? experts : () => experts;
  const out = join(temporaryFolder(), 'fewer.gguf');
  const kept = new Map(blocks.map((block) => [block, of(block)]));
  const written = await writeFewerExperts(from, { kept, removed, ...writing }, out);
  assert.equal(written.out, out);
  return out;
}

const tensorsOf = async (file: string) => {
  const [{ tensors }, bytes] = [await openGguf(file), readFileSync(file)];
  return new Map(
    tensors.map((each) => [each.name, { ...each, data: bytes.subarray(each.offset, each.offset + each.bytes) }]),
  );
};

describe('GGUF files with fewer experts', () => {
  for (const [config, type] of [
    [{}, 'q4_0'],
    [{ model_type: 'granitemoehybrid', mamba_n_heads: 16, layer_types: ['mamba', 'attention'] }, 'q8_0'],
  ] as const) {
    it(`have the bytes of the source in ${type}: slices of stacks, rows of routers, everything else whole`, async () => {
      const toy = expertToy(config);
      const file = await asGguf(await openToy(toy), [], { type });
      const from = await openCheckpoint(file);
      const kept = [0, 2];
      const out = await fewer(from, kept);
      const [before, after] = [await tensorsOf(file), await tensorsOf(out)];
      assert.deepEqual([...after.keys()], [...before.keys()]);
      for (const [name, { data, shape, dtype }] of before) {
        const own = after.get(name)!;
        assert.equal(own.dtype, dtype);
        const isOfExperts = /_exps\.weight$|ffn_gate_inp/.test(name);
        assert.deepEqual(own.shape, isOfExperts ? [kept.length, ...shape.slice(1)] : shape, name);
        const size = data.length / shape[0];
        const expected = isOfExperts ? Buffer.concat(kept.map((e) => data.subarray(e * size, (e + 1) * size))) : data;
        assert.ok(own.data.equals(expected), name);
      }
      const [was, is] = [(await openGguf(file)).metadata, (await openGguf(out)).metadata];
      const changed = [...was].flatMap(([key, { value }]) => (is.get(key)?.value === value ? [] : [key]));
      const architecture = was.get('general.architecture')?.value as string;
      assert.deepEqual(
        changed.filter((key) => !key.startsWith('general.') && typeof was.get(key)?.value !== 'object'),
        [`${architecture}.expert_count`],
      );
      assert.equal(is.get(`${architecture}.expert_count`)?.value, kept.length);
      // The file of a folder with fewer experts is the same.
      const folder = join(temporaryFolder(), 'fewer');
      const chosen = new Map([0, 1].map((block) => [block, kept]));
      await writeFewerExperts(await openToy(toy), { kept: chosen, removed: [], ...writing }, folder);
      const exported = await tensorsOf(await asGguf(await openCheckpoint(folder), [], { type }));
      for (const [name, { data }] of after) assert.ok(exported.get(name)!.data.equals(data), name);
      const row = [5, 17, 99, 250, 3];
      const found = await withModelOf(await openCheckpoint(out), (model) => decodedLogits(model, [row]));
      const expected = await withModelOf(from, async (model) => {
        const view = await model.withWeights(new FewerExperts(checkpointWeights(from), chosen));
        try {
          return await decodedLogits(view, [row]);
        } finally {
          await view.close();
        }
      });
      assert.deepEqual(found, expected);
    });
  }

  describeShared('in llama.cpp', () => {
    itLlamaCpp('continue prompts as the pruned model does in transformers', async () => {
      const hybrid = await openToy(familyToy('granite4-hybrid', {}, 'families3'));
      const whole = await openCheckpoint(await asGguf(hybrid, [], { type: 'f32' }));
      const qwen = await openCheckpoint(shared('models/gguf-families3/qwen3moe-norm-without-2.gguf'));
      const wide = await openCheckpoint(await asGguf(qwen, [], { type: 'f32' }));
      const pruned = goldenExperts('families3/qwen3moe-norm').pruned;
      const listed = pruned.find(({ method, ratio }) => method === 'reap' && ratio === 0.25)!.kept;
      // Block 2 of the toy is dense and not in the file.
      const inFile = new Map(listed.map(({ block, experts }) => [block > 2 ? block - 1 : block, experts]));
      assertContinues([
        {
          title: 'granite4-hybrid without blocks 0, 2, experts 0, 2, 3, 5',
          file: await fewer(whole, [0, 2, 3, 5], [0, 2]),
        },
        { title: 'qwen3moe-norm without block 2, 6 of 8 experts', file: await fewer(wide, (b) => inFile.get(b)!) },
      ]);
    });
  });
});
