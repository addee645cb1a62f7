/** Examples: the Alpaca prompt, the loss on the answers only, conversations through a template, windows of text. */
import assert from 'node:assert/strict';
import { type Instruction, promptedText } from '../../../../src/engine/application/prompted';
import { instructionExample } from '../../../../src/engine/retrain/data/alpaca';
import { chatExample } from '../../../../src/engine/retrain/data/chat';
import { countTargets } from '../../../../src/engine/retrain/data/example';
import type { TextEncoder } from '../../../../src/engine/retrain/data/options';
import { textPieces, streamExamples } from '../../../../src/engine/retrain/data/windows';
import type { ChatMessage } from '../../../../src/engine/tokenizer/tokenizer';
import { BOS, characters, EOS, learnt, STREAM, textOf } from './toy';

const record: Instruction = { instruction: 'Name a colour.', input: '', output: 'red' };
const options = { length: 1000, eosTokenId: EOS, beginning: STREAM };

describe('retrain/data/alpaca', () => {
  it('writes the template without an input', () => {
    const { prompt, response } = promptedText(record, 'alpaca');
    assert.equal(
      prompt,
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.' +
        '\n\n### Instruction:\nName a colour.\n\n### Response:\n',
    );
    assert.equal(response, 'red');
  });

  it('writes the template with an input', () => {
    assert.equal(
      promptedText({ ...record, input: 'warm' }, 'alpaca').prompt,
      'Below is an instruction that describes a task, paired with an input that provides further context. ' +
        'Write a response that appropriately completes the request.' +
        '\n\n### Instruction:\nName a colour.\n\n### Input:\nwarm\n\n### Response:\n',
    );
  });

  it('writes instructions as they are, ending in a mark', () => {
    const plain = (instruction: string, input = '', output = 'red') => {
      const { prompt, response } = promptedText({ instruction, input, output }, 'plain');
      return prompt + response;
    };
    assert.equal(plain('Name a colour.'), 'Name a colour: red');
    assert.equal(plain('Name a colour'), 'Name a colour: red');
    assert.equal(plain('Which colour?'), 'Which colour? red');
    assert.equal(plain('Name a colour.', 'a warm one'), 'Name a colour: a warm one. red');
    assert.equal(plain('Name a colour:', 'warm!', ''), 'Name a colour: warm!');
  });

  it('asks for the response and EOS, not for the prompt', async () => {
    const { example, truncated } = await instructionExample(record, 'plain', characters, options);
    assert.equal(textOf(example.ids), '^Name a colour: red¶');
    assert.equal(learnt(example), '............... red¶');
    assert.equal(countTargets(example), 5);
    assert.equal(truncated, false);
  });

  it('appends EOS only where it fits, and cuts what is longer', async () => {
    const ids = async (length: number) => {
      const { example, truncated } = await instructionExample(record, 'plain', characters, { ...options, length });
      return { text: textOf(example.ids), truncated };
    };
    assert.deepEqual(await ids(20), { text: '^Name a colour: red¶', truncated: false });
    assert.deepEqual(await ids(19), { text: '^Name a colour: red', truncated: false });
    assert.deepEqual(await ids(18), { text: '^Name a colour: re', truncated: true });
  });

  it('has no target where the prompt alone fills the length', async () => {
    const { example } = await instructionExample(record, 'plain', characters, { ...options, length: 9 });
    assert.equal(example.ids.length, 9);
    assert.equal(countTargets(example), 0);
  });

  it('counts the prompt without the EOS that some tokenizers append, and never doubles it', async () => {
    const ending: TextEncoder = {
      ...characters,
      encode: async (text, how) => [...(await characters.encode(text, how)), EOS],
    };
    const { example } = await instructionExample(record, 'plain', ending, options);
    assert.equal(learnt(example), '............... red¶');
  });
});

describe('retrain/data/chat', () => {
  const say = (...contents: string[]): ChatMessage[] =>
    contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));

  it('asks for the answers and their end, not for what others say nor for the marks around', async () => {
    const { example } = await chatExample(say('hi', 'yes', 'ok', 'no'), characters, options);
    assert.equal(textOf(example.ids), '<user>hi¶\n<assistant>yes¶\n<user>ok¶\n<assistant>no¶\n');
    assert.equal(learnt(example), `${'.'.repeat(21)}yes¶${'.'.repeat(21)}.no¶.`);
  });

  it('cuts a conversation at the length', async () => {
    const { example, truncated } = await chatExample(say('hi', 'yes', 'ok', 'no'), characters, {
      ...options,
      length: 23,
    });
    assert.equal(learnt(example), `${'.'.repeat(21)}ye`);
    assert.equal(truncated, true);
  });

  it('asks for all that a template writes behind the opening where it writes no EOS', async () => {
    const { example } = await chatExample(say('hi', 'yes'), characters, { length: 100, beginning: STREAM });
    assert.equal(learnt(example), `${'.'.repeat(21)}yes¶\n`);
  });

  it('does not learn a turn that the template changes once others follow, nor a greeting', async () => {
    const forgetful: TextEncoder = {
      ...characters,
      chat: (messages, how) =>
        characters.chat(
          messages.map((m, i) => (i < messages.length - 1 ? { ...m, content: m.content.replace('hm, ', '') } : m)),
          how,
        ),
    };
    const { example } = await chatExample(say('hi', 'hm, yes', 'ok', 'hm, no'), forgetful, options);
    assert.equal(learnt(example).replaceAll('.', ''), 'hm, no¶');
    const greeting = await chatExample([{ role: 'assistant', content: 'hi' }], characters, options);
    assert.equal(countTargets(greeting.example), 0);
  });

  it('takes the opening of the turn as learnt where the template has none to start a generation from', async () => {
    const plain: TextEncoder = { ...characters, chat: (m, _) => characters.chat(m, { addGenerationPrompt: false }) };
    const { example } = await chatExample(say('hi', 'yes'), plain, options);
    assert.equal(learnt(example).replaceAll('.', ''), '<assistant>yes¶');
  });
});

describe('retrain/data/windows', () => {
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const rows = (pieces: number[][], length: number, prefix: number[] = []) =>
    streamExamples(pieces, length, prefix).map(({ ids }) => Array.from(ids));

  it('lays windows side by side over all pieces, the last one shorter', () => {
    assert.deepEqual(rows([numbers(10, 13), [], numbers(13, 20)], 4), [
      [10, 11, 12, 13],
      [14, 15, 16, 17],
      [18, 19],
    ]);
  });

  it('drops a last token that nothing precedes', () => {
    assert.deepEqual(rows([numbers(10, 15)], 4), [[10, 11, 12, 13]]);
    assert.deepEqual(rows([[10]], 4), []);
  });

  it('puts BOS before each window, within its length', () => {
    assert.deepEqual(rows([numbers(10, 14)], 4, [BOS]), [
      [BOS, 10, 11, 12],
      [BOS, 13],
    ]);
  });

  it('asks for every token but the first', () => {
    assert.deepEqual(streamExamples([numbers(0, 9)], 4, []).map(countTargets), [3, 3]);
  });

  it('cuts a long text at paragraphs, lines, spaces, or anywhere but inside a character', () => {
    assert.deepEqual(textPieces('one two\n\nthree\nfour', 12), ['one two\n\n', 'three\nfour']);
    assert.deepEqual(textPieces('one two three\nfour', 15), ['one two three\n', 'four']);
    assert.deepEqual(textPieces('one two three four', 15), ['one two three', ' four']);
    assert.deepEqual(textPieces('a😀😀😀', 4), ['a😀😀', '😀']);
    assert.deepEqual(textPieces('', 4), []);
    const text = 'It was long ago.\n\nNobody knows when.\nNot even we.\n\n'.repeat(50);
    for (const size of [7, 20, 64, 1000]) assert.equal(textPieces(text, size).join(''), text);
  });
});
