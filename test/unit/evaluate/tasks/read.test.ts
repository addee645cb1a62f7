/** The seven tasks: texts as lm-evaluation-harness makes them, from every layout that their files come in. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OptionError, UserError } from '../../../../src/engine/errors';
import { isTaskName, TASK_NAMES, type TaskName, TASKS } from '../../../../src/engine/evaluate/tasks/catalogue';
import type { ChoiceItem } from '../../../../src/engine/evaluate/tasks/item';
import { capitalize, codePoints, strip } from '../../../../src/engine/evaluate/tasks/python-text';
import { readTask } from '../../../../src/engine/evaluate/tasks/read';
import { withCapital } from '../../../../src/engine/evaluate/tasks/sets/hellaswag';
import { describeShared, shared } from '../../../support/shared';
import { temporaryFolder } from '../../../support/temporary';

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

const lines = (...records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

async function itemsOf(name: TaskName, files: Readonly<Record<string, string>>): Promise<readonly ChoiceItem[]> {
  return (await readTask(name, folderOf(files))).choiceItems;
}

const continuationsOf = ({ choices }: ChoiceItem): string[] => choices.map(({ continuation }) => continuation);
const contextsOf = ({ choices }: ChoiceItem): string[] => choices.map(({ context }) => context);

const PIQA = { goal: 'dry a cup', sol1: 'use a towel', sol2: 'use a lake ' };
const BOOLQ = { question: 'is it so', title: 'So', passage: 'It is.', answer: true };
const ARC = {
  id: 'x',
  question: {
    stem: 'Which?',
    choices: [
      { text: 'this', label: '1' },
      { text: 'that', label: '2' },
    ],
  },
  answerKey: '2',
};

describe('evaluate/tasks: layouts', () => {
  it('BoolQ: the title begins the passage, and SuperGLUE’s copy has it there', async () => {
    const original = await itemsOf('boolq', { 'boolq_dev.jsonl': lines(BOOLQ, { ...BOOLQ, answer: false }) });
    const copy = { question: 'is it so', passage: 'So -- It is.', idx: 0, label: true };
    const [first] = await itemsOf('boolq', { 'BoolQ/val.jsonl': lines(copy) });
    assert.deepEqual(first, original[0]);
    assert.equal(first.choices[0].context, 'So -- It is.\nQuestion: is it so?\nAnswer:');
    assert.deepEqual(continuationsOf(first), [' no', ' yes']);
    assert.deepEqual(
      original.map(({ gold }) => gold),
      [1, 0],
    );
  });

  it('BoolQ of the hub has no titles: the texts differ, and a warning says so', async () => {
    const { title: _, ...untitled } = BOOLQ;
    const { warnings } = await readTask('boolq', folderOf({ 'boolq.jsonl': lines(untitled) }));
    assert.match(warnings.join(), /boolq\.jsonl have lost their titles/);
    assert.deepEqual((await readTask('boolq', folderOf({ 'boolq.jsonl': lines(BOOLQ) }))).warnings, []);
  });

  it('PIQA: labels of a second file or of the record; both files are inputs', async () => {
    const folder = folderOf({ 'piqa/data/valid.jsonl': lines(PIQA, PIQA), 'piqa/data/valid-labels.lst': '1\r\n0\n' });
    const task = await readTask('piqa', folder);
    assert.deepEqual(
      task.choiceItems.map(({ gold }) => gold),
      [1, 0],
    );
    assert.deepEqual(
      task.inputs.map(({ role, name }) => [role, name]),
      [
        ['task', 'valid.jsonl'],
        ['labels', 'valid-labels.lst'],
      ],
    );
    assert.ok(task.inputs.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256 ?? '')));
    const [own] = await itemsOf('piqa', { 'piqa.json': JSON.stringify([{ ...PIQA, label: 1 }]) });
    assert.deepEqual(own, task.choiceItems[0]);
    assert.deepEqual(
      own.choices.map(({ characters }) => characters),
      [11, 11],
    );
  });

  it('ARC and OpenBookQA: the official choices and the hub’s are the same', async () => {
    const hub = { question: 'Which?', choices: { text: ['this', 'that'], label: ['1', '2'] }, answerKey: '2' };
    const [official] = await itemsOf('arc_easy', { 'ARC-V1-Feb2018-2/ARC-Easy/ARC-Easy-Test.jsonl': lines(ARC) });
    assert.deepEqual((await itemsOf('arc_challenge', { 'arc_challenge/test.jsonl': lines(hub) }))[0], official);
    assert.equal(official.gold, 1);
    const { question, ...others } = hub;
    const [stem] = await itemsOf('openbookqa', {
      'openbookqa/test.ndjson': lines({ question_stem: question, ...others }),
    });
    assert.deepEqual(contextsOf(stem), ['Which?', 'Which?']);
    assert.deepEqual((await itemsOf('openbookqa', { 'OpenBookQA-Main-test.jsonl': lines(ARC) }))[0], stem);
  });

  it('HellaSwag: six lines a record lose where the second half begins, and get it back', async () => {
    const text = 'Sport: A boy runs. he\n2\nfalls.\nstops [a].\n[step] Goes [title] on.\nrests.\n';
    const [item] = await itemsOf('hellaswag', { 'hellaswag_val_full.txt': text.replaceAll('\n', '\r\n') });
    const record = { activity_label: 'Sport', ctx_a: 'A boy runs.', ctx_b: 'he', label: 2 };
    const endings = ['falls.', 'stops [a].', '[step] Goes [title] on.', 'rests.'];
    const [official] = await itemsOf('hellaswag', { 'hellaswag_val.jsonl': lines({ ...record, endings }) });
    assert.deepEqual(item, official);
    assert.equal(contextsOf(item)[0], 'Sport: A boy runs. He');
    assert.deepEqual(continuationsOf(item), [' falls.', ' stops .', '  Goes. on.', ' rests.']);
    assert.equal(withCapital('A: It ends. 7 boys'), 'A: It ends. 7 boys');
    assert.equal(withCapital('A: it ends.'), 'A: it ends.');
  });

  it('takes the records that it is asked for, and numbers them as the file does', async () => {
    const records = Array.from({ length: 5 }, (_, i) => ({ ...PIQA, goal: `goal ${i}`, label: i % 2 }));
    const folder = folderOf({ 'piqa/valid.jsonl': lines(...records) });
    const { choiceItems } = await readTask('piqa', folder, { from: 3, limit: 5 });
    assert.deepEqual(
      choiceItems.map(({ item }) => item),
      [3, 4],
    );
    assert.match(choiceItems[0].choices[0].context, /goal 3/);
    await assert.rejects(readTask('piqa', folder, { from: 5 }), (error: unknown) => {
      return error instanceof OptionError && error.message.includes('no record 5: it has 5 records');
    });
  });

  it('finds a file in the task’s own folder, in whatever case, and prefers the whole set', async () => {
    const six = (context: string): string => `${context}\n0\na\nb\nc\nd\n`;
    const files = { 'hellaswag_val_first100.txt': six('first'), 'HELLASWAG_VAL_FULL.TXT': six('full') };
    assert.equal(contextsOf((await itemsOf('hellaswag', files))[0])[0], 'full');
    const folder = folderOf({ 'Winogrande/dev.jsonl': '', 'boolq/dev.jsonl': lines(BOOLQ) });
    assert.equal((await readTask('boolq', join(folder, 'boolq'))).file, 'dev.jsonl');
  });
});

describe('evaluate/tasks: Python’s strings', () => {
  it('strips, capitalizes and counts as Python does', () => {
    assert.equal(strip('\x1c\x85 \u3000a\ufeff \n'), 'a\ufeff');
    assert.equal(capitalize('the Boy in RED'), 'The boy in red');
    assert.equal(capitalize('ßEN'), 'Ssen');
    assert.equal(capitalize(''), '');
    assert.equal(codePoints('a💧é'), 3);
  });
});

describe('evaluate/tasks: refused', () => {
  const CASES: readonly (readonly [string, TaskName, Readonly<Record<string, string>>, RegExp])[] = [
    ['no file', 'arc_easy', {}, /no file of ARC-easy: looked for ARC-Easy-Test\.jsonl.*arc_easy\/test\.jsonl/],
    ['a format of tables', 'boolq', { 'boolq/validation-0.parquet': '' }, /validation-0\.parquet is of a kind/],
    ['a packed file', 'hellaswag', { 'hellaswag_val_full.txt.bz2': '' }, /hellaswag_val_full\.txt\.bz2 is packed/],
    ['an empty file', 'boolq', { 'boolq_dev.jsonl': '\n' }, /boolq_dev\.jsonl as a task: it has no records/],
    ['a line cut short', 'boolq', { 'boolq_dev.jsonl': lines(BOOLQ) + '{"question": "is' }, /line 2 is not JSON/],
    ['JSON cut short', 'piqa', { 'piqa.json': '[{"goal": "a"' }, /piqa\.json as a task: it is not JSON/],
    ['a line of another type', 'boolq', { 'boolq_dev.jsonl': '[1]\n' }, /line 1 is not a JSON object/],
    ['JSON of another type', 'boolq', { 'boolq.json': '{"rows": 3}' }, /neither a list of records/],
    [
      'cells that the server cut',
      'boolq',
      { 'boolq.json': JSON.stringify({ rows: [{ row: BOOLQ, truncated_cells: ['passage'] }] }) },
      /record 0 was cut by the server in \["passage"\]/,
    ],
    [
      'a missing field',
      'boolq',
      { 'boolq_dev.jsonl': lines({ ...BOOLQ, passage: undefined }) },
      /"passage" in line 1 is missing/,
    ],
    [
      'a field of another type',
      'piqa',
      { 'piqa.jsonl': lines({ ...PIQA, label: 0, sol2: 7 }) },
      /"sol2" in line 1 is 7, not a text/,
    ],
    [
      'a label out of range',
      'piqa',
      { 'piqa.jsonl': lines({ ...PIQA, label: 2 }) },
      /"label" in line 1 is 2, not a number from 0 to 1/,
    ],
    [
      'a test part',
      'piqa',
      { 'piqa.jsonl': lines({ ...PIQA, label: -1 }) },
      /"label" in line 1 says that the answer is not public/,
    ],
    ['no labels', 'piqa', { 'piqa_valid.jsonl': lines(PIQA) }, /no "label", and there is no file of labels/],
    [
      'labels of another file',
      'piqa',
      { 'piqa_valid.jsonl': lines(PIQA), 'piqa_valid-labels.lst': '0\n1\n' },
      /labels\.lst as a task: it has 2 labels for 1 record/,
    ],
    [
      'a label that is none',
      'piqa',
      { 'piqa_valid.jsonl': lines(PIQA, PIQA), 'piqa_valid-labels.lst': '0\nx\n' },
      /labels\.lst as a task: line 2 is "x", not 0 or 1/,
    ],
    [
      'a text cut short',
      'hellaswag',
      { 'hellaswag_val_full.txt': 'a\n0\nb\n' },
      /it has 3 lines, not 6 for every record/,
    ],
    [
      'a text out of step',
      'hellaswag',
      { 'hellaswag_val_full.txt': 'a\nb\nc\nd\ne\nf\n' },
      /line 2 is "b", not a label/,
    ],
    [
      'no blank',
      'winogrande',
      { 'winogrande_dev.jsonl': lines({ sentence: 'It fell.', option1: 'a', option2: 'b', answer: '1' }) },
      /"sentence" in line 1 has no blank/,
    ],
    [
      'a WinoGrande test',
      'winogrande',
      { 'winogrande_dev.jsonl': lines({ sentence: '_ fell.', option1: 'a', option2: 'b', answer: '' }) },
      /"answer" in line 1 says that the answer is not public/,
    ],
    [
      'a key that no choice has',
      'arc_easy',
      { 'arc_easy/test.jsonl': lines({ ...ARC, answerKey: 'C' }) },
      /"answerKey" in line 1 is "C", and the choices are 1, 2/,
    ],
    [
      'choices without labels',
      'openbookqa',
      {
        'openbookqa.jsonl': lines({
          question_stem: 'It is',
          choices: { text: ['a', 'b'], label: ['A'] },
          answerKey: 'A',
        }),
      },
      /"choices\.label" in line 1 is \["A"\], not a list of two or more texts/,
    ],
  ];

  for (const [what, name, files, message] of CASES) {
    it(what, async () => {
      const error = await readTask(name, folderOf(files)).then(
        () => assert.fail('it was read'),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.notEqual(error.action, '');
    });
  }

  it('bytes that are no UTF-8, a file beyond the cap, and a folder that is none', async () => {
    const folder = folderOf({ 'boolq_dev.jsonl': '' });
    const file = join(folder, 'boolq_dev.jsonl');
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]));
    await assert.rejects(readTask('boolq', folder), /not UTF-8/);
    truncateSync(file, 65 * 2 ** 20);
    await assert.rejects(readTask('boolq', folder), /65\.0 MiB, more than the 64 MiB allowed/);
    await assert.rejects(readTask('boolq', join(folder, 'none')), /none: there is no such file or folder/);
    await assert.rejects(readTask('boolq', file), /a part of the path is a file/);
  });
});

interface Formats {
  readonly tasks: Readonly<
    Record<string, readonly { document: object; gold: number; contexts: string[]; continuations: string[] }[]>
  >;
}

interface Zeroshot {
  readonly tasks: readonly {
    readonly name: string;
    readonly file: string;
    readonly reported: string;
    readonly full: object;
    readonly results: readonly {
      readonly item: number;
      readonly gold: number;
      readonly contexts?: string[];
      readonly continuations?: string[];
      readonly choices: readonly { readonly characters: number; readonly bytes: number }[];
    }[];
  }[];
}

const readJson = (...parts: string[]): unknown => JSON.parse(readFileSync(shared('golden', ...parts), 'utf8'));

describeShared('evaluate/tasks: golden', () => {
  it('Hugging Face’s layouts give the harness’s texts, as lines, as an array and as the server’s rows', async () => {
    const { tasks } = readJson('zeroshot-formats.json') as Formats;
    assert.deepEqual(Object.keys(tasks).sort(), [...TASK_NAMES].sort());
    for (const [name, cases] of Object.entries(tasks)) {
      assert.ok(isTaskName(name));
      const documents = cases.map(({ document }) => document);
      const rows = documents.map((row, row_idx) => ({ row_idx, row, truncated_cells: [] }));
      const layouts = {
        [`${name}.jsonl`]: lines(...documents),
        [`${name}.json`]: JSON.stringify(documents, undefined, 2),
        [`${name}/${TASKS[name].inFolder[0]}.json`]: JSON.stringify({ features: [], rows }),
      };
      for (const [file, content] of Object.entries(layouts)) {
        const items = await itemsOf(name, { [file]: content });
        const wanted = cases.map(({ gold, contexts, continuations }) => ({ gold, contexts, continuations }));
        const found = items.map((item) => ({
          gold: item.gold,
          contexts: contextsOf(item),
          continuations: continuationsOf(item),
        }));
        assert.deepEqual(found, wanted, `${name}, ${file}`);
      }
    }
  });

  it('the data sets’ files give the texts of zeroshot.json', async () => {
    const { tasks } = readJson('smollm2-135m', 'zeroshot.json') as Zeroshot;
    assert.deepEqual(
      tasks.map(({ name }) => name),
      [...TASK_NAMES],
    );
    for (const { name, file, reported, full, results } of tasks) {
      assert.ok(isTaskName(name));
      const task = await readTask(name, shared('data', 'zeroshot'), { limit: results.length });
      assert.equal(task.file, file);
      assert.equal(task.reported, reported);
      assert.equal(task.normalised, 'accNorm' in full, name);
      assert.equal(task.choiceItems.length, results.length);
      for (const [i, item] of task.choiceItems.entries()) {
        const { contexts, continuations, choices, ...wanted } = results[i];
        assert.deepEqual({ item: item.item, gold: item.gold }, wanted, name);
        assert.deepEqual(
          item.choices.map(({ characters, continuation }) => [characters, Buffer.byteLength(continuation) - 1]),
          choices.map(({ characters, bytes }) => [characters, bytes]),
        );
        if (contexts !== undefined) assert.deepEqual(contextsOf(item), contexts);
        if (continuations !== undefined) assert.deepEqual(continuationsOf(item), continuations);
      }
    }
  });

  it('every record of the files can be read', async () => {
    const counts = await Promise.all(
      TASK_NAMES.map(async (name) => (await readTask(name, shared('data', 'zeroshot'))).choiceItems.length),
    );
    assert.deepEqual(counts, [3270, 1838, 100, 1267, 2376, 1172, 500]);
  });
});
