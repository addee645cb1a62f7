/** What is wrong with a tokenizer's files is said with the file, the field and what to do. */
import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { folderWith, sentencePieceToy } from './toy';

const toy = sentencePieceToy();
const withModel = (change: Record<string, unknown>): unknown => ({ ...toy, model: { ...toy.model, ...change } });

async function refuses(files: Record<string, unknown>, expected: { what?: RegExp; why: RegExp; action?: RegExp }) {
  await assert.rejects(loadLocalTokenizer(folderWith(files)), { name: 'UserError', ...expected });
}

describe('tokenizer/files', () => {
  it('needs tokenizer.json and names what to do with other formats', async () => {
    await refuses({}, { why: /no tokenizer\.json/, action: /Copy tokenizer\.json/ });
    for (const other of ['tokenizer.model', 'tekken.json', 'vocab.json']) {
      await refuses({ [other]: '' }, { why: new RegExp(other.replace('.', '\\.')), action: /save_pretrained/ });
    }
    await assert.rejects(loadLocalTokenizer('/no/such/folder'), { name: 'UserError', why: /no tokenizer\.json/ });
  });

  it('caps the size before reading', async () => {
    const folder = folderWith({ 'tokenizer.json': '{' });
    truncateSync(join(folder, 'tokenizer.json'), 2 ** 40); // sparse
    await assert.rejects(loadLocalTokenizer(folder), {
      name: 'UserError',
      why: /1048576\.0 MiB, more than the 128 MiB/,
    });
  });

  it('refuses what is no tokenizer description', async () => {
    const cases: [content: unknown, why: RegExp][] = [
      ['{"model": ', /not JSON/],
      ['[]', /not a JSON object/],
      ['version https://git-lfs.github.com/spec/v1\noid sha256:0\n', /Git LFS pointer/],
      [{}, /"model" is not an object/],
      [withModel({ type: 'Rhyme' }), /"model\.type" is "Rhyme"/],
      [withModel({ vocab: [] }), /"model\.vocab" is not an object/],
      [withModel({ vocab: { a: 1e9 } }), /"model\.vocab" gives "a" the id 1000000000/],
      [withModel({ vocab: { a: -1 } }), /id -1/],
      [withModel({ merges: 7 }), /"model\.merges" is not a list/],
      [withModel({ merges: ['a b', 'c'] }), /"model\.merges\[1\]"/],
      [withModel({ merges: [['a', 3]] }), /"model\.merges\[0\]"/],
      [withModel({ type: 'Unigram', vocab: [['a']] }), /\[token, score\]/],
      [{ ...toy, added_tokens: {} }, /"added_tokens" is not a list/],
      [{ ...toy, added_tokens: [{ id: 1.5, content: 'x' }] }, /"added_tokens\[0\]"/],
      [{ ...toy, pre_tokenizer: { type: 'Rhyme' } }, /Unknown PreTokenizer type: Rhyme/],
      [{ ...toy, pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 'MergedTwice' } }, /MergedTwice/],
      [
        { ...toy, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } },
        /regular expression/,
      ],
      [{ ...toy, decoder: { type: 'Rhyme' } }, /Unknown Decoder type: Rhyme/],
    ];
    for (const [content, why] of cases) {
      await refuses({ 'tokenizer.json': content }, { what: /tokenizer\.json$/, why });
    }
  });

  it('refuses deep nesting with a message', async () => {
    const depth = 100_000;
    const nested = '{"type":"Sequence","pretokenizers":['.repeat(depth) + ']}'.repeat(depth);
    const content = JSON.stringify({ ...toy, pre_tokenizer: 0 }).replace(
      '"pre_tokenizer":0',
      `"pre_tokenizer":${nested}`,
    );
    await refuses({ 'tokenizer.json': content }, { what: /tokenizer\.json$/, why: /nested too deep/ });
  });

  it('refuses broken settings and a folder in place of a file', async () => {
    await refuses(
      { 'tokenizer.json': toy, 'tokenizer_config.json': '{' },
      { what: /tokenizer_config\.json/, why: /JSON/ },
    );
    await refuses(
      { 'tokenizer.json': toy, 'chat_template.json': '{}' },
      { what: /chat_template\.json/, why: /string/ },
    );
    const folder = folderWith({});
    mkdirSync(join(folder, 'tokenizer.json'));
    await assert.rejects(loadLocalTokenizer(folder), { name: 'UserError', why: /not a regular file/ });
    const binary = folderWith({});
    writeFileSync(join(binary, 'tokenizer.json'), Uint8Array.of(0xff, 0xfe, 0x7b, 0));
    await assert.rejects(loadLocalTokenizer(binary), { name: 'UserError', why: /not UTF-8/ });
  });

  it('fills in what may be left out', async () => {
    const { model, decoder } = toy;
    const untyped = { ...model, type: undefined };
    const tokenizer = await loadLocalTokenizer(folderWith({ 'tokenizer.json': { model: untyped, decoder } }));
    const ids = tokenizer.encode('▁the▁and', { addSpecialTokens: true });
    assert.equal(tokenizer.decode(ids, { skipSpecialTokens: true }), 'the and');
    assert.equal(tokenizer.hasChatTemplate, false);
    assert.equal(tokenizer.vocabularySize, Object.keys(model.vocab as object).length);
  });
});
