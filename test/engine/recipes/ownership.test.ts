/**
 * What recipes replace and remove: what they wrote, and nothing else, whatever links, states and folders of a repository
 * say. Results count only as the step left them.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { inThisProcess } from '../../../src/jobs/run-spec';
import { planRecipe, type RecipeRequest } from '../../../src/recipes/plan';
import { readRecipe } from '../../../src/recipes/read';
import { checkReports, writeReport } from '../../../src/recipes/report/write';
import { runRecipe } from '../../../src/recipes/run';
import type { RecipeEnd } from '../../../src/recipes/types';
import { hashesOf } from '../../support/hashes';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const runner = inThisProcess({ device: 'cpu', threads: 1 });

interface Step {
  readonly job: string;
  readonly options?: object;
  readonly limits?: object;
}
type Steps = Readonly<Record<string, Step>>;

const pruned = (count: number, out?: string): Steps => ({
  a: { job: 'prune', options: { criterion: 'magnitude', count, keepEnds: false, ...(out !== undefined && { out }) } },
});

/** A user's folder with something of theirs, and in it a repository with a model. */
function place(): { readonly user: string; readonly repo: string; readonly recipe: (steps: Steps) => string } {
  const user = temporaryFolder();
  const repo = join(user, 'repo');
  cpSync(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }), join(repo, 'model'), { recursive: true });
  mkdirSync(join(user, 'projects/mine'), { recursive: true });
  writeFileSync(join(user, 'projects/mine/thesis.txt'), 'years of work');
  const recipe = (steps: Steps): string => {
    const file = join(repo, 'r.coppice.json');
    writeFileSync(file, JSON.stringify({ coppice: 1, model: './model', steps }));
    return file;
  };
  return { user, repo, recipe };
}

async function run(file: string, more: Omit<RecipeRequest, 'recipe'> = {}): Promise<RecipeEnd> {
  const { end, error } = await runRecipe({ recipe: await readRecipe(file), ...more }, runner);
  if (error instanceof Error) throw error;
  return end;
}

const why = async (file: string): Promise<string | undefined> =>
  (await planRecipe({ recipe: await readRecipe(file) })).steps[0].why;

describe('what recipes replace', function () {
  this.timeout('2m');

  it('nothing through a folder of the state that is a link', async () => {
    const { user, repo, recipe } = place();
    symlinkSync('..', join(repo, '.coppice'));
    const before = hashesOf(join(user, 'projects'));
    await assert.rejects(run(recipe(pruned(1, '.coppice/projects/mine'))), /repo[/\\]\.coppice is a link/);
    assert.deepEqual(hashesOf(join(user, 'projects')), before);
    rmSync(join(repo, '.coppice'));
    mkdirSync(join(repo, '.coppice'));
    symlinkSync(join(user, 'projects'), join(repo, '.coppice/r'));
    await assert.rejects(planRecipe({ recipe: await readRecipe(recipe(pruned(1))) }), /\.coppice[/\\]r is a link/);
    assert.deepEqual(hashesOf(join(user, 'projects')), before);
  });

  it('nothing through a folder of a step that is a link, or that someone else filled', async () => {
    const { user, repo, recipe } = place();
    const victim = join(user, 'victim');
    mkdirSync(victim);
    for (const name of ['answers.jsonl', 'result.json']) writeFileSync(join(victim, name), 'mine');
    mkdirSync(join(repo, '.coppice/r'), { recursive: true });
    symlinkSync('../../../victim', join(repo, '.coppice/r/a'));
    const file = recipe(pruned(1));
    await assert.rejects(run(file), /\.coppice[/\\]r[/\\]a is a link/);
    rmSync(join(repo, '.coppice/r/a'));
    renameSync(victim, join(repo, '.coppice/r/a'));
    await assert.rejects(run(file), /r[/\\]a cannot be used: it has files that this recipe did not write/);
    for (const name of ['answers.jsonl', 'result.json']) {
      assert.equal(readFileSync(join(repo, '.coppice/r/a', name), 'utf8'), 'mine');
    }
  });

  it('nothing through links deeper in their folders', async () => {
    const { user, repo, recipe } = place();
    const steps = pruned(1, '.coppice/r/a/link/mine');
    await run(recipe(pruned(1)));
    symlinkSync(join(user, 'projects'), join(repo, '.coppice/r/a/link'));
    await assert.rejects(run(recipe(steps)), /a[/\\]link is a link/);
    await run(recipe(pruned(1, '../x')), { quick: true });
    rmSync(join(repo, '.coppice/r.quick/outputs/up'), { recursive: true });
    symlinkSync(user, join(repo, '.coppice/r.quick/outputs/up'));
    await assert.rejects(run(recipe(pruned(2, '../x')), { quick: true }), /outputs[/\\]up is a link/);
    assert.ok(!existsSync(join(user, 'x')));
    assert.deepEqual(Object.keys(hashesOf(join(user, 'projects'))), [join('mine', 'thesis.txt')]);
  });

  it('nothing in a chosen folder, which must be new, empty or their own', async () => {
    const { user, repo, recipe } = place();
    const proj = join(user, 'proj');
    for (const name of ['kept', 'empty']) mkdirSync(join(proj, name), { recursive: true });
    writeFileSync(join(proj, 'report.html'), 'mine');
    const file = recipe(pruned(1, '../proj/kept'));
    await assert.rejects(
      run(file, { folder: proj }),
      /proj cannot be the folder of r: it has other files, such as empty/,
    );
    assert.equal(readFileSync(join(proj, 'report.html'), 'utf8'), 'mine');
    for (const folder of [join(proj, 'empty'), join(proj, 'new')]) {
      assert.equal((await run(recipe(pruned(1)), { folder })).ran, 1);
      assert.equal((await run(recipe(pruned(1)), { folder })).ran, 0);
    }
    const other = join(repo, 'other.coppice.json');
    cpSync(file, other);
    await assert.rejects(run(other, { folder: join(proj, 'new') }), /it belongs to the recipe r/);
  });

  it('only outputs that they wrote and nobody changed, hidden files included', async () => {
    const { user, repo, recipe } = place();
    const mine = join(user, 'projects/mine');
    await assert.rejects(run(recipe(pruned(1, '../projects/mine'))), /mine is not replaced: it is there already/);
    const shipped = join(repo, 'shipped');
    await run(recipe(pruned(1, 'shipped')));
    mkdirSync(join(shipped, '.git'));
    writeFileSync(join(shipped, '.git/HEAD'), 'history');
    await assert.rejects(run(recipe(pruned(2, 'shipped'))), /shipped is not replaced: it has \.git, which/);
    rmSync(join(shipped, '.git'), { recursive: true });
    assert.equal((await run(recipe(pruned(2, 'shipped')))).ran, 1);
    assert.equal(readFileSync(join(mine, 'thesis.txt'), 'utf8'), 'years of work');
  });

  it('nothing that only a state from elsewhere calls theirs', async () => {
    const { user, repo, recipe } = place();
    await run(recipe(pruned(1, 'shipped')));
    // A published model of the user, whose digest anyone knows: here the output itself, elsewhere.
    renameSync(join(repo, 'shipped'), join(user, 'downloaded'));
    const state = join(repo, '.coppice/r/state.json');
    writeFileSync(state, readFileSync(state, 'utf8').replace('"shipped"', '"../downloaded"'));
    const before = hashesOf(join(user, 'downloaded'));
    const file = recipe(pruned(2, '../downloaded'));
    await assert.rejects(run(file), /downloaded is not replaced: nothing proves that this recipe wrote it/);
    // Nor what a state says that a killed run put aside or began.
    const aside = join(user, '.thesis.before.coppice-partial');
    writeFileSync(aside, 'mine');
    mkdirSync(join(user, 'downloaded.training'));
    const forged = JSON.parse(readFileSync(state, 'utf8')) as { running: object };
    const asides = [{ path: '../thesis', aside: '../.thesis.before.coppice-partial' }];
    forged.running = { step: 'a', key: 'x', outputs: ['../downloaded'], asides, seal: 'x' };
    writeFileSync(state, JSON.stringify(forged));
    await assert.rejects(run(file), /downloaded\.training is not replaced: this recipe did not begin it/);
    assert.ok(existsSync(aside) && existsSync(join(user, 'downloaded.training')));
    assert.deepEqual(hashesOf(join(user, 'downloaded')), before);
  });

  it('nothing of their own files: outputs have other places', async () => {
    const { recipe } = place();
    for (const out of ['.coppice', '.coppice/r', '.coppice/r/lock', '.Coppice/R/a', '.coppice/r/a/result.json', '.']) {
      await assert.rejects(run(recipe(pruned(1, out))), /“out” cannot be/, out);
    }
    await assert.rejects(run(recipe(pruned(1, 'x\0y'))), UserError);
    assert.equal((await run(recipe(pruned(1, '.coppice/r/a/small')))).ran, 1);
  });

  it('no report but their own', async () => {
    const { repo, recipe } = place();
    const end = await run(recipe({ a: { job: 'score', options: { criterion: 'magnitude' } } }));
    const assets = { script: '', style: '' };
    const page = await writeReport(end, assets);
    await checkReports(end.folder);
    await writeReport(end, assets);
    for (const name of ['report.html', 'report.md']) {
      const file = join(end.folder, name);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace('magnitude', 'my notes'));
      await assert.rejects(writeReport(end, assets), /is not replaced/);
      writeFileSync(file, text.replaceAll('\n', '\r\n')); // as Git may check it out
      await writeReport(end, assets);
    }
    const own = join(repo, 'README.md');
    writeFileSync(own, '# Mine\n');
    await assert.rejects(checkReports(end.folder, own), /README\.md is not replaced/);
    assert.ok(existsSync(page));
  });
});

describe('results of recipes', function () {
  this.timeout('2m');

  it('count as the step left them: a result that was edited runs again, and sizes are those of the files', async () => {
    const { repo, recipe } = place();
    const file = recipe(pruned(1));
    await run(file);
    const result = join(repo, '.coppice/r/a/result.json');
    writeFileSync(result, readFileSync(result, 'utf8').replace('{', '{ "ppl": 1,'));
    assert.equal(await why(file), 'its result is gone, or was changed');
    assert.equal((await run(file)).ran, 1);
    const state = join(repo, '.coppice/r/state.json');
    writeFileSync(state, readFileSync(state, 'utf8').replace(/"bytes": \d+/, '"bytes": 1'));
    const limited = { ...pruned(1).a, limits: { maxBytes: '1MB' } };
    const { limits, ran } = await run(recipe({ a: limited }));
    assert.equal(ran, 0);
    assert.ok(limits[0].measured > 1000, String(limits[0].measured));
  });

  it('see a file that was edited in place with its size and time kept', async () => {
    const { repo, recipe } = place();
    const rows = join(repo, 'rows.json');
    const write = (first: number): void =>
      writeFileSync(rows, JSON.stringify({ rows: [[first, ...Array.from({ length: 15 }, (_, i) => 10 + i)]] }));
    write(31);
    const file = recipe({ a: { job: 'eval', options: { calibration: 'rows.json' } } });
    await run(file);
    const { atime, mtime } = statSync(rows);
    write(42);
    utimesSync(rows, atime, mtime);
    assert.equal(await why(file), 'its options or inputs changed');
  });

  it('have no limit that always holds', async () => {
    const { recipe } = place();
    for (const value of [null, [], [0.9], ' ', '0x10', true]) {
      const file = recipe({
        a: { job: 'eval', options: { calibration: 'rows.json' }, limits: { maxPpl: '${v}' } },
      });
      const text = JSON.parse(readFileSync(file, 'utf8')) as object;
      writeFileSync(file, JSON.stringify({ ...text, variables: { v: value } }));
      await assert.rejects(run(file), /The limit maxPpl of “a” cannot be used/, JSON.stringify(value));
    }
  });
});
