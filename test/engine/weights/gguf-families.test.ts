/**
 * Further families in GGUF files that Coppice wrote: the same model as the checkpoint that they were written from, and the same
 * as the checkpoint that is written from them.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Architecture } from '../../../src/engine/checkpoint/architecture';
import { readConfigArchitecture } from '../../../src/engine/checkpoint/config';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { UserError } from '../../../src/engine/errors';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import { viewWithout } from '../../../src/engine/model/view';
import { newRecord } from '../../../src/engine/records/record';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { type GgufOptions, writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { writeModified } from '../../../src/engine/write/modified';
import { familyRows, familyToy } from '../../support/family-toys';
import { editGguf } from '../../support/gguf-edits';
import { u32, value } from '../../support/gguf-files';
import { itLlamaCpp, logitsOfEach } from '../../support/llamacpp';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { describeShared, itFull } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const fresh = (): string => join(temporaryFolder(), 'model.gguf');

async function asGguf(source: Checkpoint, options: GgufOptions = {}): Promise<{ file: string; architecture: string }> {
  const file = fresh();
  const { architecture } = await withWeights(source, (weights) => writeGguf(source, weights, file, options));
  return { file, architecture };
}

async function asSafetensors(source: Checkpoint, removed: readonly number[] = []): Promise<Checkpoint> {
  const out = join(temporaryFolder(), 'out');
  const record = (): ReturnType<typeof newRecord> =>
    newRecord({ kind: 'prune', inputs: [], settings: {}, results: {}, started: new Date() });
  const parts = { removed: [...removed], changes: [], notes: {}, card: () => Promise.resolve(''), record };
  await writeModified(source, parts, out, {});
  return openCheckpoint(out);
}

/** What a file can say of a model: no windows in architectures of llama.cpp that ignore them. */
function comparable({ family, layers, style, hidden, vocabulary, context, rmsNormEps, tied }: Architecture): object {
  return { family, layers, style, hidden, vocabulary, context, rmsNormEps, tied };
}

/** Logits of what follows two prompts, one after the other, without some blocks. */
function logitsOf(checkpoint: Checkpoint, prompts: Prompts, removed: readonly number[] = []): Promise<Float32Array[]> {
  const view = viewWithout(
    checkpoint.architecture!.layers.length,
    removed.map((block) => ({ block })),
  );
  return withModelOf(checkpoint, async (model) => {
    const all: Float32Array[] = [];
    for (const prompt of prompts) all.push(...(await decodedLogits(model, [prompt], view)));
    return all;
  });
}

type Prompts = readonly (readonly number[])[];

const promptsOf = (toy: string): Prompts => [familyRows(toy)[0], familyRows(toy)[1].slice(0, 9)];

/** The same up to the rounding of divisors and of factors to float32. */
function assertClose(found: readonly Float32Array[], expected: readonly Float32Array[], name: string): void {
  found.forEach((logits, i) => {
    const worst = logits.reduce((most, each, id) => Math.max(most, Math.abs(each - expected[i][id])), 0);
    assert.ok(worst <= 1e-4, `${name}: off by ${worst}`);
  });
}

const TOYS: readonly (readonly [toy: string, config?: Readonly<Record<string, unknown>>])[] = [
  ['gemma-tied'],
  ['gemma2-softcap'],
  ['gemma3-pattern'],
  ['gemma3-five-to-one'],
  ['phi3-partial'],
  ['phi3-longrope', { sliding_window: null }],
  ['granite-multipliers'],
  ['olmo2-postnorm'],
  ['smollm3-nope'],
  ['llama-yarn', { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 } }],
];

describeShared('further families in GGUF files', () => {
  for (const [toy, config] of TOYS) {
    it(`${toy} is the model that it was written from, also as its config.json says`, async () => {
      const from = await openToy(familyToy(toy, config));
      const made = await openCheckpoint((await asGguf(from)).file);
      assert.deepEqual(comparable(made.architecture!), comparable(from.architecture!));
      const described = readConfigArchitecture(made.config!);
      assert.ok(!('why' in described));
      assert.deepEqual(comparable(described), comparable(made.architecture!));
      const prompts = promptsOf(toy);
      assertClose(await logitsOf(made, prompts), await logitsOf(from, prompts), toy);
    });
  }

  /** Fails unless the checkpoint that is written without two blocks computes the same, bit for bit. */
  const assertWritten = async (toy: string): Promise<void> => {
    const made = await openCheckpoint((await asGguf(await openToy(familyToy(toy)))).file);
    const removed = [1, 2];
    const written = await asSafetensors(made, removed);
    assert.equal(written.format, 'safetensors');
    const prompts = promptsOf(toy);
    assert.deepEqual(await logitsOf(written, prompts), await logitsOf(made, prompts, removed), toy);
  };

  it('safetensors from them have w where the files have 1 + w, and compute the same', () =>
    assertWritten('gemma3-pattern'));

  itFull('so do those of the other families', async () => {
    for (const toy of [
      'gemma-tied',
      'gemma2-softcap',
      'phi3-partial',
      'granite-multipliers',
      'olmo2-postnorm',
      'smollm3-nope',
    ])
      await assertWritten(toy);
  });

  it('refuses safetensors of a rotation or of scores that no config says', async () => {
    const yarn = await openCheckpoint((await asGguf(await openToy(familyToy('llama-yarn')))).file);
    await assert.rejects(asSafetensors(yarn), /cannot be written as a checkpoint/);
    const { file } = await asGguf(await openToy(familyToy('llama-dynamic')));
    const factor = value('f32', Buffer.from(Float32Array.of(1.5).buffer));
    const edited = await editGguf(file, fresh(), ({ metadata }) =>
      metadata.set('llama.rope.scaling.attn_factor', factor),
    );
    const scaled = await openCheckpoint(edited);
    assert.equal(scaled.architecture!.style.scoreScale, 2.25 / 4);
    await assert.rejects(
      asSafetensors(scaled),
      (error) => error instanceof UserError && error.why.includes('attn_factor'),
    );
  });

  it('a list of windows is read, and of another length refused', async () => {
    const { file } = await asGguf(await openToy(familyToy('gemma2-softcap')), { kept: [0, 1, 3, 4] });
    const { architecture } = await openCheckpoint(file);
    assert.deepEqual(
      architecture!.layers.map(plainShape).map(({ window }) => window),
      [10, null, null, 10],
    );
    const key = 'gemma2.attention.sliding_window_pattern';
    const period = await editGguf(file, fresh(), ({ metadata }) => metadata.set(key, value('u32', u32(4))));
    const windows = (await openCheckpoint(period)).architecture!.layers.map(plainShape).map(({ window }) => window);
    assert.deepEqual(windows, [10, 10, 10, null]);
    const short = await editGguf(file, fresh(), ({ metadata }) =>
      metadata.set('gemma2.block_count', value('u32', u32(3))),
    );
    await assert.rejects(openCheckpoint(short), /sliding_window_pattern/);
  });

  it('what an architecture has in llama.cpp and Coppice does not compute is refused by name', async () => {
    const refused = async (toy: string, key: string, bytes: Buffer): Promise<string | undefined> => {
      const { file } = await asGguf(await openToy(familyToy(toy)));
      const { unsupported } = await openCheckpoint(
        await editGguf(file, fresh(), ({ metadata }) => metadata.set(key, bytes)),
      );
      return unsupported?.why;
    };
    assert.match((await refused('olmo2-postnorm', 'olmo2.attention.sliding_window', value('u32', u32(9))))!, /OLMo 3/);
    assert.match(
      (await refused('gemma-tied', 'gemma.rope.dimension_count', value('u32', u32(8))))!,
      /only 8 of the 24/,
    );
    const half = value('f32', Buffer.from(Float32Array.of(0.5).buffer));
    const key = 'rope.scaling.attn_factor';
    assert.match((await refused('smollm3-nope', `smollm3.${key}`, half))!, /a part of it is not rotated/);
  });

  itLlamaCpp('pruned, they keep what llama.cpp takes by the numbers of blocks', async () => {
    const cases: { toy: string; ours: Float32Array[]; file: string; rows: Prompts }[] = [];
    for (const [toy, removed, architecture] of [
      ['gemma3-five-to-one', [0, 3], 'gemma3'],
      ['gemma2-softcap', [2], 'gemma2'],
      ['phi3-partial', [2, 5], 'phi3'],
      ['smollm3-nope', [3, 7], 'llama'],
    ] as const) {
      const from = await openToy(familyToy(toy));
      const made = await openCheckpoint((await asGguf(from)).file);
      const kept = [...made.architecture!.layers.keys()].filter(
        (block) => !(removed as readonly number[]).includes(block),
      );
      const pruned = await asGguf(made, { kept, type: 'f32' });
      assert.equal(pruned.architecture, architecture);
      assert.equal((await openGguf(pruned.file)).metadata.get('general.architecture')?.value, architecture);
      const rows = promptsOf(toy);
      cases.push({ toy, ours: await logitsOf(from, rows, removed), file: pruned.file, rows });
    }
    const theirs = logitsOfEach(cases, 64);
    for (const [c, { toy, ours }] of cases.entries()) {
      // GELU comes from a table in 16 bits in llama.cpp, as in gguf-families.test.ts of write.
      ours.forEach((logits, i) => {
        const worst = logits.reduce((most, each, id) => Math.max(most, Math.abs(each - theirs[c][i][id])), 0);
        assert.ok(worst <= 2e-2, `${toy}: off by ${worst}`);
      });
    }
  });
});
