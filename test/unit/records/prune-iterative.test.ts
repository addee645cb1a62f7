/** `prune --iterative` is gone: what asked for it gets the name of `coppice iterate`, and its records are shown as before. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionsFromWords } from '../../../src/cli/job-command';
import { digestRecord } from '../../../src/jobs/digest/digest';
import type { RunRecord } from '../../../src/engine/records/record';
import { TERMINAL_NAMING, renderOptions } from '../../../src/engine/option-token';
import { UserError } from '../../../src/engine/errors';
import { completeOptions } from '../../../src/jobs/complete';
import { JOBS } from '../../../src/jobs/definitions';
import { SCRIPT_NAMING } from '../../../src/library/naming';
import { parseRecipe } from '../../../src/recipes/read';
import { recipeOf } from '../../../src/recipes/save/save';

describe('prune --iterative', () => {
  it('names coppice iterate to an old command line, whatever comes first in it', () => {
    const words = ['prune', 'm', '--criterion', 'ppl', '--count', '2', '--out', 'o'];
    for (const more of [
      ['--iterative'],
      ['--method', 'lora', '--steps', '3', '--iterative', '--resume'],
      ['--iterative', '--scores', 's'],
    ]) {
      assert.match(
        saidBy(() => optionsFromWords(JOBS.prune, [...words, ...more])),
        /no option --iterative.*coppice iterate/,
      );
    }
  });

  it('names iterate to an old script', () => {
    const error = saidBy(
      () => completeOptions(JOBS.prune, { checkpoint: 'm', iterative: true, steps: 3, out: 'o' }),
      true,
    );
    assert.match(error, /prune has no option iterative.*Use `iterate\(\)`/);
  });

  it('is shown from records of before, and saved as a step of iterate', () => {
    const file = join(import.meta.dirname, 'prune-iterative.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
    const { iterative, cost } = digestRecord(record);
    assert.deepEqual(
      iterative?.rounds.map(({ round, block, steps }) => [round, block, steps]),
      [
        [1, 5, 2],
        [2, 4, 2],
      ],
    );
    assert.equal(cost?.length, 2);
    const { text } = recipeOf({
      file: join(import.meta.dirname, 'a.coppice.json'),
      model: {
        path: join(import.meta.dirname, 'model'),
        name: 'model',
        identity: record.inputs[0].identity!,
        blocks: 12,
        size: { total: 2_624_640, block: 196_864 },
        quantized: false,
      },
      plan: { removed: [], choice: 'hand', keepEnds: true, keep: [] },
      runs: [{ id: 'prune-iterative.json', file, record }],
    });
    const { recipe, problems } = parseRecipe(text, file);
    assert.deepEqual(problems, []);
    const [step] = recipe!.steps;
    assert.equal(step.job, 'iterate');
    assert.deepEqual([step.options.steps, step.options.count, step.options.method], [2, 2, undefined]); // lora is usual there
  });
});

/** The error as the terminal, or a script, shows it. */
function saidBy(run: () => unknown, isScript = false): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError);
    const { what, why, action } = error.texts;
    return renderOptions([what, why, action].join('; '), isScript ? SCRIPT_NAMING : TERMINAL_NAMING);
  }
  assert.fail('it was not refused');
}
