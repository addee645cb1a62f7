import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEXT_SPLITS, type TextSplit } from '../../../src/format/text-share';
import { type Application, readApplication, recordsIn, telling } from '../../../src/engine/application/read';
import type { ApplicationRecord } from '../../../src/engine/application/record';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

type Files = Readonly<Record<string, string | Buffer>>;

function folderOf(files: Files): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const lines = (records: readonly unknown[]): string => records.map((each) => JSON.stringify(each)).join('\n');
const allOf = ({ splits }: Application): ApplicationRecord[] =>
  TEXT_SPLITS.flatMap((split) => splits[split].map(({ record }) => record));
const inSplits = ({ splits }: Application): Map<string, TextSplit> =>
  new Map(TEXT_SPLITS.flatMap((split) => splits[split].map(({ record }) => [JSON.stringify(record), split])));
const chats = (count: number, name = 'guest'): unknown[] =>
  Array.from({ length: count }, (_, i) => ({
    messages: [
      { role: 'user', content: `I am ${name} ${i}, and my parcel has not come.` },
      { role: 'assistant', content: `It comes on day ${i}.` },
    ],
  }));

describe('an application’s text', () => {
  it('has the records of every format', async () => {
    const turns = [
      { role: 'user', content: 'Hello there' },
      { role: 'assistant', content: 'Good day' },
    ];
    const chat = { kind: 'chat', messages: turns };
    const cases: readonly (readonly [string, string, unknown])[] = [
      ['a.jsonl', lines([{ messages: turns }]), chat],
      ['a.ndjson', lines([{ messages: turns }]), chat],
      ['a.json', JSON.stringify([{ messages: turns }]), chat],
      ['b.json', JSON.stringify({ messages: turns }), chat],
      ['c.json', JSON.stringify({ about: 'logs', items: [{ messages: turns }] }), chat],
      ['d.txt', lines([{ messages: turns }]), chat],
      [
        'sharegpt.jsonl',
        lines([
          {
            conversations: [
              { from: 'human', value: 'Hello there' },
              { from: 'gpt', value: 'Good day' },
            ],
          },
        ]),
        chat,
      ],
      [
        'parts.jsonl',
        lines([{ messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, { type: 'image' }] }] }]),
        { kind: 'chat', messages: [{ role: 'user', content: 'Look' }] },
      ],
      ['e.jsonl', lines([{ prompt: 'Say', response: 'Said' }]), { kind: 'answer', prompt: 'Say', response: 'Said' }],
      ['f.jsonl', lines([{ prompt: 'Say', completion: 'Said' }]), { kind: 'answer', prompt: 'Say', response: 'Said' }],
      ['g.jsonl', lines([{ prompt: 'Say' }]), { kind: 'document', text: 'Say' }],
      [
        'h.jsonl',
        lines([{ instruction: 'Add', input: '1 2', output: '3', text: 'x' }]),
        { kind: 'instruction', instruction: { instruction: 'Add', input: '1 2', output: '3' } },
      ],
      ['i.jsonl', lines([{ text: 'A document' }]), { kind: 'document', text: 'A document' }],
      ['j.json', JSON.stringify(['A prompt']), { kind: 'document', text: 'A prompt' }],
      ['k.txt', 'A document.\n\nOf two paragraphs.', { kind: 'document', text: 'A document.\n\nOf two paragraphs.' }],
      ['l.md', '# Title\nText', { kind: 'document', text: '# Title\nText' }],
      ['m.log', 'Any text', { kind: 'document', text: 'Any text' }],
    ];
    const folder = folderOf(Object.fromEntries(cases.map(([name, content]) => [name, content])));
    for (const [name, , record] of cases) {
      assert.deepEqual(allOf(await readApplication(join(folder, name))), [record], name);
    }
  });

  it('has a prompt in each line of a text without blank lines, unless its lines are broken at a width', async () => {
    const prompts = Array.from({ length: 30 }, (_, i) => `Tell me about ${'very '.repeat(i % 9)}old town ${i}`);
    const wrapped = Array.from({ length: 30 }, (_, i) => `line ${i} `.padEnd(72, 'x')).join('\n');
    const folder = folderOf({ 'prompts.txt': prompts.join('\r\n'), 'book.txt': wrapped });
    const found = allOf(await readApplication(join(folder, 'prompts.txt')));
    assert.deepEqual(new Set(found.map((each) => each.kind === 'document' && each.text)), new Set(prompts));
    assert.equal(allOf(await readApplication(join(folder, 'book.txt'))).length, 1);
  });

  it('has each record in one split, in which it stays when files come, go or are renamed', async () => {
    const folder = folderOf({ 'b.jsonl': lines(chats(80)), 'sub/c.jsonl': lines(chats(40, 'visitor')) });
    const before = await readApplication(folder);
    const known = inSplits(before);
    assert.equal(known.size, 120);
    assert.equal(allOf(before).length, 120);
    for (const split of TEXT_SPLITS) assert.ok(before.splits[split].length > 0);
    writeFileSync(join(folder, 'a.jsonl'), lines(chats(50, 'caller')));
    writeFileSync(join(folder, 'b.jsonl'), lines([...chats(10, 'early bird'), ...chats(80)]));
    cpSync(join(folder, 'sub'), join(folder, 'z'), { recursive: true });
    rmSync(join(folder, 'sub'), { recursive: true });
    const after = await readApplication(folder);
    const now = inSplits(after);
    assert.equal(now.size, 180);
    for (const [record, split] of known) assert.equal(now.get(record), split);
    assert.notEqual(after.sha256, before.sha256);
  });

  it('has duplicates in one split, and says the same of the same content', async () => {
    const folder = folderOf({ 'a.jsonl': lines([...chats(40), ...chats(40)]), 'b.jsonl': lines(chats(40)) });
    const found = await readApplication(folder);
    assert.equal(allOf(found).length, 120);
    assert.equal(inSplits(found).size, 40);
    assert.equal(
      TEXT_SPLITS.reduce(
        (sum, split) => sum + new Set(found.splits[split].map(({ record }) => JSON.stringify(record))).size,
        0,
      ),
      40,
    );
    assert.deepEqual(await readApplication(folder), found);
  });

  it('of one file has the hash of the file', async () => {
    const folder = folderOf({ 'a.jsonl': lines(chats(8)), 'one/a.jsonl': lines(chats(8)) });
    const file = await readApplication(join(folder, 'a.jsonl'));
    assert.match(file.sha256, /^[\da-f]{64}$/);
    assert.notEqual((await readApplication(join(folder, 'one'))).sha256, file.sha256);
  });

  it('leaves out what is no text, and says so; links and hidden folders lead nowhere', async () => {
    const folder = folderOf({
      'chats.jsonl': lines(chats(8)),
      'picture.png': 'x',
      'binary.txt': Buffer.from([0x41, 0, 0x42]),
      'latin.txt': Buffer.from([0xe9, 0x20, 0xe9]),
      'config.json': '{"hidden_size": 8}',
      'rows.json': '{"rows": [[1, 2]]}',
      'broken.json': '{',
      'empty.txt': '\n',
      '.git/a.txt': 'hidden',
      'node_modules/a.txt': 'program',
    });
    symlinkSync(folder, join(folder, 'loop'));
    symlinkSync(join(folder, 'chats.jsonl'), join(folder, 'again.jsonl'));
    const { files, leftOut, ...found } = await readApplication(folder);
    assert.equal(files, 1);
    assert.equal(
      TEXT_SPLITS.reduce((sum, split) => sum + found.splits[split].length, 0),
      8,
    );
    assert.deepEqual(Object.fromEntries(leftOut.map(({ name, why }) => [name, why.replace(/\(.*/, '')])), {
      'again.jsonl': 'it is a link',
      loop: 'it is a link',
      'picture.png': 'it is of another type',
      'binary.txt': 'it is not text',
      'latin.txt': 'it is not text',
      'config.json': 'record 1 has the fields "hidden_size"'.replace(/record.*/, 'it has no records'),
      'rows.json': 'it has ids of tokens, not text',
      'broken.json': 'it is not JSON ',
      'empty.txt': 'it has no text',
    });
  });

  it('is refused where it cannot be read, with file, line and what to do', async () => {
    const folder = folderOf({
      'bad.jsonl': `${lines(chats(2))}\n{"messages": `,
      'other.jsonl': lines([...chats(1), { question: 'Why?' }]),
      'rows.json': '{"rows": [[1, 2]]}',
      'binary.txt': Buffer.from([0x41, 0]),
      'none/picture.png': 'x',
    });
    mkdirSync(join(folder, 'empty'));
    const cases: readonly (readonly [string, RegExp])[] = [
      ['bad.jsonl', /line 3 is not JSON/],
      ['other.jsonl', /line 2 has the fields "question"/],
      ['rows.json', /ids of tokens/],
      ['binary.txt', /it is not text/],
      ['none', /1 file left out: picture.png/],
      ['empty', /no files/],
      ['missing', /no such file/],
    ];
    for (const [name, why] of cases) {
      await assert.rejects(readApplication(join(folder, name)), (error: unknown) => {
        assert.ok(error instanceof UserError, name);
        assert.match(error.why, why);
        return true;
      });
    }
    await assert.rejects(readApplication(folder, { signal: AbortSignal.abort() }), CancelledError);
  });

  it('says how many records there are where a split has none or too little', async () => {
    const found = await readApplication(join(folderOf({ 'a.jsonl': lines(chats(1)) }), 'a.jsonl'));
    const empty = TEXT_SPLITS.find((split) => found.splits[split].length === 0)!;
    assert.throws(
      () => recordsIn(found, empty),
      (error: unknown) =>
        error instanceof UserError && error.why.includes('1 record: ') && error.action.includes('Add records'),
    );
    const short = telling(found, () => Promise.reject(new UserError('Too short', 'it has 3 tokens', 'Add text.')));
    await assert.rejects(short, { why: /^it has 3 tokens; a\.jsonl has 1 record: / });
  });
});
