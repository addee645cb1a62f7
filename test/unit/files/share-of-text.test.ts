import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mayOverlap, TEXT_SHARES } from '../../../src/format/text-share';
import { shareOfRows, shareOfText } from '../../../src/engine/files/share-of-text';
import { loadCalibration } from '../../../src/engine/importance/calibration';
import { calibrationKey, drawnRows, textOfKey } from '../../../src/engine/records/rows-key';
import { loadTrainingData } from '../../../src/engine/retrain/data/load';
import { temporaryFolder } from '../../support/temporary';

const both = (text: string, file: string): string[] => TEXT_SHARES.map((share) => shareOfText(text, file, share));

describe('the two shares of a text', () => {
  const paragraphs = Array.from({ length: 100 }, (_, i) => `Paragraph ${i} has some words.`);

  it('meet between paragraphs, and together are the text', () => {
    const text = paragraphs.join('\r\n\r\n');
    const [first, rest] = both(text, 'a.txt');
    assert.equal(first + rest, text);
    assert.match(rest, /^Paragraph 7\d /);
    assert.ok(first.endsWith('\r\n\r\n'));
    assert.equal(shareOfText(text, 'a.txt', undefined), text);
  });

  it('meet between lines or words where there are no paragraphs, and never inside a character', () => {
    for (const [text, begins] of [
      [paragraphs.join('\n'), /^Paragraph/],
      [paragraphs.join(' '), /^\S/],
      ['😀'.repeat(101), /^😀/],
    ] as const) {
      const [first, rest] = both(text, 'a.txt');
      assert.equal(first + rest, text);
      assert.match(rest, begins);
      assert.doesNotMatch(rest, /^[\udc00-\udfff]/);
    }
  });

  it('of JSONL have whole lines, also where one is longer than all others', () => {
    const lines = [
      ...Array.from({ length: 9 }, (_, i) => `{"text": "line ${i}"}`),
      `{"text": "${'long '.repeat(99)}"}`,
    ];
    for (const text of [lines.join('\n'), [lines[9], ...lines.slice(0, 9)].join('\n')]) {
      const [first, rest] = both(text, 'a.jsonl');
      assert.equal(first + rest, text);
      for (const part of [first, rest])
        part
          .trim()
          .split('\n')
          .forEach((line) => JSON.parse(line) as unknown);
    }
  });

  it('of rows have at least one row each', () => {
    for (const count of [2, 3, 10, 11]) {
      const rows = Array.from({ length: count }, (_, r) => r);
      const [first, rest] = TEXT_SHARES.map((share) => shareOfRows(rows, 'rows.json', share));
      assert.deepEqual([...first, ...rest], rows);
      assert.ok(first.length > 0 && rest.length > 0);
    }
  });

  it('are refused for a text that has nothing to judge by', () => {
    const refused = { what: /too short to choose by one part/, action: /longer text, or two/ };
    assert.throws(() => shareOfText('a', 'a.txt', 'choose'), refused);
    assert.throws(() => shareOfText('{"text": "one line"}\n', 'a.jsonl', 'judge'), refused);
    assert.throws(() => shareOfRows([[1, 2]], 'rows.json', 'judge'), refused);
  });

  it('give calibration rows and training examples that never meet', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a.txt');
    writeFileSync(file, paragraphs.join('\n\n'));
    const encode = (text: string): number[] => Array.from(text, (sign) => sign.codePointAt(0)!);
    const drawn = await Promise.all(
      TEXT_SHARES.map((share) => loadCalibration(file, { samples: 8, length: 16, seed: 1, share }, { encode })),
    );
    for (const [s, { rows, share }] of drawn.entries()) {
      const own = shareOfText(paragraphs.join('\n\n'), file, TEXT_SHARES[s]);
      assert.equal(share, TEXT_SHARES[s]);
      for (const row of rows) assert.ok(own.includes(String.fromCodePoint(...row)));
    }
    const keys = drawn.map((calibration) => calibrationKey(calibration)!);
    assert.notEqual(keys[0], keys[1]);
    const { sha256 } = drawn[0];
    assert.deepEqual(drawnRows(keys[0]), { sha256, share: 'choose', samples: 8, length: 16, seed: 1, bos: 'auto' });
    assert.deepEqual(textOfKey(keys[1]), { sha256, share: 'judge' });
    const encoder = { encode, hasChatTemplate: false, chat: () => '' };
    const options = { length: 16, seed: 1, heldOut: 0, beginning: { mode: 'none' }, share: 'choose' } as const;
    const { train, describe: told } = await loadTrainingData(file, options, encoder);
    assert.equal(told.files[0].share, 'choose');
    const trained = String.fromCodePoint(...train.flatMap(({ ids }) => Array.from(ids)));
    assert.ok(!trained.includes('Paragraph 99'));
  });

  it('are told apart from the whole text, which meets both', () => {
    const [whole, first, rest] = [undefined, ...TEXT_SHARES].map((share) => ({ sha256: 'a', share }));
    assert.ok(mayOverlap(whole, first) && mayOverlap(rest, whole) && mayOverlap(first, first));
    assert.ok(!mayOverlap(first, rest) && !mayOverlap(whole, { sha256: 'b' }));
  });
});
