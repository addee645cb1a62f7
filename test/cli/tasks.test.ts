/** `coppice tasks` at the command line: the contract of its JSON, models in comparison, and a run that goes on. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChoiceItemResult } from '../../src/engine/evaluate/tasks/results';
import type { ModelTasks, TasksComparison } from '../../src/jobs/results/tasks';
import { coppice } from '../support/built-cli';
import { makeCliMaterial, readJson, run } from '../support/cli';
import { taskFiles } from '../support/task-files';
import { temporaryFolder } from '../support/temporary';

describe('command line: tasks', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const { data, own } = taskFiles(join(folder, 'tasks'));
  let model: string;
  before(() => {
    ({ model } = makeCliMaterial());
  });

  const tasks = async <T>(...args: string[]): Promise<T> =>
    (await run('tasks', ...args, '--device', 'cpu')) as unknown as T;

  it('one model: its tasks with every item, from a record on, and the average', async () => {
    const record = join(folder, 'record.json');
    const given = [model, '--data', data, '--tasks', 'piqa,arc_easy', '--remove', '1'];
    const result = await tasks<ModelTasks>(...given, '--from', '1', '--limit', '2', '--record', record);
    assert.deepEqual(result.removed, [1]);
    assert.deepEqual(
      result.tasks.map(({ name, items, reported }) => [name, items, reported]),
      [
        ['piqa', 2, 'acc'],
        ['arc_easy', 2, 'acc'],
      ],
    );
    const [piqa, arc] = result.tasks.map(({ results }) => results as ChoiceItemResult[]);
    assert.deepEqual(
      [piqa.map(({ item, gold }) => [item, gold]), arc.map(({ item, gold }) => [item, gold])],
      [
        [
          [1, 1],
          [2, 0],
        ],
        [
          [1, 1],
          [2, 3],
        ],
      ],
    );
    assert.deepEqual(
      piqa[0].choices.map(({ characters }) => characters),
      [16, 16],
    );
    assert.ok(piqa.every(({ choices }) => choices.every(({ loglik, tokens }) => loglik < 0 && tokens > 0)));
    const mean = (result.tasks[0].acc + result.tasks[1].acc) / 2;
    assert.equal(result.average, mean);
    const { settings, inputs } = readJson(record) as {
      settings: Record<string, unknown>;
      inputs: { role: string; name: string }[];
    };
    assert.deepEqual([settings.from, settings.limit, settings.bos, settings.removed], [1, 2, 'window', [1]]);
    assert.deepEqual(
      inputs.filter(({ role }) => role !== 'model').map(({ name }) => name),
      ['piqa_valid.jsonl', 'piqa_valid-labels.lst', 'ARC-Easy-Test.jsonl'],
    );
    const { stdout } = await coppice(['tasks', ...given, '--device', 'cpu']);
    assert.match(stdout, /^piqa +4 +acc +\d+\.\d % ± \d+\.\d$/m);
    assert.match(stdout, /^average +\d+\.\d %$/m);
  });

  it('several: each against the first, item by item; changes are those of the last', async () => {
    const found = await tasks<TasksComparison>(model, model, '--remove', '1,2', '--data', data, '--own', own);
    assert.deepEqual(
      found.models.map(({ removed }) => removed),
      [[], [1, 2]],
    );
    const [{ tasks: differences }] = found.differences;
    assert.deepEqual(
      differences.map(({ name }) => name),
      ['piqa', 'arc_easy', 'own'],
    );
    for (const [t, { difference, lost, gained }] of differences.entries()) {
      const [before, after] = found.models.map((each) => each.tasks[t]);
      assert.ok(Math.abs(after.acc - before.acc - difference) < 1e-12);
      assert.ok(Math.abs((gained - lost) / before.items - difference) < 1e-12);
    }
    const same = await tasks<TasksComparison>(model, model, '--data', data);
    assert.deepEqual(
      same.differences[0].tasks.map(({ difference, differing }) => [difference, differing]),
      [
        [0, []],
        [0, []],
      ],
    );
  });

  it('answers that are kept are not computed again, and are of this model only', async () => {
    const answers = join(folder, 'answers.jsonl');
    const given = [model, '--data', data, '--tasks', 'piqa', '--answers', answers];
    const first = await tasks<ModelTasks>(...given, '--limit', '2');
    const lines = readFileSync(answers, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 3);
    // An answer that no model gives shows that it is taken from the file.
    writeFileSync(answers, `${lines.join('\n').replace(/"loglik":-[\d.]+/, '"loglik":-0.125')}\n`);
    const second = await tasks<ModelTasks>(...given);
    const results = second.tasks[0].results as ChoiceItemResult[];
    assert.equal(results[0].choices[0].loglik, -0.125);
    assert.deepEqual(results[1], first.tasks[0].results[1]);
    assert.equal(results.length, 4);
    const other = await tasks<ModelTasks>(...given, '--remove', '1');
    assert.notEqual((other.tasks[0].results[0] as ChoiceItemResult).choices[0].loglik, -0.125);
  });

  it('what is missing is said before anything is computed', async () => {
    const refused = async (args: readonly string[], wanted: RegExp): Promise<void> => {
      const { code, stderr } = await coppice(['tasks', ...args]);
      assert.notEqual(code, 0);
      assert.match(stderr, wanted);
    };
    await refused([model], /none of --data, --own and --probes is given/);
    await refused(['--data', data], /There is no model/);
    await refused([model, '--data', data, '--tasks', 'piqa,copa'], /names of tasks separated by commas/);
    await refused([model, '--data', data, '--tasks', 'boolq'], /has no file of BoolQ/);
    await refused([model, '--data', join(folder, 'gone')], /gone/);
    await refused([model, '--data', data, '--tasks', 'piqa', '--from', '4'], /has no record 4/);
  });

  it('an average without some tasks says so', async () => {
    const { stderr } = await coppice(['tasks', model, '--data', data, '--device', 'cpu']);
    assert.match(stderr, /The average is without boolq, hellaswag, winogrande, arc_challenge, openbookqa/);
  });
});
