/**
 * Healing brings Gemma 3 270M nearer to itself on a text that it was not fitted to: without three blocks that matter, fitted on
 * 64 rows of one book, measured on 12 rows of WikiText-2. The healed file has the same loss in llama.cpp. In test:full, because
 * it takes minutes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { heal } from '../../../src/engine/heal/heal';
import { openModel } from '../../../src/engine/model/model';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { runOn } from '../../support/jobs';
import { itLlamaCppFull } from '../../support/llamacpp';
import { checkLossOfLlamaCpp } from '../../support/llamacpp-loss';
import { gemma3Gguf, itFull, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const LENGTH = 128;
const BOS = 2;

/** Rows of a text from some place on, each with BOS before it. */
async function rowsOf(text: string, count: number, from: number, model: string): Promise<number[][]> {
  const part = readFileSync(text, 'utf8').slice(from, from + 600 * count);
  const tokenizer = await loadTokenizer(model);
  const ids = await tokenizer.encode(part, { addSpecialTokens: false });
  return Array.from({ length: count }, (_, i) => [BOS, ...ids.slice(i * (LENGTH - 1), (i + 1) * (LENGTH - 1))]);
}

describe('healing of Gemma 3 270M', function () {
  this.timeout('30m');
  itFull('reaches what the specification asks for', async () => {
    const path = gemma3Gguf();
    const fitted = await rowsOf(shared('data/prose/moby_dick.npm-stdlib.txt'), 64, 30_000, path);
    const heldOut = await rowsOf(shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 12, 1000, path);
    const model = await openModel(await openCheckpoint(path), { device: 'cpu' });
    try {
      const view = viewWithout(
        18,
        [8, 9, 15].map((block) => ({ block })),
      );
      const healed = await heal(model, view, fitted, { method: 'refit', heldOut });
      const { before, after } = healed.heldOut!;
      assert.ok(before.kl > 1 && before.ppl > 120, `plain: ${before.ppl}, ${before.kl}`);
      assert.ok(after.kl <= 0.8, `KL ${after.kl}`);
      assert.ok(after.ppl <= 108, `perplexity ${after.ppl}`);
    } finally {
      await model.close();
    }
  });

  itLlamaCppFull('the healed file has the same loss in llama.cpp, but for rounded activations', async () => {
    const checkpoint = gemma3Gguf();
    const patch = join(temporaryFolder(), 'healed.safetensors');
    const out = join(temporaryFolder(), 'healed.gguf');
    const data = [shared('data/prose/moby_dick.npm-stdlib.txt')];
    await runOn('heal', { checkpoint, remove: [8, 9, 15], data, tokens: 8192, patch });
    await runOn('export', { checkpoint, heal: patch, format: 'gguf', out, verify: false });
    const rows = await rowsOf(shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 2, 1000, checkpoint);
    const model = await openModel(await openCheckpoint(out), { device: 'cpu' });
    try {
      await checkLossOfLlamaCpp(out, model, rows, fullView(15));
    } finally {
      await model.close();
    }
  });
});
