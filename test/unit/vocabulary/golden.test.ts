/** Which tokens stay, and how texts are encoded then, against the results of the reference. */
import assert from 'node:assert/strict';
import { buildTokenizer, loadLocalTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { alphabetOf } from '../../../src/engine/vocabulary/tokens';
import { trimmedVocabulary } from '../../../src/engine/vocabulary/trimmed';
import {
  type Counted,
  countedVocabulary,
  goldenPieces,
  goldenVocabulary,
  idsOfMask,
} from '../../support/golden-vocabulary';
import { describeShared, shared, smollm2Folder } from '../../support/shared';

const encode = (tokenizer: LocalTokenizer, text: string): number[] =>
  tokenizer.encode(text, { addSpecialTokens: false });

for (const [name, folder] of [
  ['stories260K', () => shared('models/stories260K-f32')],
  ['smollm2-135m', smollm2Folder],
] as const) {
  describeShared(`trimmed vocabulary of ${name}`, function () {
    this.timeout(60_000);
    const golden = goldenVocabulary(name);
    let counted: Counted;
    let original: LocalTokenizer;
    before(async () => {
      counted = await countedVocabulary(folder(), golden.texts.flatMap(goldenPieces));
      original = await loadLocalTokenizer(folder());
    });

    it('counts as the reference does', () => {
      const { source, counts, tokens } = counted;
      assert.deepEqual([tokens, counts.size], [golden.tokensCounted, golden.seen]);
      assert.deepEqual(source.specials, golden.specials);
      assert.equal(alphabetOf(source.tokens).length, golden.alphabet);
      assert.equal(source.tokens.size, golden.size);
    });

    for (const result of golden.results) {
      it(`keeps the same tokens and merges, at least ${result.min} times`, () => {
        const { ids } = counted.keep(result.min, result.multiple);
        assert.deepEqual(ids, idsOfMask(result.mask));
        assert.equal(trimmedVocabulary(counted.source, ids).merges, result.merges);
      });

      it(`encodes texts as the reference does, at least ${result.min} times`, () => {
        const { source } = counted;
        const { ids, texts } = trimmedVocabulary(source, counted.keep(result.min, result.multiple).ids);
        const trimmed = buildTokenizer(texts);
        for (const { text, ids: before, trimmed: after, covered } of result.cases) {
          assert.deepEqual(encode(original, text), before, text);
          assert.deepEqual(encode(trimmed, text), after, text);
          if (covered) {
            assert.deepEqual(
              after,
              before.map((id) => ids.get(id)),
            );
          }
        }
        const pieces = goldenPieces(golden.held);
        let [covered, equal, tokens, now] = [0, 0, 0, 0];
        for (const piece of pieces) {
          const [old, next] = [encode(original, piece), encode(trimmed, piece)];
          tokens += old.length;
          now += next.length;
          const mapped = old.map((id) => ids.get(id));
          if (mapped.includes(undefined)) continue;
          covered++;
          if (mapped.join() === next.join()) equal++;
        }
        const { heldOut } = result;
        assert.deepEqual(
          { pieces: pieces.length, covered, coveredEqual: equal, tokens, newTokens: now },
          {
            pieces: heldOut.pieces,
            covered: heldOut.covered,
            coveredEqual: heldOut.coveredEqual,
            tokens: heldOut.tokens,
            newTokens: heldOut.newTokens,
          },
        );
      });
    }
  });
}
