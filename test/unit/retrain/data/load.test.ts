/** Training data from files: what is told from the content, what is held out, and what is refused. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CancelledError, UserError } from '../../../../src/engine/errors';
import type { Example } from '../../../../src/engine/retrain/data/example';
import { loadTrainingData } from '../../../../src/engine/retrain/data/load';
import { defaultHeldOut, evaluationRows } from '../../../../src/engine/retrain/data/held-out';
import type { DataOptions, TextEncoder } from '../../../../src/engine/retrain/data/options';
import { loadTokenizer } from '../../../../src/engine/tokenizer/tokenizer';
import { itShared, shared } from '../../../support/shared';
import { BOS, characters, EOS, learnt, STREAM, textOf, write } from './toy';

const load = (
  source: string | string[],
  options: Partial<DataOptions> = {},
  encoder: TextEncoder | undefined = characters,
) =>
  loadTrainingData(
    source,
    { length: 64, seed: 1, heldOut: 0, eosTokenId: EOS, beginning: STREAM, ...options },
    encoder,
  );

const texts = (examples: readonly Example[]): string[] => examples.map(({ ids }) => textOf(ids));
const lines = (...records: unknown[]): string => records.map((record) => JSON.stringify(record)).join('\n');
const instruction = (n: number) => ({ instruction: `Say ${n}`, input: '', output: `${n}` });

/** Loading must fail with a message that matches. */
const refuses = (loading: Promise<unknown>, message: RegExp) =>
  assert.rejects(loading, (error) => error instanceof UserError && message.test(error.message));

describe('retrain/data/load: kinds of files', () => {
  const plain = { prompt: 'plain' } as const;

  it('reads instructions from JSON and from JSON lines, whatever the name', async () => {
    const records = [instruction(1), { instruction: 'Double it', input: '4', output: '8' }];
    for (const file of [
      write('a.json', records),
      write('a.jsonl', lines(...records)),
      write('a.txt', lines(...records)),
    ]) {
      const { train, describe } = await load(file, plain);
      assert.deepEqual(texts(train), ['^Say 1: 1¶', '^Double it: 4. 8¶']);
      assert.equal(describe.files[0].kind, 'instructions');
    }
  });

  it('reads one record alone, and an input that is missing or null', async () => {
    const file = write('a.json', { instruction: 'Go', input: null, output: 'gone', text: 'ignored' });
    assert.deepEqual(texts((await load(file, plain)).train), ['^Go: gone¶']);
  });

  it('reads conversations', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yes' },
    ];
    const { train, describe } = await load(write('a.jsonl', lines({ messages })));
    assert.equal(learnt(train[0]), `${'.'.repeat(21)}yes¶.`);
    assert.equal(describe.files[0].kind, 'chat');
  });

  it('joins documents, each between BOS and EOS, and cuts the stream', async () => {
    const { train, describe } = await load(write('a.jsonl', lines({ text: 'abc' }, { text: 'defg' })), { length: 6 });
    assert.deepEqual(texts(train), ['^abc¶^', 'defg¶']);
    assert.equal(describe.files[0].kind, 'documents');
    const each = await load(write('a.jsonl', lines({ text: 'abc' }, { text: 'defg' })), {
      length: 6,
      beginning: { mode: 'window', id: BOS },
    });
    assert.deepEqual(texts(each.train), ['^abc¶d', '^efg¶']);
  });

  it('takes anything else as one text', async () => {
    const { train, describe } = await load(write('a.txt', '[1] abcdefgh'), { length: 5 });
    assert.deepEqual(texts(train), ['^[1] ', 'abcde', 'fgh']);
    assert.equal(describe.files[0].kind, 'text');
    assert.deepEqual(describe.train, { examples: 3, tokens: 13, targets: 10 });
  });

  it('takes a file as what the caller says', async () => {
    const both = { instruction: 'Go', output: 'gone', text: 'abc' };
    assert.deepEqual(texts((await load(write('a.json', both), { kind: 'documents' })).train), ['^abc¶']);
    assert.deepEqual(texts((await load(write('a.json', '[12]'), { kind: 'text' })).train), ['^[12]']);
    await refuses(load(write('a.txt', 'Hello.'), { kind: 'chat' }), /neither JSON/);
  });

  it('takes batches as they are, without a tokenizer', async () => {
    const file = write('a.json', {
      batches: [
        {
          ids: [
            [3, 4, 5],
            [6, 7],
          ],
          labels: [
            [-100, 4, 5],
            [6, 7],
          ],
        },
        { ids: [[8, 9]], labels: [[-100, 9]] },
      ],
    });
    const { train, heldOut, batches, describe } = await loadTrainingData(
      file,
      { length: 2, seed: 1, beginning: STREAM, vocabulary: 10 },
      undefined,
    );
    assert.deepEqual(batches, [[0, 1], [2]]);
    assert.deepEqual(Array.from(train[0].labels), [-1, 4, 5]);
    assert.deepEqual(heldOut, []);
    assert.deepEqual(describe.train, { examples: 3, tokens: 7, targets: 4 });
    assert.equal(describe.length, 3);
  });

  it('says of each file its name, hash and kind', async () => {
    const files = [write('a.json', [instruction(1)]), write('b.txt', 'Hello.')];
    const { describe } = await load(files);
    assert.deepEqual(
      describe.files,
      files.map((file, i) => ({
        file: i === 0 ? 'a.json' : 'b.txt',
        sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
        kind: i === 0 ? 'instructions' : 'text',
      })),
    );
  });
});

describe('retrain/data/load: the held-out part', () => {
  const file = write(
    'a.json',
    Array.from({ length: 40 }, (_, n) => instruction(n)),
  );
  const split = async (options: Partial<DataOptions>, source: string | string[] = file) => {
    const { train, heldOut } = await load(source, { prompt: 'plain', ...options });
    return { train: texts(train), heldOut: texts(heldOut) };
  };

  it('is a twentieth, and no more than is looked at', () => {
    assert.deepEqual([51_760, 1300, 1000, 100, 2, 1].map(defaultHeldOut), [64, 64, 50, 5, 1, 0]);
  });

  it('is looked at in a sample of all its files, the same whatever their order', async () => {
    const records = (first: number, count: number) => Array.from({ length: count }, (_, n) => instruction(first + n));
    const files = [write('a.json', records(0, 400)), write('b.json', records(1000, 400))];
    for (const order of [files, files.toReversed()]) {
      const { heldOut, describe } = await load(order, { prompt: 'plain', heldOut: 200 });
      assert.deepEqual([describe.heldOut.examples, describe.heldOut.looked], [200, 64]);
      const rows = evaluationRows(heldOut, 1);
      assert.equal(new Set(rows).size, 64);
      const ofB = texts(rows).filter((text) => text.startsWith('^Say 1') && text.length > '^Say 100: 100¶'.length);
      assert.ok(ofB.length >= 20 && ofB.length <= 44, String(ofB.length));
      assert.deepEqual(evaluationRows(heldOut, 1), rows);
      assert.notDeepEqual(evaluationRows(heldOut, 2), rows);
    }
  });

  it('is drawn by the seed, by count or by fraction', async () => {
    const whole = await split({});
    const part = await split({ heldOut: 5 });
    assert.equal(part.heldOut.length, 5);
    assert.deepEqual([...part.train, ...part.heldOut].sort(), whole.train.toSorted());
    assert.deepEqual(await split({ heldOut: 0.125 }), part);
    assert.notDeepEqual(await split({ heldOut: 5, seed: 2 }), part);
    assert.equal((await split({ heldOut: undefined })).heldOut.length, 2);
  });

  it('is the end of a text', async () => {
    const { train, heldOut } = await split({ heldOut: 0.4, length: 4 }, write('a.txt', 'abcdefghijklmnopqrs'));
    assert.deepEqual(train, ['^abc', 'defg', 'hijk']);
    assert.deepEqual(heldOut, ['lmno', 'pqrs']);
  });

  it('shares no document with the rest', async () => {
    const documents = write('a.jsonl', lines(...'abcdefgh'.split('').map((c) => ({ text: c.repeat(3) }))));
    const { train, heldOut } = await split({ heldOut: 2, length: 7 }, documents);
    const letters = new Set(heldOut.join('').replace(/[\^¶]/g, ''));
    assert.equal(letters.size, 2);
    for (const letter of letters) assert.ok(!train.join('').includes(letter));
  });

  it('comes from every file in proportion', async () => {
    const other = write(
      'b.json',
      Array.from({ length: 20 }, (_, n) => instruction(100 + n)),
    );
    const { heldOut } = await split({ heldOut: 6 }, [file, other]);
    assert.deepEqual(
      heldOut.map((text) => text.length > '^Say 10: 10¶'.length),
      [false, false, false, false, true, true],
    );
  });

  it('must leave something', async () => {
    await refuses(split({ heldOut: 40 }), /hold out 40 of 40/);
    await refuses(split({ heldOut: -1 }), /hold out -1/);
    await refuses(split({ heldOut: 1.5 }), /hold out 1.5/);
  });
});

describe('retrain/data/load: what is refused', () => {
  it('names line or record, and field', async () => {
    const good = instruction(1);
    await refuses(load(write('a.jsonl', `${lines(good)}\n\n{"instruction`)), /a\.jsonl: line 3 is not JSON/);
    await refuses(load(write('a.jsonl', lines(good, { instruction: 'x' }))), /line 2 has no string "output"/);
    await refuses(load(write('a.json', [good, { ...good, input: 3 }])), /record 2 has no string "input"/);
    await refuses(load(write('a.json', [good, 'x'])), /record 2 is not a JSON object/);
    await refuses(load(write('a.json', [{ question: 'x' }])), /record 1 has the fields "question"/);
    await refuses(load(write('a.json', [{ messages: [] }])), /record 1: "messages" is not a list/);
    await refuses(load(write('a.json', [{ messages: [{ role: 'user' }] }])), /record 1: "messages\[0\]" has no/);
    await refuses(load(write('a.json', '[{"instruction": ')), /it is not JSON/);
    await refuses(load(write('a.json', [])), /it has no records/);
    await refuses(load(write('a.json', '3')), /it has no records/);
    await refuses(load('/nowhere/a.json'), /there is no such file/);
  });

  it('names the record that is of another kind than the first, and both kinds', async () => {
    const good = instruction(1);
    const talk = { messages: [{ role: 'user', content: 'hi' }] };
    const mixed = /line 3 is a conversation \("messages"\), line 1 is an instruction \("instruction"\)/;
    await refuses(load(write('a.jsonl', lines(good, good, talk))), mixed);
    const document = /record 2 is a document \("text"\), record 1 is a conversation/;
    await refuses(load(write('a.json', [talk, { text: 'abc' }])), document);
    await refuses(
      load(write('a.json', [{ text: 'a' }, good])),
      /record 2 is an instruction .*, record 1 is a document/,
    );
    await refuses(load(write('a.json', [good, { question: 'x' }])), /record 2 has the fields "question"/);
    const both = await load(write('a.jsonl', lines({ text: 'abc' }, { ...good, text: 'def' })));
    assert.equal(both.describe.files[0].kind, 'documents');
  });

  it('names the place in batches', async () => {
    const batches = (batch: unknown) => load(write('a.json', { batches: [batch] }));
    await refuses(load(write('a.json', { batches: [] })), /"batches" is not a list/);
    await refuses(batches({ ids: [[1]] }), /"batches\[0\]" has no lists/);
    await refuses(batches({ ids: [[1, 'x']], labels: [[1, 2]] }), /"batches\[0\]\.ids\[0\]\[1\]" is "x"/);
    await refuses(batches({ ids: [[1, 2]], labels: [[1, -1]] }), /"batches\[0\]\.labels\[0\]\[1\]" is -1/);
    await refuses(batches({ ids: [[1, 2]], labels: [[1]] }), /1 label for 2 ids in row 0/);
    await refuses(batches({ ids: [[1, 2]], labels: [[1, 2], [3]] }), /2 rows of labels for 1 rows of ids/);
    await refuses(batches({ ids: [[1, 2]], labels: [[1, -100]] }), /"batches\[0\]" has nothing to learn/);
    await refuses(batches({ ids: [[1], [2]], labels: [[1], [2]] }), /"batches\[0\]" has nothing to learn/);
    const long = write('a.json', { batches: [{ ids: [[1, 2, 3]], labels: [[1, 2, 3]] }] });
    await refuses(load(long, { context: 2 }), /"batches\[0\]\.ids\[0\]" has 3 ids, the model.s context is 2/);
    const good = write('a.json', { batches: [{ ids: [[1, 2]], labels: [[1, 2]] }] });
    await refuses(load([good, good]), /the only file/);
    await refuses(load(good, { heldOut: 1 }), /none can be held out/);
    await refuses(load(good, { vocabulary: 2 }), /a token 2, the model’s vocabulary has 2 ids/);
  });

  it('leaves out records without a target, and fails when nothing is left', async () => {
    const file = write('a.json', [{ instruction: 'x'.repeat(30), output: 'y' }, instruction(1)]);
    const { train, describe } = await load(file, { prompt: 'plain', length: 12 });
    assert.deepEqual(texts(train), ['^Say 1: 1¶']);
    assert.equal(describe.dropped, 1);
    const empty = await load(write('a.jsonl', lines({ text: ' \n' }, { text: 'abc' })));
    assert.deepEqual(texts(empty.train), ['^abc¶']);
    assert.equal(empty.describe.dropped, 1);
    await refuses(load(file, { length: 12 }), /no token to learn within 12 tokens/);
    await refuses(load(write('a.txt', '')), /no token to learn/);
  });

  it('needs a tokenizer, and for conversations a template that accepts them', async () => {
    const file = write('a.json', { messages: [{ role: 'user', content: 'x' }] });
    await refuses(loadTrainingData(file, { length: 8, seed: 1, beginning: STREAM }, undefined), /no tokenizer/);
    await refuses(load(file, {}, { ...characters, hasChatTemplate: false }), /no chat template/);
    const strict = (): string => {
      throw new UserError('Cannot apply the chat template of x', 'roles must alternate', 'Do so.');
    };
    await refuses(load(file, {}, { ...characters, chat: strict }), /record 1: the chat template fails \(roles must/);
  });

  it('checks options and cancellation', async () => {
    const file = write('a.txt', 'Hello.');
    await refuses(load(file, { length: 1 }), /--length 1/);
    await refuses(load([]), /no data file/);
    const signal = AbortSignal.abort();
    await assert.rejects(
      loadTrainingData(file, { length: 8, seed: 1, beginning: STREAM }, characters, { signal }),
      CancelledError,
    );
  });
});

describe('retrain/data/load: SmolLM2’s tokenizer', () => {
  itShared('makes the batches of the golden LoRA run from its instructions', async () => {
    interface Golden {
      readonly batches: readonly { readonly ids: number[][]; readonly labels: number[][] }[];
    }
    const golden = JSON.parse(readFileSync(shared('golden/smollm2-135m/lora.json'), 'utf8')) as Golden;
    const tokenizer = await loadTokenizer(shared('models/smollm2-135m'));
    const file = shared('data/instruct/llamafactory.alpaca_en_demo.json');
    const records = (JSON.parse(readFileSync(file, 'utf8')) as unknown[]).slice(0, 48);
    const { train } = await load(write('demo.json', records), { length: 128 }, tokenizer);
    const batches = golden.batches.slice(0, 11); // the twelfth is the first again
    const expected = batches.flatMap(({ ids, labels }) => ids.map((row, r) => ({ ids: row, labels: labels[r] })));
    expected.forEach(({ ids, labels }, i) => {
      assert.deepEqual(Array.from(train[i].ids), ids, `ids of example ${i}`);
      assert.deepEqual(
        Array.from(train[i].labels),
        labels.map((label) => (label === -100 ? -1 : label)),
        `labels of example ${i}`,
      );
    });
  });

  itShared('learns the answers of a conversation up to the end-of-turn mark', async () => {
    const tokenizer = await loadTokenizer(shared('models/smollm2-135m'));
    const messages = ['Hello', 'Hi there!', 'Bye', 'See you.'].map((content, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content,
    }));
    const { train } = await load(write('a.jsonl', lines({ messages })), { length: 128 }, tokenizer);
    const targets = train[0].labels.filter((label) => label >= 0);
    const text = await tokenizer.decode(Array.from(targets), { skipSpecialTokens: false });
    assert.equal(text, 'Hi there!<|im_end|>See you.<|im_end|>');
  });
});
