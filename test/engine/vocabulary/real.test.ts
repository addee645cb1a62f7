/** Real models in GGUF with the tokens of a novel: in llama.cpp they write the same text after a prompt whose tokens all stay. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openGguf } from '../../../src/engine/formats/gguf/file';
import type { GgufArray } from '../../../src/engine/formats/gguf/metadata';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { continueWithLlamaCpp, itLlamaCppFull } from '../../support/llamacpp';
import { gemma3Gguf, shared, smollm2Gguf } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const PROMPT = 'It was a dark and stormy night, and the captain';
const TOKENS = 'tokenizer.ggml.tokens';

async function tokensIn(file: string): Promise<readonly string[]> {
  const { metadata } = await openGguf(file, undefined, (key) => key === TOKENS);
  return (metadata.get(TOKENS)!.value as GgufArray).first.map(String);
}

describe('real models with a trimmed vocabulary', function () {
  this.timeout(600_000);
  for (const [name, file] of [
    ['SmolLM2-135M-Instruct, Q4_1', smollm2Gguf],
    ['Gemma 3 270M, Q4_K_M', gemma3Gguf],
  ] as const) {
    itLlamaCppFull(name, async () => {
      const out = join(temporaryFolder(), 'trimmed.gguf');
      const texts = ['data/prose/sherlock.txt', 'data/prose/moby_dick.npm-stdlib.txt'].map((each) => shared(each));
      const run = inThisProcess({ device: 'cpu', threads: 1 });
      const { result } = await run<'vocabulary'>({
        ...{ kind: 'vocabulary', checkpoint: file(), texts, bits: false, maxGrowth: 9, out },
      });
      assert.equal(result.verified!.piecesEqual, result.heldOut.covered);
      const [before, after] = [continueWithLlamaCpp(file(), PROMPT, 20), continueWithLlamaCpp(out, PROMPT, 20)];
      const [old, now] = [await tokensIn(file()), await tokensIn(out)];
      assert.equal(now.length, result.kept);
      assert.deepEqual(
        after.promptIds.map((id) => now[id]),
        before.promptIds.map((id) => old[id]),
      );
      assert.equal(after.text, before.text);
    });
  }
});
