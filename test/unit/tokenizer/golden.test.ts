/** Ids and texts of the original tokenizers library, both ways, and whole texts for length. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadLocalTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { goldenTokens } from '../../support/golden';
import { describeShared, itFull, shared, smollm2Gguf } from '../../support/shared';
import { checkTokens } from '../../support/token-checks';

/** The same tokenizers in a folder and in the metadata of a GGUF file. */
const PLACES = [
  { name: 'smollm2-135m', from: 'a folder', place: () => shared('models/smollm2-135m') },
  { name: 'stories260K', from: 'a folder', place: () => shared('models/stories260K-f32') },
  { name: 'smollm2-135m', from: 'GGUF', place: smollm2Gguf },
  { name: 'stories260K', from: 'GGUF', place: () => shared('models/stories260K-gguf/stories260K-q8_0.gguf') },
] as const;

/** WikiText-2's test split under each tokenizer, with the original library 0.23: number of ids and hash of "id,id,…". */
const WIKITEXT = {
  'smollm2-135m': { count: 304978, sha256: '82ee4e8153b9bdeeba4027dfb21c7648fd587105f94e4d513b7160c4f97b72ee' },
  stories260K: { count: 815069, sha256: 'c30c0f7763bc4f162e91660c2b08a3b3763f97899d76545d08e7f0c3b80f0c33' },
} as const;

describeShared('tokenizer: golden ids', () => {
  for (const { name, from, place } of PLACES) {
    describe(`${name} from ${from}`, () => {
      let tokenizer: LocalTokenizer;
      before(async function () {
        this.timeout(60_000); // the file may have to be fetched first
        tokenizer = await loadLocalTokenizer(place());
      });

      for (const golden of goldenTokens(name)) {
        it(golden.text === null ? 'the empty list of ids' : JSON.stringify(golden.text).slice(0, 60), () => {
          checkTokens(tokenizer, golden);
        });
      }

      (from === 'GGUF' || name === 'stories260K' ? itFull : it)('WikiText-2 in one go', () => {
        const text = readFileSync(shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8');
        const ids = tokenizer.encode(text, { addSpecialTokens: false });
        assert.equal(ids.length, WIKITEXT[name].count);
        assert.equal(createHash('sha256').update(ids.join()).digest('hex'), WIKITEXT[name].sha256);
        assert.equal(tokenizer.decode(ids, { skipSpecialTokens: true }), text);
      });
    });
  }
});
