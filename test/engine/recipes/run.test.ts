/**
 * Runs of recipes with real jobs: a second run does nothing, a changed step runs again with what follows, a run that was
 * stopped goes on, limits end it, and nothing that the recipe did not write is touched.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { inThisProcess } from '../../../src/jobs/run-spec';
import type { JobRunner } from '../../../src/jobs/runner';
import type { RecipeRequest } from '../../../src/recipes/plan';
import { planRecipe } from '../../../src/recipes/plan';
import { readRecipe } from '../../../src/recipes/read';
import { runRecipe } from '../../../src/recipes/run';
import type { RecipeEnd } from '../../../src/recipes/types';
import { hashesOf } from '../../support/hashes';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const runner = inThisProcess({ device: 'cpu', threads: 1 });
type Steps = Record<string, { job: string; options?: Record<string, unknown>; limits?: object; after?: string[] }>;

const STEPS: Steps = {
  scores: { job: 'score', options: { criterion: 'magnitude' } },
  pruned: { job: 'prune', options: { scores: '${steps.scores}', count: '${count}', keepEnds: false } },
  quality: { job: 'eval', options: { checkpoint: '${steps.pruned}', calibration: 'rows.json' } },
};

/** A folder with a model, rows and a recipe. */
function place(
  steps: Steps = STEPS,
  more: object = {},
): { folder: string; file: string; write: (steps: Steps, more?: object) => void } {
  const folder = temporaryFolder();
  cpSync(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }), join(folder, 'model'), { recursive: true });
  const row = (seed: number): number[] => Array.from({ length: 16 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
  writeFileSync(join(folder, 'rows.json'), JSON.stringify({ rows: [0, 1].map(row) }));
  const file = join(folder, 'model.coppice.json');
  const write = (given: Steps, others: object = {}): void =>
    writeFileSync(
      file,
      JSON.stringify({ coppice: 1, model: './model', variables: { count: 1 }, ...others, steps: given }),
    );
  write(steps, more);
  return { folder, file, write };
}

async function run(file: string, more: Omit<RecipeRequest, 'recipe'> = {}, by: JobRunner = runner): Promise<RecipeEnd> {
  const { end, error } = await runRecipe({ recipe: await readRecipe(file), ...more }, by);
  if (error instanceof Error) throw error;
  return end;
}

const states = ({ steps }: RecipeEnd): string => steps.map(({ name, state }) => `${name} ${state}`).join(', ');
const ppl = ({ steps }: RecipeEnd): unknown => steps.find(({ name }) => name === 'quality')?.result?.ppl;
const plan = async (file: string, more: Omit<RecipeRequest, 'recipe'> = {}): Promise<string> => {
  const { steps } = await planRecipe({ recipe: await readRecipe(file), ...more });
  return steps
    .map(({ step, state, why }) => [step.name, state, ...(why === undefined ? [] : [why])].join(' '))
    .join(', ');
};

const ALL = 'scores done, pruned done, quality done';
const NONE = 'scores kept, pruned kept, quality kept';

describe('runs of recipes', function () {
  this.timeout('2m');

  it('make everything once; a second run does nothing and has the same numbers', async () => {
    const { folder, file } = place();
    const source = hashesOf(join(folder, 'model'));
    assert.equal(
      await plan(file),
      'scores run it has not run yet, pruned run it has not run yet, quality run it has not run yet',
    );
    assert.equal(existsSync(join(folder, '.coppice')), false, 'a plan writes nothing');
    const first = await run(file);
    assert.equal(states(first), ALL);
    assert.deepEqual([first.ended, first.ran], ['done', 3]);
    const stop: JobRunner = () => Promise.reject(new Error('no job may run'));
    const second = await run(file, {}, stop);
    assert.equal(states(second), NONE);
    assert.equal(ppl(second), ppl(first));
    assert.equal(typeof ppl(first), 'number');
    assert.deepEqual(hashesOf(join(folder, 'model')), source);
    assert.equal(readFileSync(join(folder, '.coppice/.gitignore'), 'utf8'), '*\n');
    assert.equal(readdirSync(join(folder, '.coppice/runs')).length, 3, 'one record for each step');
    assert.equal(await plan(file), 'scores done, pruned done, quality done');
  });

  it('run a changed step and what follows it, and nothing else', async () => {
    const { file, write } = place();
    const before = ppl(await run(file));
    write({ ...STEPS, pruned: { job: 'prune', options: { ...STEPS.pruned.options, count: 2 } } });
    assert.equal(
      await plan(file),
      'scores done, pruned run its options or inputs changed, quality run pruned runs again',
    );
    const after = await run(file);
    assert.equal(states(after), 'scores kept, pruned done, quality done');
    assert.notEqual(ppl(after), before);
    write(STEPS, { variables: { count: 2 } });
    assert.equal(states(await run(file)), NONE, 'a variable with the same value is the same');
  });

  it('notice other inputs, lost and changed outputs, and moved repositories', async () => {
    const { folder, file } = place();
    await run(file);
    const rows = join(folder, 'rows.json');
    writeFileSync(rows, JSON.stringify({ rows: [Array.from({ length: 16 }, (_, i) => 3 + i)] }));
    assert.equal(states(await run(file)), 'scores kept, pruned kept, quality done');
    const out = join(folder, '.coppice/model/pruned/pruned');
    rmSync(out, { recursive: true });
    assert.match(await plan(file), /pruned run its output is gone, quality run pruned runs again/);
    assert.equal(states(await run(file)), 'scores kept, pruned done, quality done');
    writeFileSync(join(out, 'config.json'), '{}');
    assert.match(await plan(file), /pruned run its output was changed/);
    assert.equal(states(await run(file)), 'scores kept, pruned done, quality done');
    const moved = join(temporaryFolder(), 'moved');
    renameSync(folder, moved);
    assert.equal(states(await run(join(moved, 'model.coppice.json'))), NONE);
  });

  it('replace an output of their own with a place of its own, and only that', async () => {
    const out = (count: number): Steps => ({
      pruned: { job: 'prune', options: { criterion: 'magnitude', count, keepEnds: false, out: './shipped' } },
    });
    const { folder, file, write } = place(out(1));
    mkdirSync(join(folder, 'shipped'));
    writeFileSync(join(folder, 'shipped/mine.txt'), 'mine');
    await assert.rejects(run(file), /step “pruned”: .*shipped is not replaced: it is there already/);
    assert.deepEqual(readdirSync(join(folder, 'shipped')), ['mine.txt']);
    rmSync(join(folder, 'shipped'), { recursive: true });
    await run(file);
    const first = hashesOf(join(folder, 'shipped'));
    write(out(2));
    await run(file);
    assert.notDeepEqual(hashesOf(join(folder, 'shipped')), first);
    write(out(9)); // more blocks than there are
    const now = hashesOf(join(folder, 'shipped'));
    await assert.rejects(run(file), UserError);
    assert.deepEqual(hashesOf(join(folder, 'shipped')), now, 'the earlier output is back');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('partial')),
      [],
    );
    write(out(1));
    writeFileSync(join(folder, 'shipped/config.json'), '{}');
    await assert.rejects(run(file), /was changed since/);
  });

  it('go on after they were cancelled or killed, and put an output back', async () => {
    const { folder, file, write } = place();
    const controller = new AbortController();
    const cancelled: JobRunner = (spec, options) => {
      if (spec.kind === 'eval') controller.abort();
      return runner(spec, { ...options, signal: controller.signal });
    };
    await assert.rejects(run(file, {}, cancelled), CancelledError);
    assert.match(await plan(file), /scores done, pruned done, quality run it was stopped/);
    assert.equal(states(await run(file)), 'scores kept, pruned kept, quality done');
    // As a kill leaves it: the output is put aside, and the state says so.
    write({ ...STEPS, pruned: { job: 'prune', options: { ...STEPS.pruned.options, out: './shipped' } } });
    await run(file);
    const shipped = hashesOf(join(folder, 'shipped'));
    const killed = join(temporaryFolder(), 'killed');
    const watched: JobRunner = (spec, options) => {
      if (spec.kind === 'prune') cpSync(folder, killed, { recursive: true });
      return runner(spec, options);
    };
    assert.equal(states(await run(file, { set: { count: 2 } }, watched)), 'scores kept, pruned done, quality done');
    assert.ok(existsSync(join(killed, '.shipped.before.coppice-partial')) && !existsSync(join(killed, 'shipped')));
    rmSync(join(killed, '.coppice/model/lock')); // its process has not ended
    assert.equal(states(await run(join(killed, 'model.coppice.json'))), NONE);
    assert.deepEqual(hashesOf(join(killed, 'shipped')), shipped);
    // A state from elsewhere moves no other file.
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    const state = join(folder, '.coppice/model/state.json');
    const kept = JSON.parse(readFileSync(state, 'utf8')) as object;
    const theft = [{ path: 'stolen.txt', aside: 'mine.txt' }];
    writeFileSync(
      state,
      JSON.stringify({ ...kept, running: { step: 'pruned', key: 'x', outputs: [], asides: theft } }),
    );
    await run(file);
    assert.deepEqual([existsSync(join(folder, 'mine.txt')), existsSync(join(folder, 'stolen.txt'))], [true, false]);
  });

  it('go on with a training that was stopped, and begin again with other options', async () => {
    const trained = (steps: number): Steps => ({
      trained: {
        job: 'retrain',
        options: {
          remove: '1',
          heal: 'none',
          data: ['text.txt'],
          steps,
          length: 16,
          batch: 2,
          saveEvery: 1,
          heldOut: 0,
        },
      },
    });
    const { folder, file, write } = place(trained(4));
    writeFileSync(
      join(folder, 'text.txt'),
      'The river bends, and the mill stands where it always stood.\n\n'.repeat(20),
    );
    const controller = new AbortController();
    const cancelled: JobRunner = (spec, options) =>
      runner(spec, {
        ...options,
        signal: controller.signal,
        onEvent: (event: { readonly type: string }) => event.type === 'step' && controller.abort(),
      });
    await assert.rejects(run(file, {}, cancelled), CancelledError);
    assert.ok(existsSync(join(folder, '.coppice/model/trained/trained.training')));
    let resumed: unknown;
    const watched: JobRunner = (spec, options) => {
      resumed = 'resume' in spec && spec.resume;
      return runner(spec, options);
    };
    const end = await run(file, {}, watched);
    assert.equal(resumed, true);
    assert.equal(end.steps[0].result?.steps, 4);
    controller.abort();
    write(trained(3));
    await assert.rejects(
      run(file, {}, (spec, options) => runner(spec, { ...options, signal: AbortSignal.abort() })),
      CancelledError,
    );
    write(trained(2));
    assert.equal((await run(file, {}, watched)).steps[0].result?.steps, 2);
    assert.notEqual(resumed, true);
  });

  it('end at a broken limit, again without computing, and go on when it is kept', async () => {
    const limited = (most: number): Steps => ({
      ...STEPS,
      quality: { ...STEPS.quality, limits: { maxPpl: most } },
      last: { job: 'score', options: { criterion: 'deepest' }, after: ['quality'] },
    });
    const { file, write } = place(limited(1));
    const first = await run(file);
    assert.deepEqual([first.ended, states(first)], ['limit', `${ALL}, last open`]);
    assert.deepEqual(
      first.limits.map(({ limit, most, kept }) => [limit, most, kept]),
      [['maxPpl', 1, false]],
    );
    const again = await run(file);
    assert.deepEqual([again.ended, again.ran], ['limit', 0]);
    write(limited(1e9));
    const kept = await run(file);
    assert.deepEqual([kept.ended, states(kept)], ['done', `${NONE}, last done`]);
    assert.equal(kept.limits[0].measured, ppl(first));
  });

  it('judge limits of the whole by the last step that measures them', async () => {
    const { file } = place(STEPS, { limits: { maxPpl: 1e9, maxBytes: 10 } });
    const end = await run(file);
    assert.deepEqual(
      end.limits.map(({ step, limit, kept }) => [step, limit, kept]),
      [['pruned', 'maxBytes', false]],
    );
    assert.equal(end.ended, 'limit');
  });

  it('take chosen steps with what they need, other values, another model, and quick values beside the state', async () => {
    const { folder, file } = place(STEPS, { variables: { count: 1 }, quick: { count: 2 } });
    assert.equal(states(await run(file, { only: ['scores'] })), 'scores done, pruned open, quality open');
    const whole = await run(file);
    const quick = await run(file, { quick: true });
    assert.equal(states(quick), ALL);
    assert.notEqual(ppl(quick), ppl(whole));
    assert.equal(ppl(await run(file, { set: { count: 2 } })), ppl(quick));
    const other = join(temporaryFolder(), 'other');
    cpSync(join(folder, 'model'), other, { recursive: true });
    const second = await run(file, { model: other });
    assert.equal(ppl(second), ppl(whole));
    assert.deepEqual(
      readdirSync(join(folder, '.coppice')).sort(),
      ['.gitignore', 'model', 'model.quick', 'model@other', 'runs'].sort(),
    );
    await assert.rejects(run(file, { set: { cuont: 2 } }), /no variable “cuont”.*the variables are count/);
    await assert.rejects(run(file, { only: ['prune'] }), /no step “prune”/);
  });

  it('write nothing outside with quick values', async () => {
    const { folder, file } = place({
      pruned: { job: 'prune', options: { criterion: 'magnitude', count: 1, keepEnds: false, out: '../outside' } },
    });
    await run(file, { quick: true });
    assert.equal(existsSync(join(dirname(folder), 'outside')), false);
    assert.ok(existsSync(join(folder, '.coppice/model.quick/outputs/up/outside/config.json')));
  });

  it('say which input is missing before the first step, and refuse a model around them and a second run', async () => {
    const { folder, file } = place();
    rmSync(join(folder, 'rows.json'));
    // What comes after a step that must run first is looked at then.
    await run(file, { only: ['pruned'] });
    await assert.rejects(run(file), /quality, option “calibration”: Cannot read .*rows\.json: it is not there/);
    const inside = join(folder, 'model/inside.coppice.json');
    writeFileSync(inside, JSON.stringify({ coppice: 1, model: '.', steps: { scores: STEPS.scores } }));
    await assert.rejects(run(inside), /inside the checkpoint/);
    const slow: JobRunner = async (spec, options) => {
      await assert.rejects(run(file, { only: ['scores'] }), /running already/);
      return runner(spec, options);
    };
    rmSync(join(folder, '.coppice/model'), { recursive: true });
    assert.equal((await run(file, { only: ['scores'] }, slow)).ended, 'done');
  });

  it('count a checkpoint by the bytes of what belongs to it, and not by what lies beside it', async () => {
    const steps: Steps = { quality: { job: 'eval', options: { calibration: 'rows.json' } } };
    const { folder, file } = place(steps, { model: './model/model.safetensors' });
    assert.equal(states(await run(file)), 'quality done');
    writeFileSync(join(folder, 'model/notes.txt'), 'a note');
    assert.equal(states(await run(file)), 'quality kept');
    const weights = join(folder, 'model/model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1] ^= 1; // the identity of the checkpoint, of headers and sizes, stays the same
    writeFileSync(weights, bytes);
    assert.equal(await plan(file), 'quality run its options or inputs changed');
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(weights, bytes);
    assert.equal(await plan(file), 'quality done');
    const config = join(folder, 'model/config.json');
    writeFileSync(config, `${readFileSync(config, 'utf8')}\n`);
    assert.equal(await plan(file), 'quality run its options or inputs changed');
  });
});
