/**
 * For random sets of kept tokens: a piece whose tokens all stay has the same tokens; every other piece can still be written, and gives
 * back its text; and no unknown token appears. Without the tokens on the way to others, that is not so.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Random } from '../../../src/engine/random';
import { parseTokenizerFiles, type TokenizerTexts } from '../../../src/engine/tokenizer/files';
import { buildTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { piecesOf } from '../../../src/engine/vocabulary/counts';
import { keptTokens, Paths } from '../../../src/engine/vocabulary/rule';
import { alphabetOf, readTokens, type Tokens } from '../../../src/engine/vocabulary/tokens';
import { trimmedVocabulary } from '../../../src/engine/vocabulary/trimmed';
import { full } from '../../support/shared';
import { TRAINED_KINDS, trainedTokenizer, type TrainedKind } from '../../support/trained-tokenizers';

const SAMPLE = readFileSync(resolve(import.meta.dirname, '../../../media/sample/calibration.txt'), 'utf8').slice(
  0,
  12_000,
);
/** What the training text does not have. */
const ODD = 'naïve café — “quotes” …\n日本語 and 🙂\n\ndef f(x):\n    return x ** 2\nzxqj QUARTZ 1234567\n';
const SIZE = 700;
const TRIALS = full ? 6 : 2;

const encode = (tokenizer: LocalTokenizer, text: string): number[] =>
  tokenizer.encode(text, { addSpecialTokens: false });
const decode = (tokenizer: LocalTokenizer, ids: readonly number[]): string =>
  tokenizer.decode(ids, { skipSpecialTokens: false });

/** The tokens that stay without those on the way to them. */
function withoutWays(tokens: Tokens, specials: readonly number[], some: ReadonlyMap<number, number>): number[] {
  return [...new Set([...alphabetOf(tokens), ...specials, ...some.keys()])].sort((a, b) => a - b);
}

interface Trial {
  readonly covered: number;
  readonly different: number;
  readonly unknown: number;
  readonly lost: number;
}

function trials(kind: TrainedKind, choose: 'by the rule' | 'without the ways'): Trial {
  const texts: TokenizerTexts = { folder: kind, tokenizer: trainedTokenizer(kind, SAMPLE, SIZE) };
  const files = parseTokenizerFiles(texts);
  const tokens = readTokens(files.description, kind);
  const original = buildTokenizer(texts);
  const paths = new Paths(tokens);
  const random = new Random(7);
  // Short ones: of long ones hardly any has all its tokens.
  const pieces = [...(SAMPLE.match(/\s?\S+\s+\S+/g) ?? []), ...piecesOf(ODD)];
  const specials = tokens.unknown === undefined ? [] : [tokens.unknown];
  let [covered, different, unknown, lost] = [0, 0, 0, 0];
  for (let trial = 0; trial < TRIALS; trial++) {
    const share = 50 + random.below(40);
    const counts = new Map([...tokens.model.values()].filter(() => random.below(100) < share).map((id) => [id, 1]));
    const always = { alphabet: alphabetOf(tokens), specials, named: [], counts, min: 1, multiple: 1 };
    const kept =
      choose === 'by the rule' ? keptTokens(tokens, paths, always).ids : withoutWays(tokens, specials, counts);
    const { ids, texts: now } = trimmedVocabulary({ texts, files, tokens }, kept);
    const trimmed = buildTokenizer(now);
    for (const piece of pieces) {
      const [before, after] = [encode(original, piece), encode(trimmed, piece)];
      const mapped = before.map((id) => ids.get(id));
      const isUnknown = (id: number): boolean => kept[id] === tokens.unknown;
      unknown += Math.max(0, after.filter(isUnknown).length - before.filter((id) => id === tokens.unknown).length);
      if (!mapped.includes(undefined)) {
        covered++;
        if (mapped.join() !== after.join()) different++;
      }
      if (decode(trimmed, after) !== decode(original, before)) lost++;
    }
  }
  return { covered, different, unknown, lost };
}

describe('random kept sets', function () {
  this.timeout(60_000);
  for (const kind of TRAINED_KINDS) {
    it(kind, () => {
      const { covered, different, unknown, lost } = trials(kind, 'by the rule');
      assert.ok(covered > 170 * TRIALS, `${covered} covered pieces`);
      assert.deepEqual({ different, unknown, lost }, { different: 0, unknown: 0, lost: 0 });
    });
  }

  for (const kind of TRAINED_KINDS.filter((each) => each !== 'unigram')) {
    it(`${kind}: without the ways to them, tokens are not reached`, () => {
      assert.ok(trials(kind, 'without the ways').different > 0);
    });
  }
});
