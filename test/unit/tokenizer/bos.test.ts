/** Where the begin-of-text token stands: what the tokenizer says, what is asked for, and the rows, windows and examples of each. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluationWindows } from '../../../src/engine/evaluate/windows';
import { loadCalibration } from '../../../src/engine/importance/calibration';
import { BOS_CHOICES } from '../../../src/format/bos';
import { beginningOf, type Encoder, encodeText, isTokenizersOwn, isUsual } from '../../../src/engine/tokenizer/bos';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { loadTrainingData } from '../../../src/engine/retrain/data/load';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';

const BOS = 1;
/** A token a word, its id the number in it. */
const words = (beginsWith?: number): Encoder => ({
  beginsWith,
  encode: (text, { addSpecialTokens }) => [
    ...(addSpecialTokens && beginsWith !== undefined ? [beginsWith] : []),
    ...(text.match(/\d+/g) ?? []).map(Number),
  ],
});
const text = Array.from({ length: 64 }, (_, i) => `w${100 + i}`).join(' ');

/** A tokenizer whose post-processor puts the given tokens around a text, beside settings. */
async function tiny(around: readonly string[], settings?: object) {
  const folder = temporaryFolder();
  writeTinyTokenizer(folder);
  const file = join(folder, 'tokenizer.json');
  const description = JSON.parse(readFileSync(file, 'utf8')) as { added_tokens: { content: string; id: number }[] };
  const idOf = (token: string): number => description.added_tokens.find(({ content }) => content === token)!.id;
  const special = around.filter((token) => token !== 'A');
  const template = {
    type: 'TemplateProcessing',
    single: around.map((token) =>
      token === 'A' ? { Sequence: { id: 'A', type_id: 0 } } : { SpecialToken: { id: token, type_id: 0 } },
    ),
    pair: [],
    special_tokens: Object.fromEntries(special.map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
  };
  const post_processor = special.length === 0 ? null : template;
  writeFileSync(file, JSON.stringify({ ...description, post_processor }));
  if (settings) writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
  return { folder, idOf, local: await loadLocalTokenizer(folder) };
}

describe('tokenizer/bos', () => {
  it('auto follows the tokenizer, and every other choice needs a token', () => {
    const with_ = { tokenizer: { beginsWith: 7 }, bosTokenId: BOS };
    const without = { tokenizer: {}, bosTokenId: BOS };
    assert.deepEqual(beginningOf(undefined, with_), { mode: 'window', id: 7 });
    assert.deepEqual(beginningOf('auto', without), { mode: 'none' });
    assert.deepEqual(beginningOf('auto', { tokenizer: undefined, bosTokenId: BOS }), { mode: 'none' });
    assert.deepEqual(beginningOf('none', with_), { mode: 'none' });
    assert.deepEqual(beginningOf('window', without), { mode: 'window', id: BOS });
    assert.deepEqual(beginningOf('stream', with_), { mode: 'stream', id: 7 });
    const none = { tokenizer: {}, bosTokenId: undefined };
    const refusal = { name: 'UserError', why: /no begin-of-text token/, action: /--bos auto/ };
    assert.throws(() => beginningOf('window', none), refusal);
    assert.deepEqual(beginningOf('stream', none), { mode: 'none' });
  });

  it('knows what is usual for a model, and what the tokenizer alone would do', () => {
    const facts = (beginsWith: number | undefined) =>
      BOS_CHOICES.map((choice) => {
        const tokenizer = { beginsWith };
        const beginning = beginningOf(choice, { tokenizer, bosTokenId: BOS });
        return [isUsual(beginning, tokenizer), isTokenizersOwn(beginning, tokenizer)];
      });
    assert.deepEqual(facts(BOS), [
      [true, false],
      [true, false],
      [false, true],
      [false, false],
    ]);
    assert.deepEqual(facts(undefined), [
      [true, true],
      [false, false],
      [false, true],
      [true, true],
    ]);
  });

  it('the post-processor says what stands before a text; what it puts behind one does not count', async () => {
    for (const [around, begins] of [
      [['<s>', 'A'], true],
      [['<s>', 'A', '</s>'], true],
      [['A', '</s>'], false],
      [['A'], false],
    ] as const) {
      const { local, idOf, folder } = await tiny(around);
      assert.equal(local.beginsWith, begins ? idOf('<s>') : undefined, around.join());
      assert.equal((await loadTokenizer(folder)).beginsWith, local.beginsWith);
    }
  });

  it('add_bos_token of the settings stands above the post-processor, as in transformers', async () => {
    const plain = { addSpecialTokens: false };
    const special = { addSpecialTokens: true };
    for (const token of ['<s>', { content: '<s>' }]) {
      const { local, idOf } = await tiny(['A'], { add_bos_token: true, bos_token: token });
      assert.equal(local.beginsWith, idOf('<s>'));
      assert.deepEqual(local.encode('a tree', special), [idOf('<s>'), ...local.encode('a tree', plain)]);
    }
    const { local } = await tiny(['<s>', 'A', '</s>'], { add_bos_token: false, bos_token: '<s>' });
    assert.equal(local.beginsWith, undefined);
    assert.deepEqual(local.encode('a tree', special).slice(0, -1), local.encode('a tree', plain));
    const silent = await tiny(['<s>', 'A'], { bos_token: '<s>' });
    assert.equal(silent.local.beginsWith, silent.idOf('<s>'));
    const unknown = await tiny(['A'], { add_bos_token: true, bos_token: '<no such token>' });
    assert.equal(unknown.local.beginsWith, undefined);
  });

  it('calibration rows of a model with BOS begin with it and keep their length; without BOS they are the text', async () => {
    const file = join(temporaryFolder(), 'text.txt');
    writeFileSync(file, `${text}\n\n${text}`);
    const options = { samples: 2, length: 8, seed: 3, bosTokenId: BOS };
    const { rows, bos, usualBos } = await loadCalibration(file, options, words(BOS));
    assert.deepEqual([bos, usualBos], ['window', true]);
    const none = await loadCalibration(file, { ...options, bos: 'none' }, words(BOS));
    assert.deepEqual([none.bos, none.usualBos], ['none', undefined]);
    // The same places of the text: BOS comes instead of the last token, as in the paper's code.
    assert.deepEqual(
      rows,
      none.rows.map((row) => [BOS, ...row.slice(0, -1)]),
    );
    const other = await loadCalibration(file, options, words());
    assert.deepEqual([other.bos, other.usualBos, other.rows], ['none', true, none.rows]);
    const asked = await loadCalibration(file, { ...options, bos: 'window' }, words());
    assert.deepEqual([asked.bos, asked.usualBos, asked.rows], ['window', undefined, rows]);
  });

  it('rows cut from one stream have BOS each, and lose no token of the text', async () => {
    const file = join(temporaryFolder(), 'text.txt');
    writeFileSync(file, text);
    const { rows, method } = await loadCalibration(file, { samples: 7, length: 9, seed: 3 }, words(BOS));
    assert.equal(method, 'windows');
    assert.ok(rows.every(([first]) => first === BOS));
    const found = rows.flatMap((row) => row.slice(1)).sort((a, b) => a - b);
    assert.equal(new Set(found).size, 7 * 8);
  });

  it('rows of ids are taken as they are', async () => {
    const file = join(temporaryFolder(), 'rows.json');
    writeFileSync(file, JSON.stringify({ rows: [[5, 6, 7]] }));
    for (const bos of BOS_CHOICES) {
      const found = await loadCalibration(file, { seed: 1, bos, bosTokenId: BOS }, words(BOS));
      assert.deepEqual([found.rows, found.bos], [[[5, 6, 7]], undefined]);
    }
  });

  it('windows have BOS on top of their tokens, texts of their own before them', async () => {
    const ids = [10, 11, 12, 13];
    const begin = beginningOf('auto', { tokenizer: words(BOS), bosTokenId: undefined });
    const { rows, scoredPerWindow } = evaluationWindows(ids, { window: 2, beginning: begin });
    assert.deepEqual(
      [rows.map((row) => [...row]), scoredPerWindow],
      [
        [
          [BOS, 10, 11],
          [BOS, 12, 13],
        ],
        2,
      ],
    );
    assert.deepEqual(await encodeText(words(BOS), 'w5', begin), [BOS, 5]);
    assert.deepEqual(await encodeText(words(BOS), 'w5', { mode: 'stream', id: BOS }), [BOS, 5]);
    assert.deepEqual(await encodeText(words(), 'w5', { mode: 'stream', id: BOS }), [5]);
    assert.deepEqual(await encodeText(words(BOS), 'w5', { mode: 'none' }), [5]);
  });

  it('training windows and instructions begin with BOS; its loss is not counted', async () => {
    const folder = temporaryFolder();
    const [running, asked] = [join(folder, 'a.txt'), join(folder, 'a.jsonl')];
    writeFileSync(running, 'w10 w11 w12 w13 w14 w15');
    writeFileSync(asked, JSON.stringify({ instruction: 'w20', output: 'w21' }));
    const encoder = { ...words(BOS), hasChatTemplate: false, chat: () => '' };
    const load = (file: string, mode: 'window' | 'stream' | 'none') =>
      loadTrainingData(
        file,
        { length: 4, seed: 1, heldOut: 0, prompt: 'plain', beginning: mode === 'none' ? { mode } : { mode, id: BOS } },
        encoder,
      );
    const ids = async (file: string, mode: 'window' | 'stream' | 'none') =>
      (await load(file, mode)).train.map((example) => [...example.ids]);
    assert.deepEqual(await ids(running, 'window'), [
      [BOS, 10, 11, 12],
      [BOS, 13, 14, 15],
    ]);
    assert.deepEqual(await ids(running, 'stream'), [
      [BOS, 10, 11, 12],
      [13, 14, 15],
    ]);
    assert.deepEqual(await ids(running, 'none'), [
      [10, 11, 12, 13],
      [14, 15],
    ]);
    assert.deepEqual(await ids(asked, 'window'), [[BOS, 20, 21]]);
    assert.deepEqual(await ids(asked, 'none'), [[20, 21]]);
    const { describe } = await load(running, 'window');
    assert.deepEqual([describe.bos, describe.train.targets], ['window', 6]);
  });
});
