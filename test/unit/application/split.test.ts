import assert from 'node:assert/strict';
import { SPLIT_PARTS, TEXT_SPLITS } from '../../../src/format/text-share';
import type { ApplicationRecord } from '../../../src/engine/application/record';
import { splitOfRecord, splitOfText } from '../../../src/engine/application/split';
import { GAP, STRETCH, stretchesOf } from '../../../src/engine/application/stretches';

const chat = (...contents: readonly string[]): ApplicationRecord => ({
  kind: 'chat',
  messages: contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
});

describe('the split of a record', () => {
  it('gives each split about its part of many records', () => {
    const found = Array.from({ length: 4000 }, (_, i) => splitOfText(`Question ${i}: what is in this box?`));
    for (const split of TEXT_SPLITS) {
      const part = found.filter((each) => each === split).length / found.length;
      assert.ok(Math.abs(part - SPLIT_PARTS[split]) < 0.03, `${split}: ${part}`);
    }
    assert.equal(
      TEXT_SPLITS.reduce((sum, split) => sum + SPLIT_PARTS[split], 0),
      1,
    );
  });

  it('is the same for texts that differ in blanks or capitals only', () => {
    for (let i = 0; i < 50; i++) {
      assert.equal(splitOfText(`  HOW are you,\r\n guest ${i}? `), splitOfText(`How are you, guest ${i}?`));
    }
  });

  it('is that of what is asked: other answers, more turns and the system message change nothing', () => {
    for (let i = 0; i < 50; i++) {
      const question = `Please tell me what the parcel ${i} weighs and where it is now.`;
      const split = splitOfRecord({ kind: 'document', text: question });
      const system: ApplicationRecord = {
        kind: 'chat',
        messages: [
          { role: 'system', content: `You are helper ${i}.` },
          { role: 'user', content: question },
        ],
      };
      const others = [chat(question), chat(question, 'One.', 'And?', 'Two.'), system];
      for (const other of others) assert.equal(splitOfRecord(other), split);
      for (const response of ['One.', 'Two.'])
        assert.equal(splitOfRecord({ kind: 'answer', prompt: question, response }), split);
    }
  });

  it('of a short greeting is that of what follows, so that not all conversations are in one', () => {
    const found = Array.from({ length: 60 }, (_, i) =>
      splitOfRecord(chat('Hi', 'Hello! How can I help?', `Where is my order ${i}, which I sent in May?`)),
    );
    assert.equal(new Set(found).size, TEXT_SPLITS.length);
  });
});

describe('stretches of a document', () => {
  const paragraphs = Array.from({ length: 300 }, (_, i) =>
    `Paragraph ${i}. ${`word${i} `.repeat(20 + (i % 30))}`.trim(),
  );
  const document = paragraphs.join('\n\n');

  it('are the whole of a short one', () => {
    const short = document.slice(0, STRETCH.most);
    assert.deepEqual(
      stretchesOf(short).map(({ text }) => text),
      [short],
    );
  });

  it('keep the order of the text, share nothing, and leave a gap where two splits meet', () => {
    const found = stretchesOf(document);
    assert.equal(new Set(found.map(({ split }) => split)).size, TEXT_SPLITS.length);
    let end = 0;
    for (const [i, { text, split }] of found.entries()) {
      const at = document.indexOf(text, end);
      assert.ok(at >= end, `stretch ${i} is not behind the one before`);
      if (i > 0) {
        const isOther = found[i - 1].split !== split;
        assert.equal(at - end >= GAP, isOther, `a gap of ${at - end} before stretch ${i}`);
      }
      assert.ok(text.length <= STRETCH.most);
      end = at + text.length;
    }
  });

  it('far from a change stay in their splits', () => {
    const before = stretchesOf(document);
    const changed = stretchesOf(['A new paragraph at the beginning.', ...paragraphs].join('\n\n'));
    const splits = new Map(before.map(({ text, split }) => [text, split]));
    const same = changed.filter(({ text, split }) => splits.get(text) === split);
    assert.ok(same.length >= before.length - 2, `${same.length} of ${before.length}`);
  });

  it('of one endless paragraph are cut between words, never inside a character', () => {
    for (const text of ['word '.repeat(5000), '😀'.repeat(6000)]) {
      const found = stretchesOf(text);
      assert.ok(found.length > 1);
      for (const each of found) {
        assert.ok(each.text.length <= STRETCH.most);
        assert.doesNotMatch(each.text, /^[\udc00-\udfff]|[\ud800-\udbff]$/);
      }
    }
  });
});
