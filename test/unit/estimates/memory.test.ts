/** Memory of jobs that write checkpoints: pieces of tensors, the words of a GGUF file, and what computed before. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { memoryOf } from '../../../src/estimates/memory';
import { modelsAt } from '../../../src/estimates/models';
import type { JsonObject } from '../../../src/format/json';
import type { Kind } from '../../../src/jobs/kinds';
import { architectureOf } from '../../support/checkpoint-files';

const calibration = resolve(import.meta.dirname, '../../../media/sample/calibration.txt');
const shape = (hidden: number, vocabulary: number): ReturnType<typeof architectureOf> =>
  architectureOf({
    ...{ hidden_size: hidden, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
    ...{ num_key_value_heads: 3, vocab_size: vocabulary, tie_word_embeddings: true },
  });
const small = shape(576, 49_152);
const known = {
  stored: { architecture: small, bytes: 270e6 },
  quantized: { architecture: small, bytes: 85e6 },
  words: { architecture: shape(576, 262_144), bytes: 120e6 },
  large: { architecture: shape(4608, 49_152), bytes: 20e9 },
};
const models = modelsAt((path) => (path in known ? known[path as keyof typeof known] : undefined));

/** In MB; all memory is free. */
function told(kind: Kind, checkpoint: keyof typeof known, more: JsonObject = {}): number {
  const options = { checkpoint, calibration, out: 'o', ...more };
  return memoryOf({ kind, options }, models, { total: 25e9, free: 25e9 })! / 1e6;
}

const blocks = { blocks: [3, 4] };
const scored = { criterion: 'ppl', count: 2, samples: 4 };

describe('the memory of writing a checkpoint', () => {
  it('does not grow with the tensors, which are written a piece at a time', () => {
    assert.equal(told('prune', 'large', blocks), told('prune', 'stored', blocks));
    assert.equal(told('merge', 'stored', { adapter: 'a' }), told('prune', 'stored', blocks));
  });

  it('grows with the words of a GGUF file, which go into a tokenizer.json', () => {
    const more = told('prune', 'words', blocks) - told('prune', 'quantized', blocks);
    assert.ok(Math.abs(more / (1200e-6 * (262_144 - 49_152)) - 1) < 1e-9, String(more));
    assert.ok(told('prune', 'quantized', blocks) > told('prune', 'stored', blocks));
  });

  it('comes on top of what computed before', () => {
    const words = told('prune', 'quantized', blocks) - told('prune', 'stored', blocks);
    const score = told('score', 'quantized', { criterion: 'ppl', samples: 4 });
    assert.ok(Math.abs(told('prune', 'quantized', scored) - score - words) < 1e-6);
    const healed = told('prune', 'quantized', { ...scored, heal: true, tokens: 8192 });
    assert.ok(healed > score + words, String(healed));
    assert.ok(told('iterate', 'quantized', { ...scored, method: 'none' }) >= score + words);
    assert.ok(told('width', 'quantized', { method: 'flap', ratio: 0.2 }) > words + 200);
  });
});
