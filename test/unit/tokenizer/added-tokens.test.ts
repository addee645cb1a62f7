/** Added tokens in a text, against what the original tokenizers library (0.23, run once from Python) does with the same. */
import assert from 'node:assert/strict';
import { buildTokenizer } from '../../../src/engine/tokenizer/local';
import { sentencePieceToy } from './toy';

/** Tokens of the text under the toy with added tokens, without its leading ▁. Ids are as the original gives them. */
function tokens(
  text: string,
  added: readonly Record<string, unknown>[],
  parts: Record<string, unknown> = {},
): string[] {
  const toy = sentencePieceToy();
  const first = Object.keys(toy.model.vocab as object).length;
  const own = added.map((token, i) => ({ id: first + i, special: false, normalized: false, ...token }));
  const content = { ...toy, normalizer: null, ...parts, added_tokens: [...(toy.added_tokens as object[]), ...own] };
  const tokenizer = buildTokenizer({ folder: '/model', tokenizer: JSON.stringify(content) });
  const names = new Map(Object.entries(toy.model.vocab as Record<string, number>).map(([token, id]) => [id, token]));
  for (const [i, { content: name }] of added.entries()) names.set(first + i, name as string);
  return tokenizer.encode(text, { addSpecialTokens: false }).map((id) => names.get(id)!);
}

describe('tokenizer/added-tokens', () => {
  it('the nearest one wins, and the longest of those that start there', () => {
    const added = [{ content: 'ab' }, { content: 'abc' }, { content: 'bcd' }, { content: 'cd' }];
    assert.deepEqual(tokens('abcdab', added), ['abc', 'd', 'ab']);
    assert.deepEqual(tokens('abcdab', added.slice(2)), ['a', 'bcd', 'a', 'b']);
  });

  it('single_word: only where no letter, digit or mark is next to it', () => {
    const added = [{ content: 'ea', single_word: true }, { content: 'h' }];
    assert.deepEqual(tokens('ea!aea,ea', added), ['ea', '!', 'a', 'e', 'a', ',', 'ea']);
    assert.deepEqual(tokens('eaé', added), ['e', 'a', '<0xC3>', '<0xA9>']);
  });

  it('lstrip and rstrip take the blanks of Unicode', () => {
    const added = [{ content: '<x>', lstrip: true, rstrip: true }];
    assert.deepEqual(tokens('a \t\n<x>\u0085\u3000\n e', added), ['a', '<x>', 'e']);
    assert.deepEqual(tokens(' <x> <x> ', added), ['<x>', '<x>']);
    assert.deepEqual(tokens('<x>\ufeffa', added), ['<x>', '<0xEF>', '<0xBB>', '<0xBF>', 'a']);
  });

  it('a blank that is a token itself stays beside one that strips', () => {
    const added = [{ content: '<x>', lstrip: true, rstrip: true }, { content: '\n' }];
    assert.deepEqual(tokens('a\n<x>\n\ne', added), ['a', '\n', '<x>', '\n', '\n', 'e']);
    assert.deepEqual(tokens('<x> \n e', added), ['<x>', '\n', '<0x20>', 'e']);
  });

  it('normalized: looked for in the normalized text, after the others', () => {
    const normalizer = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
    const added = [{ content: 'a b', normalized: true }, { content: 'b c' }];
    assert.deepEqual(tokens('a b', added, { normalizer }), ['a b']);
    assert.deepEqual(tokens('a▁b', added, { normalizer }), ['a b']);
    assert.deepEqual(tokens('a b c', added, { normalizer }), ['a', '▁', 'b c']);
  });

  it('prepend_scheme "first" prepends at the start of the text alone', () => {
    const pre_tokenizer = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false };
    const added = [{ content: '<x>' }, { content: 'd', normalized: true }];
    assert.deepEqual(tokens('a<x>ada', added, { pre_tokenizer }), ['▁a', '<x>', 'a', 'd', 'a']);
    assert.deepEqual(tokens('ada', added, { pre_tokenizer }), ['▁a', 'd', 'a']);
    assert.deepEqual(tokens('da', added, { pre_tokenizer }), ['d', 'a']);
  });
});
