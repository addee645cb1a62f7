/** A tokenizer written into a GGUF file and read from it again, and the real llama.cpp: the same ids. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGguf } from '../../../../src/engine/formats/gguf/file';
import type { GgufField } from '../../../../src/engine/formats/gguf/layout';
import { layOutGguf } from '../../../../src/engine/formats/gguf/layout';
import type { GgufArray } from '../../../../src/engine/formats/gguf/metadata';
import { Random } from '../../../../src/engine/random';
import { KNOWN_WORDS } from '../../../../src/engine/tokenizer/gguf/words';
import { loadLocalTokenizer } from '../../../../src/engine/tokenizer/local';
import { tokenizerMetadata } from '../../../../src/engine/tokenizer/gguf/metadata';
import { goldenTokens } from '../../../support/golden';
import { itLlamaCpp, itLlamaCppFull, tokensOfLlamaCpp } from '../../../support/llamacpp';
import { hasShared, itShared, shared, smollm2Gguf } from '../../../support/shared';
import { temporaryFolder } from '../../../support/temporary';
import { writeTinyTokenizer } from '../../../support/tiny-tokenizer';
import { folderWith, sentencePieceToy } from '../toy';
import { ggufWith, randomTexts, text, u32, withVocabulary } from './toy';

const STORED = 'tokenizer.huggingface.json';

/** Texts of the goldens, where they are, and random ones. */
function sampleTexts(count: number): string[] {
  const names = hasShared ? (['smollm2-135m', 'stories260K'] as const) : [];
  const random = new Random(20);
  const goldens = names.flatMap(goldenTokens).flatMap(({ text: each }) => each ?? []);
  return [...goldens, ...randomTexts(count, (limit) => random.below(limit))];
}

/** The ids of a folder's tokenizer equal those of the GGUF file written from it. */
async function checkRoundTrip(folder: string, vocabulary: number, texts: readonly string[]): Promise<void> {
  const { fields } = await tokenizerMetadata(folder, withVocabulary(vocabulary));
  assert.ok(fields.some(([key]) => key === STORED));
  const original = await loadLocalTokenizer(folder);
  for (const kept of [fields, fields.filter(([key]) => key !== STORED)]) {
    const read = await loadLocalTokenizer(ggufWith(kept));
    for (const each of texts) {
      for (const addSpecialTokens of [true, false]) {
        const ids = original.encode(each, { addSpecialTokens });
        assert.deepEqual(read.encode(each, { addSpecialTokens }), ids, JSON.stringify(each));
        for (const skipSpecialTokens of [true, false]) {
          assert.equal(read.decode(ids, { skipSpecialTokens }), original.decode(ids, { skipSpecialTokens }));
        }
      }
    }
  }
}

/** The tiny byte-level tokenizer, with other stages. */
function tinyFolder(change: (json: Record<string, unknown> & { model: Record<string, unknown> }) => void): string {
  const folder = temporaryFolder();
  writeTinyTokenizer(folder);
  const file = join(folder, 'tokenizer.json');
  const json = JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof change>[0];
  change(json);
  writeFileSync(file, JSON.stringify(json));
  return folder;
}

describe('tokenizer/gguf: there and back', function () {
  this.timeout(60_000);
  const texts = sampleTexts(200);

  it('bytes, with each kind of words', async () => {
    for (const { names, stages, ignoreMerges, normalizer } of KNOWN_WORDS) {
      const cuts = stages.map((stage) =>
        stage === 'ByteLevel'
          ? { type: stage, add_prefix_space: false }
          : stage === 'Digits'
            ? { type: stage, individual_digits: true }
            : { type: 'Split', pattern: { Regex: stage }, behavior: 'Isolated', invert: false },
      );
      const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
      const folder = tinyFolder((json) => {
        json.pre_tokenizer = {
          type: 'Sequence',
          pretokenizers: stages.at(-1) === 'ByteLevel' ? cuts : [...cuts, bytes],
        };
        json.normalizer = normalizer ? { type: normalizer } : null;
        json.model.ignore_merges = ignoreMerges;
      });
      const { fields } = await tokenizerMetadata(folder, withVocabulary(300));
      const [, pre] = fields.find(([key]) => key === 'tokenizer.ggml.pre')!;
      assert.deepEqual(pre, text(names[0]));
      await checkRoundTrip(folder, 300, texts.slice(-60));
    }
  });

  it('pieces', async () => {
    const toy = sentencePieceToy();
    const size = Object.keys(toy.model.vocab as object).length;
    toy.added_tokens = [
      ...(toy.added_tokens as object[]),
      { id: size, content: '[tool call]', special: false, normalized: false },
    ];
    // Scores can express it if every split of a token is a merge.
    toy.model.merges = [...(toy.model.merges as string[]), '▁a n', '▁an d', '▁ and', 'a nd', 'an d', '▁th e', '▁t h'];
    const vocabulary = toy.model.vocab as Record<string, number>;
    toy.model.merges = (toy.model.merges as string[]).filter((merge) => merge.replace(' ', '') in vocabulary);
    await checkRoundTrip(folderWith({ 'tokenizer.json': completed(toy) }), size + 9, texts);
  });

  itShared('SmolLM2 and stories260K', async () => {
    await checkRoundTrip(shared('models/smollm2-135m'), 49152, texts);
    await checkRoundTrip(shared('models/stories260K-f32'), 512, texts);
  });

  async function checkLlamaCpp(files: readonly string[], given: readonly string[]): Promise<void> {
    const theirs = tokensOfLlamaCpp(files, given);
    for (const [i, file] of files.entries()) {
      const tokenizer = await loadLocalTokenizer(file);
      const ours = given.map((each) => tokenizer.encode(each, { addSpecialTokens: false }));
      assert.deepEqual(ours, theirs[i].ids, file);
      assert.equal(tokenizer.encode('', { addSpecialTokens: true }).length > 0, theirs[i].bos, file);
    }
  }

  itLlamaCpp('the ids are those of llama.cpp', () =>
    checkLlamaCpp([smollm2Gguf(), shared('models/stories260K-gguf/stories260K-f32.gguf')], texts),
  );

  itLlamaCppFull('the ids are those of llama.cpp with each kind of words', async function (this: Mocha.Context) {
    this.timeout(120_000);
    const kinds = KNOWN_WORDS.filter(({ names }) => !UNLIKE.includes(names[0]));
    await checkLlamaCpp(await Promise.all(kinds.map(({ names }) => withWords(names[0]))), sampleTexts(1000));
  });
});

/** Kinds that llama.cpp follows nearly: it does not normalise, and has other expressions for marks above letters. */
const UNLIKE: readonly string[] = ['qwen2', 'tekken', 'gpt-4o'];

/** All merges that make the tokens, after those given. */
function completed(toy: ReturnType<typeof sentencePieceToy>): unknown {
  const vocabulary = toy.model.vocab as Record<string, number>;
  const merges = new Set(toy.model.merges as string[]);
  const ranks = new Map([...merges].reverse().map((merge, i) => [merge.replace(' ', ''), -i]));
  const tokens = Object.keys(vocabulary).filter((token) => vocabulary[token] > 258 && Array.from(token).length > 1);
  for (const token of tokens) {
    for (let i = 1; i < token.length; i++) {
      if (token.slice(0, i) in vocabulary && token.slice(i) in vocabulary)
        merges.add(`${token.slice(0, i)} ${token.slice(i)}`);
    }
  }
  const order = (merge: string): number => ranks.get(merge.replace(' ', '')) ?? 0;
  return { ...toy, model: { ...toy.model, merges: [...merges].sort((a, b) => order(a) - order(b)) } };
}

/** SmolLM2's tokens in a model of the smallest widths, under another kind of words. */
async function withWords(pre: string): Promise<string> {
  const { metadata } = await openGguf(smollm2Gguf(), undefined, () => true);
  const kept = [...metadata.values()].flatMap(({ key, type, value }): GgufField[] => {
    if (!key.startsWith('tokenizer.') || key === 'tokenizer.ggml.add_bos_token') return [];
    if (key === 'tokenizer.ggml.pre') return [[key, text(pre)]];
    if (type !== 'array') return [[key, { type, value } as GgufField[1]]];
    const { of, first: values } = value as GgufArray;
    return [[key, { type, of, values } as GgufField[1]]];
  });
  const sizes = {
    block_count: 1,
    context_length: 64,
    embedding_length: 8,
    feed_forward_length: 8,
    'attention.head_count': 1,
  };
  const fields: GgufField[] = [
    ['general.architecture', text('llama')],
    ...Object.entries(sizes).map(([key, value]) => [`llama.${key}`, u32(value)] as const),
    ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
    ...kept,
  ];
  const matrices = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
  const shapes: Record<string, number[]> = {
    'token_embd.weight': [49152, 8],
    'output_norm.weight': [8],
    ...Object.fromEntries(matrices.map((name) => [`blk.0.${name}.weight`, [8, 8]])),
    ...{ 'blk.0.attn_norm.weight': [8], 'blk.0.ffn_norm.weight': [8] },
  };
  const tensors = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'F32' as const }));
  const { header, bytes } = layOutGguf(fields, tensors);
  const file = join(temporaryFolder(), `${pre}.gguf`);
  writeFileSync(file, Buffer.concat([header], bytes));
  return file;
}
