/** Tasks of the user's own: the format, its schema, and when a written answer is right. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../../../src/engine/errors';
import { TASK_NAMES } from '../../../../src/engine/evaluate/tasks/catalogue';
import { answerOf, isCorrect } from '../../../../src/engine/evaluate/tasks/correct';
import type { WrittenItem } from '../../../../src/engine/evaluate/tasks/item';
import { FILE_FIELDS, readOwnTask, requireOwnNames } from '../../../../src/engine/evaluate/tasks/own';
import {
  CHOICE_FIELDS,
  DEFAULT_ANSWER_TOKENS,
  MATCHES,
  WRITTEN_FIELDS,
} from '../../../../src/engine/evaluate/tasks/own-item';
import { MAX_ANSWER_TOKENS, MAX_CHOICES, MAX_EXPECTED_LENGTH } from '../../../../src/engine/formats/limits';
import { temporaryFolder } from '../../../support/temporary';

const ROOT = resolve(import.meta.dirname, '../../../..');

function fileOf(content: unknown, name = 'own.coppice-tasks.json'): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const CHOICE = { context: 'The sky is', choices: ['blue', 'a table 💧'], answer: 'blue' };
const WRITTEN = { prompt: 'Two and two is', expected: 'four' };

describe('evaluate/tasks: own', () => {
  it('reads choices and written answers, numbered as the file has them', async () => {
    const file = fileOf({ title: 'Mine', note: 'x', items: [CHOICE, WRITTEN, { ...CHOICE, answer: 1 }] });
    const task = await readOwnTask(file);
    assert.equal(task.name, 'own');
    assert.equal(task.title, 'Mine');
    assert.equal(task.reported, 'acc');
    assert.equal(task.normalised, false);
    assert.deepEqual(task.choiceItems, [
      {
        item: 0,
        gold: 0,
        choices: [
          { context: 'The sky is', continuation: ' blue', characters: 4 },
          { context: 'The sky is', continuation: ' a table 💧', characters: 9 },
        ],
      },
      { ...task.choiceItems[0], item: 2, gold: 1 },
    ]);
    assert.deepEqual(task.writtenItems, [
      {
        item: 1,
        prompt: 'Two and two is',
        expected: ['four'],
        match: 'exact',
        ignoreCase: false,
        until: ['\n'],
        maxTokens: 32,
      },
    ]);
    assert.deepEqual(
      task.inputs.map(({ role, name }) => [role, name]),
      [['task', 'own.coppice-tasks.json']],
    );
    const last = await readOwnTask(file, { from: 2, limit: 9 });
    assert.deepEqual([last.choiceItems.map(({ item }) => item), last.writtenItems], [[2], []]);
    await assert.rejects(readOwnTask(file, { from: 3 }), /no record 3: it has 3 records/);
  });

  it('a bare list is a task too, and a file with choices only may report accNorm', async () => {
    assert.equal((await readOwnTask(fileOf([CHOICE], 'a.json'))).name, 'a');
    const { reported, normalised, name } = await readOwnTask(
      fileOf({ name: 'b', reported: 'accNorm', items: [CHOICE] }),
    );
    assert.deepEqual([reported, normalised, name], ['accNorm', true, 'b']);
  });

  it('joins context and choice by one blank, or by the delimiter', async () => {
    const continuation = async (file: object): Promise<string> =>
      (await readOwnTask(fileOf(file))).choiceItems[0].choices[0].continuation;
    const items = (more: object): object[] => [{ ...CHOICE, ...more }];
    assert.equal(await continuation({ items: items({ context: 'It is\n' }) }), 'blue');
    assert.equal(await continuation({ delimiter: '', items: items({}) }), 'blue');
    assert.equal(await continuation({ delimiter: '', items: items({ delimiter: '\t' }) }), '\tblue');
  });

  it('no two of a run have one name', async () => {
    const [a, b] = [await readOwnTask(fileOf([CHOICE], 'a.json')), await readOwnTask(fileOf([CHOICE], 'b.json'))];
    requireOwnNames([a, b]);
    assert.throws(
      () => requireOwnNames([a, b, { ...b, file: 'c.json', name: 'a' }]),
      /c\.json.*"a" is that of a\.json/,
    );
  });

  const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
    ['no JSON', '{"items": [', /own\.coppice-tasks\.json as a task: it is not valid JSON/],
    ['a name twice', '{"items": [], "items": []}', /the name "items" occurs twice/],
    ['a text', '"x"', /neither an object nor a list/],
    ['no items', {}, /"items" is missing/],
    ['an empty list', { items: [] }, /"items" is empty/],
    ['an item that is no object', { items: [CHOICE, 7] }, /"items\[1\]" is not an object/],
    ['a mistyped field', { items: [{ ...WRITTEN, ignorecase: true }] }, /"items\[0\]\.ignorecase" is no field/],
    ['a mistyped field of the file', { item: [], items: [CHOICE] }, /"item" is no field/],
    ['fields of both kinds', { items: [{ ...CHOICE, ...WRITTEN }] }, /"items\[0\]\.prompt" is no field/],
    ['an empty context', { items: [{ ...CHOICE, context: ' ' }] }, /"items\[0\]\.context" has no text/],
    ['one choice', { items: [{ ...CHOICE, choices: ['blue'] }] }, /"items\[0\]\.choices" has 1 text, not 2 to 64/],
    ['an empty choice', { items: [{ ...CHOICE, choices: ['blue', ''] }] }, /"items\[0\]\.choices" is \["blue",""\]/],
    ['a choice twice', { items: [{ ...CHOICE, choices: ['a', 'a'] }] }, /"items\[0\]\.choices" has "a" twice/],
    ['no answer', { items: [{ ...CHOICE, answer: undefined }] }, /"items\[0\]\.answer" is missing/],
    [
      'an answer beyond',
      { items: [CHOICE, { ...CHOICE, answer: 2 }] },
      /"items\[1\]\.answer" is 2, which is no choice/,
    ],
    ['an answer that is no choice', { items: [{ ...CHOICE, answer: 'red' }] }, /"items\[0\]\.answer" is "red"/],
    ['an unknown match', { items: [{ ...WRITTEN, match: 'like' }] }, /"items\[0\]\.match" is "like", not one of exact/],
    [
      'an expression that is none',
      { items: [{ ...WRITTEN, expected: '(', match: 'regex' }] },
      /"items\[0\]\.expected" is no regular/,
    ],
    ['nothing expected', { items: [{ ...WRITTEN, expected: [] }] }, /"items\[0\]\.expected" is \[\]/],
    ['white space expected', { items: [{ ...WRITTEN, expected: '\n' }] }, /"items\[0\]\.expected" is white space only/],
    [
      'no tokens',
      { items: [{ ...WRITTEN, maxTokens: 0 }] },
      /"items\[0\]\.maxTokens" is 0, not a number from 1 to 4096/,
    ],
    ['a flag that is none', { items: [{ ...WRITTEN, ignoreCase: 'yes' }] }, /"items\[0\]\.ignoreCase" is "yes"/],
    [
      'accNorm of written answers',
      { reported: 'accNorm', items: [CHOICE, WRITTEN] },
      /"reported" is "accNorm", and items\[1\]/,
    ],
    ['the name of a data set', { name: 'boolq', items: [CHOICE] }, /its name "boolq" is that of a data set/],
    ['a name with a line break', { name: 'a\nb', items: [CHOICE] }, /control characters/],
  ];

  for (const [what, content, message] of REFUSED) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(readOwnTask(fileOf(content)), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe('evaluate/tasks: written answers', () => {
  const item = (more: Partial<WrittenItem>): WrittenItem => ({
    item: 4,
    prompt: 'x',
    expected: ['Four'],
    match: 'exact',
    maxTokens: 8,
    ...more,
  });

  it('exact: without white space around it, any of the expected, up to the end', () => {
    assert.ok(isCorrect(item({}), '\n Four ', 'f'));
    assert.ok(!isCorrect(item({}), 'four', 'f'));
    assert.ok(isCorrect(item({ ignoreCase: true }), 'FOUR', 'f'));
    assert.ok(isCorrect(item({ expected: ['4', 'Four'] }), '4', 'f'));
    assert.ok(!isCorrect(item({}), 'Four\nFive', 'f'));
    assert.ok(isCorrect(item({ until: ['\n', '.'] }), '\nFour. Five', 'f'));
    assert.equal(answerOf('\n\n a\nb', ['\n']), '\n\n a');
  });

  it('contains and regex: somewhere in the answer', () => {
    assert.ok(isCorrect(item({ match: 'contains' }), 'It is Four.', 'f'));
    assert.ok(!isCorrect(item({ match: 'contains', until: ['is'] }), 'It is Four.', 'f'));
    assert.ok(isCorrect(item({ match: 'regex', expected: ['^\\s*(4|four)\\b'], ignoreCase: true }), ' Four!', 'f'));
    assert.ok(!isCorrect(item({ match: 'regex', expected: ['^four'] }), ' four', 'f'));
    assert.ok(isCorrect(item({ match: 'regex', expected: ['^.$'] }), '💧', 'f'));
  });

  it('an expression without end is stopped, and the error names the item', () => {
    const endless = item({ match: 'regex', expected: ['^(a+)+$'] });
    assert.throws(
      () => isCorrect(endless, `${'a'.repeat(60)}b`, 'own.json'),
      (error: unknown) => error instanceof UserError && /items\[4\] of own\.json.*longer than 1 s/.test(error.message),
    );
    assert.ok(isCorrect(endless, 'aaa', 'own.json'));
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly enum?: readonly unknown[];
  readonly not?: Schema;
  readonly default?: unknown;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
}

describe('evaluate/tasks: the schema', () => {
  const schema = JSON.parse(readFileSync(join(ROOT, 'media/coppice-tasks.schema.json'), 'utf8')) as Schema;
  const { file, choice, written, text } = schema.definitions!;

  it('has the fields, words and limits of the reader', () => {
    assert.deepEqual(Object.keys(file.properties!).sort(), [...FILE_FIELDS].sort());
    assert.deepEqual(Object.keys(choice.properties!).sort(), [...CHOICE_FIELDS].sort());
    assert.deepEqual(Object.keys(written.properties!).sort(), [...WRITTEN_FIELDS].sort());
    assert.deepEqual(file.properties!.name.not?.enum, [...TASK_NAMES]);
    assert.deepEqual(written.properties!.match.enum, MATCHES);
    assert.equal(written.properties!.maxTokens.default, DEFAULT_ANSWER_TOKENS);
    assert.equal(written.properties!.maxTokens.maximum, MAX_ANSWER_TOKENS);
    assert.equal(choice.properties!.choices.maxItems, MAX_CHOICES);
    assert.equal(text.maxLength, MAX_EXPECTED_LENGTH);
  });

  it('checks files of its name in VS Code, and comes with the extension', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      contributes: { jsonValidation: { fileMatch: string; url: string }[] };
    };
    const [tasks] = manifest.contributes.jsonValidation.filter(({ fileMatch }) => fileMatch.includes('tasks'));
    assert.deepEqual(tasks, { fileMatch: '*.coppice-tasks.json', url: './media/coppice-tasks.schema.json' });
    assert.match(readFileSync(join(ROOT, '.vscodeignore'), 'utf8'), /^!media\/\*\.schema\.json$/m);
  });

  it('the sample’s stories are a task', async () => {
    const task = await readOwnTask(join(ROOT, 'media/sample/stories.coppice-tasks.json'));
    assert.equal(task.name, 'stories');
    assert.ok(task.choiceItems.length >= 8);
    assert.ok(task.writtenItems.length >= 2);
  });
});
