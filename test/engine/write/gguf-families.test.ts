/** GGUF files of further families: llama.cpp computes the logits that Coppice computes with the model that they were written from. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { viewWithout } from '../../../src/engine/model/view';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { familyRows, familyToy } from '../../support/family-toys';
import { itLlamaCpp, itLlamaCppFull, logitsOfLlamaCpp } from '../../support/llamacpp';
import { decodedLogits, openToy, withModelOf } from '../../support/model';
import { describeShared, itShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

interface Case {
  readonly toy: string;
  /** Blocks that are left out. */
  readonly removed?: readonly number[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture: string;
}

/** Longer than every window and every original context that is to be exceeded, and shorter ones. */
const prompts = (): readonly (readonly number[])[] => {
  const rows = familyRows('gemma-tied');
  return [rows[0], rows[1].slice(0, 25), rows[2].slice(0, 1)];
};

/** Tokens that llama.cpp is made ready for. */
const CONTEXT = 64;

/**
 * Largest difference of a logit, where logits reach 5 to 24: llama.cpp takes GELU from a table in 16 bits, which gave up to
 * 7e-3; without it, 6e-5 were seen. A window, a rotation, a factor or a norm that is wrong gives 0.5 and more.
 */
const TOLERANCE = { gelu: 2e-2, silu: 2e-4 };

async function written({ toy, removed = [], config }: Case): Promise<{
  checkpoint: Checkpoint;
  file: string;
  architecture: string;
  notes: readonly string[];
}> {
  const checkpoint = await openToy(familyToy(toy, config));
  const kept = [...checkpoint.architecture!.layers.keys()].filter((block) => !removed.includes(block));
  const file = join(temporaryFolder(), 'model.gguf');
  const result = await withWeights(checkpoint, (weights) =>
    writeGguf(checkpoint, weights, file, { kept, type: 'f32' }),
  );
  return { ...result, checkpoint, file };
}

/** Fails unless llama.cpp gives the logits of each model without its removed blocks. */
async function assertComputes(cases: readonly Case[]): Promise<void> {
  const models = [];
  for (const each of cases) models.push({ ...each, ...(await written(each)), expected: each.architecture });
  const rows = prompts();
  const logits = logitsOfLlamaCpp(
    models.map(({ file }) => file),
    rows,
    CONTEXT,
  );
  for (const [at, { toy, removed = [], checkpoint, architecture, expected }] of models.entries()) {
    const name = `${toy} without ${removed.join() || 'nothing'}`;
    assert.equal(architecture, expected, name);
    const { layers, style } = checkpoint.architecture!;
    const view = viewWithout(
      layers.length,
      removed.map((block) => ({ block })),
    );
    await withModelOf(checkpoint, async (model) => {
      for (const [i, row] of rows.entries()) {
        const [ours] = await decodedLogits(model, [row], view);
        const worst = ours.reduce((most, value, id) => Math.max(most, Math.abs(value - logits[at][i][id])), 0);
        assert.ok(worst <= TOLERANCE[style.activation], `${name}, ${row.length} tokens: off by ${worst}`);
      }
    });
  }
}

const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 };

describeShared('write/gguf of further families', () => {
  itLlamaCpp(
    'llama.cpp computes what Coppice does: norms of 1 + w, caps, windows, factors, fused and unrotated blocks',
    () =>
      assertComputes([
        { toy: 'gemma-tied', architecture: 'gemma' },
        { toy: 'gemma2-softcap', removed: [2], architecture: 'gemma2' },
        { toy: 'gemma3-pattern', removed: [0, 4], architecture: 'gemma3' },
        { toy: 'phi3-partial', removed: [1, 3], architecture: 'phi3' },
        { toy: 'granite-multipliers', removed: [0, 5], architecture: 'granite' },
        { toy: 'olmo2-postnorm', removed: [2, 3], architecture: 'olmo2' },
        { toy: 'smollm3-nope', removed: [0, 1, 2, 3], architecture: 'smollm3' },
        { toy: 'llama-yarn', removed: [3], architecture: 'llama' },
      ]),
  );

  itLlamaCppFull('so do the whole models, and other blocks left out', () =>
    assertComputes([
      { toy: 'gemma2-softcap', architecture: 'gemma2' },
      { toy: 'gemma2-softcap', removed: [0, 1], architecture: 'gemma2' },
      { toy: 'gemma3-pattern', architecture: 'gemma3' },
      { toy: 'gemma3-five-to-one', architecture: 'gemma3' },
      { toy: 'gemma3-five-to-one', removed: [5, 8], architecture: 'gemma3' },
      { toy: 'phi3-partial', architecture: 'phi3' },
      { toy: 'granite-multipliers', architecture: 'granite' },
      { toy: 'olmo2-postnorm', architecture: 'olmo2' },
      { toy: 'olmo2-postnorm', config: { tie_word_embeddings: true }, architecture: 'olmo2' },
      { toy: 'smollm3-nope', architecture: 'smollm3' },
      { toy: 'smollm3-nope', removed: [3, 7], architecture: 'llama' },
      { toy: 'llama-yarn', architecture: 'llama' },
    ]),
  );

  itLlamaCppFull('rotations are scaled as they should', () => {
    const longrope = { short_factor: [1, 1, 1, 1, 1, 1, 1, 1.5], long_factor: [1, 1, 1.3, 1, 2, 1, 1, 2.5], factor: 2 };
    const ownYarn = { ...yarn, attention_factor: 0.7, truncate: false };
    const late = { original_max_position_embeddings: 256, max_position_embeddings: 512 };
    const long = { original_max_position_embeddings: 16 };
    return assertComputes([
      // Both sides of the original context: short factors up to 256 tokens, long ones above.
      { toy: 'phi3-longrope', config: { sliding_window: null, ...late }, architecture: 'phi3' },
      { toy: 'llama-yarn', config: { rope_scaling: yarn }, architecture: 'llama' },
      { toy: 'llama-yarn', config: { rope_scaling: ownYarn }, architecture: 'llama' },
      { toy: 'olmo2-postnorm', config: { rope_scaling: { ...yarn, attention_factor: 0.9 } }, architecture: 'olmo2' },
      { toy: 'gemma2-softcap', config: { rope_scaling: yarn }, architecture: 'gemma2' },
      { toy: 'gemma3-pattern', config: { rope_scaling: yarn, rope_local_base_freq: 777 }, architecture: 'gemma3' },
      {
        toy: 'granite-multipliers',
        config: { rope_scaling: { rope_type: 'longrope', ...longrope, ...late } },
        architecture: 'granite',
      },
      {
        toy: 'granite-multipliers',
        config: { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, ...long } },
        architecture: 'granite',
      },
    ]);
  });

  itLlamaCppFull('llama.cpp takes long factors by its context, as the note says', async () => {
    const toy = 'phi3-longrope';
    const { checkpoint, file, notes } = await written({ toy, config: { sliding_window: null }, architecture: 'phi3' });
    assert.match(notes.join(), /more than 20 tokens; llama\.cpp takes them where its context/);
    const [long, short] = [familyRows(toy)[0], familyRows(toy)[0].slice(0, 12)];
    const [theirs] = logitsOfLlamaCpp([file], [long, short], CONTEXT);
    await withModelOf(checkpoint, async (model) => {
      const off = async (prompt: readonly number[], logits: readonly number[]): Promise<number> => {
        const [ours] = await decodedLogits(model, [prompt]);
        return Math.max(...ours.map((value, id) => Math.abs(value - logits[id])));
      };
      assert.ok((await off(long, theirs[0])) < TOLERANCE.silu);
      assert.ok((await off(short, theirs[1])) > 0.1, 'if llama.cpp goes by the text now, the note is wrong');
    });
  });

  itShared('says what llama.cpp computes otherwise, and from when on', async () => {
    const notesOf = async (each: Omit<Case, 'architecture'>): Promise<string> =>
      (await written({ ...each, architecture: '' })).notes.join('\n');
    assert.match(await notesOf({ toy: 'llama-dynamic' }), /texts of more than 32 tokens get other numbers/);
    assert.match(await notesOf({ toy: 'phi3-longrope' }), /window of 18 tokens[^]*short texts need -c 20/);
    assert.match(await notesOf({ toy: 'gemma2-softcap' }), /^its scores have another factor/);
    assert.match(await notesOf({ toy: 'gemma3-five-to-one', removed: [0] }), /attention\.sliding_window_pattern/);
    assert.equal(await notesOf({ toy: 'gemma3-five-to-one', removed: [8] }), '');
    assert.equal(await notesOf({ toy: 'smollm3-nope', removed: [0, 1, 2, 3] }), '');
  });

  itShared('refuses an order of unrotated blocks that llama.cpp does not have', async () => {
    await assert.rejects(
      written({ toy: 'smollm3-nope', removed: [1], architecture: '' }),
      (error) =>
        error instanceof UserError &&
        error.why.includes('block 2 does not rotate queries and keys, and llama.cpp leaves') &&
        /four in a row.*ONNX/.test(error.action),
    );
  });

  itShared('lists windows only where counting blocks would find others', async () => {
    const listed = async (removed: readonly number[]): Promise<unknown> => {
      const { file } = await written({ toy: 'gemma2-softcap', removed, architecture: '' });
      return (await openGguf(file)).metadata.get('gemma2.attention.sliding_window_pattern')?.value;
    };
    assert.equal(await listed([]), undefined);
    assert.equal(await listed([2, 3]), undefined);
    assert.deepEqual(await listed([2]), { of: 'bool', length: 7, first: [1, 0, 0, 1, 0, 1, 0].map(Boolean) });
  });
});
