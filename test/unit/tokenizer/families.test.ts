/**
 * The families' tokenizers, id by id: toys with the stages and added tokens of each family, and what the original
 * library (0.23) makes of them: scripts/tokenizers/golden.py. It also writes golden.json beside the real tokenizers in the
 * folder that COPPICE_TOKENIZERS names, and then those are tested too.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildTokenizer, loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import type { GoldenTokens } from '../../support/golden';
import { checkTokens } from '../../support/token-checks';

const GOLDEN = resolve(import.meta.dirname, '../../golden/tokenizers');
const read = (path: string): Golden => JSON.parse(readFileSync(path, 'utf8')) as Golden;

const REAL = process.env.COPPICE_TOKENIZERS;

interface Golden {
  readonly tokenizer: object;
  readonly cases: readonly GoldenTokens[];
}

describe('tokenizer: families', () => {
  for (const file of readdirSync(GOLDEN)) {
    it(file.replace('.json', ''), () => {
      const { tokenizer: content, cases } = read(join(GOLDEN, file));
      const tokenizer = buildTokenizer({ folder: file, tokenizer: JSON.stringify(content) });
      assert.ok(cases.length > 30);
      for (const golden of cases) checkTokens(tokenizer, golden);
    });
  }

  if (REAL === undefined) it.skip('real tokenizers (COPPICE_TOKENIZERS names no folder)');
  for (const name of REAL === undefined ? [] : readdirSync(REAL)) {
    it(`real: ${name}`, async function () {
      this.timeout(120_000); // Gemma 3 has half a million merges
      const tokenizer = await loadLocalTokenizer(join(REAL!, name));
      for (const golden of read(join(REAL!, name, 'golden.json')).cases) checkTokens(tokenizer, golden);
    });
  }
});
