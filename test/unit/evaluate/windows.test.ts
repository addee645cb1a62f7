/** Evaluation windows: the counts of Shortened LLaMA's two modes, what stands where, and what is refused. */
import assert from 'node:assert/strict';
import { evaluationWindows } from '../../../src/engine/evaluate/windows';
import type { BosMode } from '../../../src/format/bos';
import { beginningOf } from '../../../src/engine/tokenizer/bos';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { readFileSync } from 'node:fs';
import { goldenPerplexities } from '../../support/golden';
import { itShared, shared } from '../../support/shared';

const BOS = 99;
const stream = (length: number): number[] => Array.from({ length }, (_, i) => i);
const begin = (bos: BosMode, bosTokenId = BOS) => beginningOf(bos, { tokenizer: undefined, bosTokenId });
const cut = (length: number, bos: BosMode, window = 4, limit?: number) =>
  evaluationWindows(stream(length), { window, beginning: begin(bos), limit });
const lists = ({ rows }: { rows: readonly Int32Array[] }): number[][] => rows.map((row) => [...row]);

describe('evaluate/windows', () => {
  it('stream: one BOS before the text', () => {
    const windows = cut(8, 'stream');
    assert.deepEqual(lists(windows), [
      [BOS, 0, 1, 2],
      [3, 4, 5, 6],
    ]);
    assert.equal(windows.scoredPerWindow, 3);
  });

  it('window: a BOS on top of every window', () => {
    const windows = cut(9, 'window');
    assert.deepEqual(lists(windows), [
      [BOS, 0, 1, 2, 3],
      [BOS, 4, 5, 6, 7],
    ]);
    assert.equal(windows.scoredPerWindow, 4);
  });

  it('none: the text as it is', () => {
    const windows = evaluationWindows(stream(9), { window: 4, beginning: { mode: 'none' } });
    assert.deepEqual(lists(windows), [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    assert.equal(windows.scoredPerWindow, 3);
  });

  it('a stream of N tokens with its BOS gives floor(N / 128) windows, floor((N − 1) / 128) in mode B', () => {
    for (const n of [128, 129, 255, 256, 257, 1000, 1024, 1025]) {
      const a = cut(n - 1, 'stream', 128);
      assert.equal(a.rows.length, Math.floor(n / 128));
      assert.equal(a.rows.length * a.scoredPerWindow, 127 * Math.floor(n / 128));
      if (n > 128) {
        const b = cut(n - 1, 'window', 128);
        assert.equal(b.rows.length, Math.floor((n - 1) / 128));
        assert.equal(b.scoredPerWindow, 128);
      }
    }
  });

  it('limit takes the first windows', () => {
    assert.deepEqual(lists(cut(100, 'stream', 4, 2)), lists(cut(8, 'stream')));
    assert.equal(cut(8, 'none', 4, 50).rows.length, 2);
  });

  it('refuses a short text and senseless numbers', () => {
    assert.throws(() => cut(2, 'stream'), { name: 'UserError', why: /3 tokens/, action: /longer text/ });
    assert.equal(cut(3, 'stream').rows.length, 1);
    assert.throws(() => cut(3, 'window'), { name: 'UserError', what: /window of 4 tokens/ });
    for (const window of [1, 0, 2.5, NaN])
      assert.throws(() => cut(9, 'none', window), { name: 'UserError', what: /--window/ });
    for (const limit of [0, -1, 1.5])
      assert.throws(() => cut(9, 'none', 4, limit), { name: 'UserError', what: /--limit/ });
  });

  itShared('WikiText-2 in the golden modes has the golden token counts', async () => {
    const tokenizer = await loadTokenizer(shared('models/smollm2-135m'));
    const text = readFileSync(shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8').slice(0, 100_000);
    const ids = await tokenizer.encode(text, { addSpecialTokens: false });
    const { bos: bosTokenId, full } = goldenPerplexities();
    for (const { mode, windows, window, tokens } of full) {
      const { rows, scoredPerWindow } = evaluationWindows(ids, {
        window,
        beginning: begin(mode, bosTokenId),
        limit: windows,
      });
      assert.equal(rows.length * scoredPerWindow, tokens, mode);
    }
  });
});
