/** Accuracies and paired differences against their definitions in plain loops. */
import assert from 'node:assert/strict';
import { averageOf, taskResult } from '../../../src/engine/evaluate/tasks/accuracy';
import { differencesOf, mcNemar, taskDifference } from '../../../src/engine/evaluate/tasks/differences';
import type { ChoiceItemResult, TaskResult } from '../../../src/engine/evaluate/tasks/results';
import type { ModelTasks } from '../../../src/jobs/results/tasks';
import { assertClose } from '../../support/close';

const EXACT = { absolute: 1e-12 };
const task = { name: 'toy', reported: 'accNorm', normalised: true } as const;

/** An item with these log-likelihoods and lengths. */
const item = (
  number: number,
  gold: number,
  logliks: readonly number[],
  characters: readonly number[],
): ChoiceItemResult => ({
  item: number,
  gold,
  choices: logliks.map((loglik, c) => ({ loglik, tokens: 1, characters: characters[c], greedy: false })),
});

/** A task whose items are right where `right` says so. */
const answers = (right: readonly boolean[], name = 'toy'): TaskResult =>
  taskResult(
    { name, reported: 'acc', normalised: false },
    right.map((is, i) => item(i, 0, is ? [-1, -2] : [-2, -1], [1, 1])),
  );

const model = (label: string, tasks: readonly TaskResult[]): ModelTasks => ({
  label,
  model: label,
  identity: label,
  removed: [],
  tasks,
  average: averageOf(tasks),
  seconds: 0,
  device: 'cpu',
  precision: 'float32',
});

describe('accuracies of tasks', () => {
  it('take the most likely choice, and the most likely one for its length', () => {
    const result = taskResult(task, [
      item(0, 0, [-4, -6], [2, 12]), // acc right, accNorm wrong
      item(1, 1, [-4, -6], [2, 12]), // the other way round
      item(2, 1, [-5, -3], [5, 5]), // both right
      item(3, 1, [-2, -2], [1, 1]), // equal: the first one, which is wrong
    ]);
    assert.deepEqual([result.acc, result.accNorm, result.items, result.reported], [0.5, 0.5, 4, 'accNorm']);
    // Values 1, 0, 1, 0: sample deviation √(4 · 0.25 / 3), over √4.
    assertClose(result.accStderr!, Math.sqrt(1 / 3) / 2, EXACT, 'standard error');
  });

  it('have no standard error for one item, and no accNorm where lengths mean nothing', () => {
    const result = answers([true]);
    assert.deepEqual([result.acc, result.accStderr, result.reported], [1, null, 'acc']);
    assert.ok(!('accNorm' in result));
  });

  it('count a written answer by its text', () => {
    const result = taskResult(task, [
      { item: 0, text: 'Paris', correct: true },
      { item: 1, text: 'Rome', correct: false },
    ]);
    assert.deepEqual([result.acc, result.accNorm], [0.5, 0.5]);
  });

  it('are averaged over the tasks’ reported metrics', () => {
    const norm = taskResult(task, [item(0, 1, [-4, -6], [2, 12])]); // acc 0, accNorm 1
    assert.equal(averageOf([norm, answers([true, false])]), 0.75);
  });
});

describe('paired differences of tasks', () => {
  const before = [true, true, true, true, false, false, true, false];
  const after = [true, false, false, true, true, false, false, false];

  it('come with the interval of the differences item by item', () => {
    const found = taskDifference(answers(before), answers(after));
    const each = before.map((was, i) => Number(after[i]) - Number(was));
    const mean = each.reduce((a, b) => a + b) / each.length;
    const deviation = Math.sqrt(each.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (each.length - 1));
    assertClose(found.difference, mean, EXACT, 'difference');
    assertClose(found.interval!, (1.959963984540054 * deviation) / Math.sqrt(each.length), EXACT, 'interval');
    assert.deepEqual([found.lost, found.gained, found.differing], [3, 1, [1, 2, 4, 6]]);
  });

  it('are zero without doubt between equal models', () => {
    const { difference, interval, pValue } = taskDifference(answers(before), answers(before));
    assert.deepEqual([difference, interval, pValue], [0, 0, 1]);
  });

  it('of the average have the independent tasks’ variances', () => {
    const first = model('a', [answers(before, 'x'), answers(after, 'y')]);
    const other = model('b', [answers(after, 'x'), answers(before, 'y')]);
    const [{ average, tasks }] = differencesOf([first, other]);
    assertClose(average!.difference, (tasks[0].difference + tasks[1].difference) / 2, EXACT, 'difference');
    assertClose(average!.interval!, Math.hypot(tasks[0].interval!, tasks[1].interval!) / 2, EXACT, 'interval');
  });

  it('need the same items', () => {
    const other = { ...answers(after), results: answers(after).results.map((r) => ({ ...r, item: r.item + 1 })) };
    assert.throws(() => taskDifference(answers(before), other), /did not answer the same items/);
  });

  it('are tested exactly, as McNemar does', () => {
    const choose = (n: number, k: number): number =>
      Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);
    for (const [lost, gained] of [
      [0, 0],
      [1, 0],
      [3, 1],
      [5, 5],
      [9, 2],
      [40, 22],
    ] as const) {
      const n = lost + gained;
      const tail = Array.from({ length: Math.min(lost, gained) + 1 }, (_, k) => choose(n, k)).reduce(
        (a, b) => a + b,
        0,
      );
      assertClose(mcNemar(lost, gained), Math.min(1, (2 * tail) / 2 ** n), { relative: 1e-9 }, `${lost}, ${gained}`);
    }
    assert.ok(mcNemar(2000, 1500) > 0 && mcNemar(2000, 1500) < 1e-10, 'no underflow of its terms on full sets');
  });
});
