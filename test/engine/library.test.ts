/** What a script sees: its own words for options, errors that it can act on, and nothing that is lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { command, option, set, shownText } from '../../src/engine/option-token';
import {
  CancelledError,
  evaluate,
  gather,
  heal,
  inspect,
  planRecipe,
  prune,
  runPart,
  runRecipe,
  schemaOf,
  score,
  toJson,
  UserError,
} from '../../src/library/index';
import { scriptText } from '../../src/library/naming';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const sample = resolve(import.meta.dirname, '../../media/sample');
const calibration = join(sample, 'calibration.txt');

/** The error of a call that must fail. */
async function failureOf(call: Promise<unknown>): Promise<UserError> {
  const error = await call.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UserError, String(error));
  return error;
}

describe('the library', () => {
  it('names options as properties, values as literals, and commands as functions', () => {
    const said: readonly (readonly [string, string])[] = [
      [`${option('count')} is not given`, '`count` is not given'],
      [`Give \`${option('retrain.length')}\`.`, 'Give `length`.'],
      [`${set('count', 6, 'add')}, or another.`, 'Add `count: 6`, or another.'],
      [`Or ${set('criterion', 'ppl')}`, 'Or use `criterion: "ppl"`'],
      [set('memory', '2GB'), 'Use `memory: 2000000000`'],
      [option('remove', '3-5'), '`remove: [3,4,5]`'],
      [option('keepEnds', false), '`keepEnds: false`'],
      [`Run it with ${option('part', '3/8')}.`, 'Run it with `part: "3/8"`.'],
      [command('gather', 'PARTS', option('out', 'FILE')), '`gather()`'],
      [command('merge', 'CHECKPOINT', option('adapter', 'DIR')), '`merge()`'],
      [command('export', 'CHECKPOINT'), '`exportModel()`'],
      [`or ${command('fetch-tasks', 'DIR')}`, 'or the command `coppice fetch-tasks`'],
    ];
    for (const [message, shown] of said) assert.equal(scriptText(message), shown);
  });

  it('leaves the words of the process alone', async () => {
    const error = await failureOf(score({ checkpoint: sample, criterion: 'greedy', calibration }));
    assert.equal(error.why, '`count` is not given');
    assert.equal(error.action, 'Add `count: 6`, or another number of blocks.');
    assert.equal(error.message, 'greedy needs a number of blocks: `count` is not given');
    assert.equal(shownText(option('count')), '--count');
  });

  it('refuses options that the types do not have', async () => {
    const unknown = { checkpoint: sample, cuont: 3 } as { readonly checkpoint: string };
    assert.match((await failureOf(score(unknown))).what, /no option cuont/);
    const wrong = { checkpoint: sample, calibration, samples: 0 };
    assert.match((await failureOf(score(wrong))).why, /a whole number of at least 1/);
  });

  it('says why a file cannot be used, and refuses a record before it computes', async () => {
    assert.match((await failureOf(inspect(join(sample, 'nothing')))).message, /nothing/);
    const record = join(temporaryFolder(), 'no', 'record.json');
    const error = await failureOf(score({ checkpoint: sample, criterion: 'magnitude' }, { record }));
    assert.match(error.message, /cannot write the record/);
    const inside = join(sample, 'record.json');
    await failureOf(score({ checkpoint: sample, criterion: 'magnitude' }, { record: inside }));
    assert.ok(!existsSync(inside));
  });

  it('inspects', async () => {
    const { architecture, blocks, parameters, unsupported } = await inspect(sample);
    assert.deepEqual([architecture, blocks, parameters, unsupported], ['llama', 12, 2_624_640, null]);
  });

  it('tells progress, and ends when its signal is aborted', async () => {
    const abort = new AbortController();
    const running = evaluate(
      { checkpoint: sample, text: calibration, limit: 2, window: 16, device: 'cpu', threads: 1 },
      {
        signal: abort.signal,
        onProgress: ({ label, done, total }) => {
          assert.ok(label !== '' && done <= total);
          abort.abort();
        },
      },
    );
    await assert.rejects(running, CancelledError);
    assert.ok(abort.signal.aborted);
  });

  it('gives warnings to who listens, and otherwise to the process', async () => {
    const model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const text = join(temporaryFolder(), 'short.txt');
    writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(30));
    const given = { checkpoint: model, remove: [1], data: [text], tokens: 4000, heldOut: 0, device: 'cpu' } as const;
    const told: string[] = [];
    await heal(given, { onWarning: (warning) => told.push(warning) });
    assert.equal(told.length, 1);
    const emitted = once(process, 'warning') as Promise<[Error]>;
    await heal(given);
    const [{ name, message }] = await emitted;
    assert.deepEqual([name, message], ['CoppiceWarning', told[0]]);
  });

  it('finds the same numbers when jobs run at the same time', async () => {
    const given = { checkpoint: sample, text: calibration, limit: 2, window: 32, device: 'cpu', threads: 1 } as const;
    const alone = await evaluate(given);
    const [first, second] = await Promise.all([evaluate(given), evaluate({ ...given, remove: [4] })]);
    assert.equal(first.ppl, alone.ppl);
    assert.notEqual(second.ppl, alone.ppl);
  });

  it('writes scores that pruning reads', async () => {
    const folder = temporaryFolder();
    const record = join(folder, 'score.json');
    const scores = await score({ checkpoint: sample, criterion: 'magnitude' }, { record });
    assert.ok(existsSync(record));
    const { removed } = await prune({ checkpoint: sample, scores: record, count: 2, out: join(folder, 'a') });
    assert.deepEqual(
      removed,
      scores
        .order!.filter((block) => typeof block === 'number' && block > 3 && block < 10)
        .slice(0, 2)
        .sort(),
    );
    assert.equal(toJson({ ppl: Infinity, kl: NaN }), '{"ppl":"Infinity","kl":"NaN"}');
    assert.deepEqual(schemaOf('merge').required, ['checkpoint', 'adapter', 'out']);
  });

  it('scores in parts, and gathers them to the numbers of one run', async () => {
    const folder = temporaryFolder();
    const given = { checkpoint: sample, calibration, samples: 2, length: 16, device: 'cpu', threads: 1 } as const;
    for (const number of [2, 1]) {
      const record = join(folder, `part-${number}.json`);
      const { part } = await runPart('score', given, { part: `${number}/2`, record });
      assert.deepEqual(part, { job: 'score', number, of: 2 });
    }
    const record = join(folder, 'whole.json');
    const gathered = await gather([folder], { record });
    assert.equal(gathered.job, 'score');
    const { seconds: _, peakRssBytes: __, ...numbers } = gathered.result;
    const { seconds: ___, peakRssBytes: ____, ...expected } = await score({ ...given, precision: 'float32' });
    assert.deepEqual(numbers, expected);
    const out = join(folder, 'short');
    const { removed } = await prune({ checkpoint: sample, scores: record, count: 1, out });
    assert.equal(removed.length, 1);
    const half = join(folder, 'part-1.json');
    const error = await failureOf(prune({ checkpoint: sample, scores: half, count: 1, out: join(folder, 'no') }));
    assert.match(error.message, /part-1\.json cannot be used as scores: it is part 1 of 2 of a score/);
    assert.equal(error.action, 'Gather the parts first: `gather()`.');
    assert.match((await failureOf(gather([half]))).action, /with the same options and `part: "2\/2"`/);
  });

  it('refuses parts that are none, and records where they must not be', async () => {
    const record = join(temporaryFolder(), 'part.json');
    const given = { checkpoint: sample, calibration };
    const refuses = async (part: string, place: string, words: RegExp): Promise<void> => {
      assert.match((await failureOf(runPart('score', given, { part, record: place }))).message, words);
      assert.ok(!existsSync(place));
    };
    await refuses('4/3', record, /4\/3 is no part/);
    await refuses('1/2', join(sample, 'part.json'), /inside the checkpoint/);
    const greedy = { ...given, criterion: 'greedy', count: 1 } as const;
    const whole = await failureOf(runPart('score', greedy, { part: '1/2', record }));
    assert.match(whole.message, /greedy cannot be cut into parts/);
    const prune = runPart('prune' as 'score', given, { part: '1/2', record });
    assert.match((await failureOf(prune)).message, /prune has no parts/);
  });

  it('plans and runs a recipe, and names options of a failure as properties', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'model.coppice.json');
    const write = (blocks: number): void => {
      const pruned = { job: 'prune', options: { blocks: [blocks], keepEnds: false } };
      writeFileSync(file, JSON.stringify({ coppice: 1, model: sample, steps: { pruned } }));
    };
    write(1);
    const plan = await planRecipe({ recipe: file });
    assert.deepEqual(
      plan.steps.map(({ name, job, state, why }) => [name, job, state, why]),
      [['pruned', 'prune', 'run', 'it has not run yet']],
    );
    const told: string[] = [];
    const first = await runRecipe({ recipe: file }, { onStep: ({ name, state }) => told.push(`${name} ${state}`) });
    assert.deepEqual([first.ended, first.steps[0].result?.removed, told], ['done', [1], ['pruned done']]);
    assert.equal((await runRecipe({ recipe: file })).ran, 0);
    write(99);
    const failed = await runRecipe({ recipe: file });
    assert.equal(failed.ended, 'failed');
    assert.match(failed.steps[0].failure?.what ?? '', /`blocks` names a block that does not exist/);
    await assert.rejects(runRecipe({ recipe: file, set: { n: 1 } }), /no variable “n”/);
  });
});
