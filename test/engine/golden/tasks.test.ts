/**
 * The seven tasks against lm-evaluation-harness: log-likelihoods, token counts and greedy flags of every choice, and
 * accuracies with their standard errors, for a whole and a pruned model.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { averageOf } from '../../../src/engine/evaluate/tasks/accuracy';
import { TASK_NAMES, type TaskName } from '../../../src/engine/evaluate/tasks/catalogue';
import type { Task } from '../../../src/engine/evaluate/tasks/item';
import { readTask } from '../../../src/engine/evaluate/tasks/read';
import { removedFrom, viewWithout } from '../../../src/engine/model/view';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer';
import type { ChoiceItemResult, TaskResult } from '../../../src/engine/evaluate/tasks/results';
import { assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { describeShared, itFull, shared, smollm2Folder } from '../../support/shared';
import { evaluateTasks } from '../../support/measuring';

type Which = 'full' | 'pruned';

interface GoldenTasks {
  readonly removed: readonly (number | string)[];
  readonly average: Readonly<Record<Which, number>>;
  readonly tasks: readonly (Readonly<Record<Which, Accuracies>> & {
    readonly name: TaskName;
    readonly reported: string;
    readonly results: readonly {
      readonly item: number;
      readonly gold: number;
      readonly choices: readonly (Readonly<Record<Which, { readonly loglik: number; readonly greedy: boolean }>> & {
        readonly tokens: readonly number[];
        readonly characters: number;
      })[];
    }[];
  })[];
}

interface Accuracies {
  readonly acc: number;
  readonly accStderr: number;
  readonly accNorm?: number;
  readonly accNormStderr?: number;
}

/** Items that the golden numbers have of each task. */
const ITEMS = 40;
/** The log-sum-exp is in float64 here and there; the logits are float32. */
const LOGLIK = { absolute: 2e-4 };
const EXACT = { absolute: 1e-12 };

const golden = (model: string): GoldenTasks =>
  JSON.parse(readFileSync(shared('golden', model, 'zeroshot.json'), 'utf8')) as GoldenTasks;

/** Items `from` … of the tasks, by the whole or the pruned model. */
async function answers(
  folder: string,
  removed: readonly (number | string)[],
  range: { readonly from?: number; readonly limit: number },
): Promise<TaskResult[]> {
  const tasks: Task[] = [];
  for (const name of TASK_NAMES) tasks.push(await readTask(name, shared('data/zeroshot'), range));
  const tokenizer = await loadTokenizer(folder);
  return withModel(folder, (model) => {
    const blocks = model.architecture.layers.length;
    return evaluateTasks(model, tokenizer, tasks, {
      view: viewWithout(blocks, removedFrom(removed, blocks)),
      beginning: { mode: 'none' },
    });
  });
}

function checkItems(results: readonly TaskResult[], expected: GoldenTasks, which: Which, from = 0): void {
  for (const [t, { name, results: wanted }] of expected.tasks.entries()) {
    for (const [i, each] of results[t].results.entries()) {
      const { item, gold, choices } = each as ChoiceItemResult;
      const want = wanted[from + i];
      assert.deepEqual([item, gold, choices.length], [want.item, want.gold, want.choices.length], name);
      for (const [c, { loglik, tokens, characters, greedy }] of choices.entries()) {
        const what = `${which}: ${name}, item ${item}, choice ${c}`;
        assertClose(loglik, want.choices[c][which].loglik, LOGLIK, what);
        const own = [want.choices[c].tokens.length, want.choices[c].characters, want.choices[c][which].greedy];
        assert.deepEqual([tokens, characters, greedy], own, what);
      }
    }
  }
}

function checkAccuracies(results: readonly TaskResult[], expected: GoldenTasks, which: Which): void {
  for (const [t, task] of expected.tasks.entries()) {
    const { acc, accStderr, accNorm, accNormStderr, reported, name } = results[t];
    const want = task[which];
    assert.deepEqual([name, reported], [task.name, task.reported]);
    assertClose(acc, want.acc, EXACT, `${name} acc`);
    assertClose(accStderr!, want.accStderr, EXACT, `${name} standard error`);
    assert.equal(accNorm === undefined, want.accNorm === undefined, name);
    if (want.accNorm !== undefined) assertClose(accNorm!, want.accNorm, EXACT, `${name} accNorm`);
    if (want.accNormStderr !== undefined) assertClose(accNormStderr!, want.accNormStderr, EXACT, `${name} its error`);
  }
  assertClose(averageOf(results)!, expected.average[which], EXACT, 'average');
}

describeShared('tasks as lm-evaluation-harness scores them', function () {
  this.timeout(600_000);

  it('stories260K: all items of the whole model, some of the pruned one', async () => {
    const expected = golden('stories260K');
    const folder = shared('models/stories260K-f32');
    const results = await answers(folder, [], { limit: ITEMS });
    checkItems(results, expected, 'full');
    checkAccuracies(results, expected, 'full');
    checkItems(await answers(folder, expected.removed, { from: 20, limit: 4 }), expected, 'pruned', 20);
  });

  itFull('stories260K: all items of the pruned model', async () => {
    const expected = golden('stories260K');
    const results = await answers(shared('models/stories260K-f32'), expected.removed, { limit: ITEMS });
    checkItems(results, expected, 'pruned');
    checkAccuracies(results, expected, 'pruned');
  });

  itFull('SmolLM2-135M-Instruct: an item of each task, of the pruned model', async () => {
    const expected = golden('smollm2-135m');
    checkItems(await answers(smollm2Folder(), expected.removed, { from: 3, limit: 1 }), expected, 'pruned', 3);
  });

  itFull('SmolLM2-135M-Instruct: all items, whole and pruned', async () => {
    const expected = golden('smollm2-135m');
    for (const [which, removed] of [
      ['full', []],
      ['pruned', expected.removed],
    ] as const) {
      const results = await answers(smollm2Folder(), removed, { limit: ITEMS });
      checkItems(results, expected, which);
      checkAccuracies(results, expected, which);
    }
  });
});
