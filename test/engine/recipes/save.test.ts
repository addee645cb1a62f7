/** What was clicked together on the sample model, saved as a recipe: running the recipe gives the same numbers. */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { meanLayerParameters, parametersOf } from '../../../src/engine/checkpoint/parameters';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Suggestion } from '../../../src/engine/importance/choice';
import { selectByScores } from '../../../src/engine/importance/ranking';
import { keepList } from '../../../src/engine/importance/select';
import type { ResultFor } from '../../../src/jobs/kinds';
import { parseJsonNumber } from '../../../src/format/json';
import type { JobRunner } from '../../../src/jobs/runner';
import { runSpec } from '../../../src/jobs/run-spec';
import type { JobSpec } from '../../../src/protocol/jobs';
import { parseRecipe, readRecipe } from '../../../src/recipes/read';
import { runRecipe } from '../../../src/recipes/run';
import { savedRuns } from '../../../src/recipes/save/read-runs';
import type { SaveRequest } from '../../../src/recipes/save/request';
import { recipeOf } from '../../../src/recipes/save/save';
import type { StepEnd } from '../../../src/recipes/types';
import { bytesOnDisk } from '../../support/disk';
import { temporaryFolder } from '../../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');
const MEASURED = { window: 48, limit: 2 } as const;

describe('a recipe saved from runs', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const model = join(folder, 'sample');
  const records = join(folder, '.coppice/runs');
  const text = join(model, 'evaluation.txt');
  const [pruned, patch, healed] = ['pruned', 'x.patch.safetensors', 'healed'].map((name) => join(folder, name));
  const runner: JobRunner = (spec, options = {}) =>
    runSpec({ records: [records], ...spec, device: 'cpu' } as unknown as JobSpec, {
      job: options,
      hooks: {},
      emit: () => undefined,
    });
  let request: SaveRequest;
  /** Perplexities as they were clicked: of the model, its plan, and what was written. */
  const clicked: number[] = [];

  before(async () => {
    cpSync(SAMPLE, model, { recursive: true });
    const calibration = join(model, 'calibration.txt');
    const rows = { calibration, samples: 2, length: 24, seed: 7 };
    await runner({ kind: 'score', checkpoint: model, criterion: 'magnitude' }); // another try, which led to nothing
    const { result, record } = await runner({ kind: 'score', checkpoint: model, criterion: 'ppl', ...rows });
    const { blocks = [] } = result as ResultFor<'score'>;
    const scores = blocks.map(({ score }) => parseJsonNumber(score)!);
    const removed = selectByScores({ kind: 'scores', scores }, scores.length, 2, keepList(scores.length));
    const choice: Suggestion = {
      criterion: 'ppl',
      goal: { kind: 'count', count: 2 },
      blocks: removed,
      run: basename(record!),
    };
    const evaluate = async (given: {
      checkpoint: string;
      remove?: readonly number[];
      heal?: string;
    }): Promise<void> => {
      const { result } = await runner<'eval'>({ kind: 'eval', text, ...MEASURED, ...given });
      clicked.push(parseJsonNumber(result.ppl)!);
    };
    await evaluate({ checkpoint: model });
    await evaluate({ checkpoint: model, remove: removed });
    await evaluate({ checkpoint: model, remove: [5] }); // another try
    clicked.pop();
    await runner({ kind: 'prune', checkpoint: model, blocks: removed, choice, out: pruned });
    await evaluate({ checkpoint: pruned });
    const healing = { kind: 'heal', checkpoint: model, remove: removed, choice, data: [calibration] } as const;
    await runner({ ...healing, tokens: 256, length: 32, patch });
    await evaluate({ checkpoint: model, heal: patch });
    await runner({ ...healing, tokens: 256, length: 32, out: healed });
    await evaluate({ checkpoint: healed });
    const checkpoint = await openCheckpoint(model);
    const architecture = requireArchitecture(checkpoint);
    request = {
      file: join(folder, 'model.coppice.json'),
      model: {
        path: model,
        name: 'sample',
        identity: checkpoint.identity,
        blocks: architecture.layers.length,
        size: { total: parametersOf(architecture), block: meanLayerParameters(architecture) },
        quantized: false,
      },
      plan: { removed, choice, keepEnds: true, keep: [] },
      runs: await savedRuns([records]),
    };
  });

  it('has the steps that led to the plan, linked, without problems', () => {
    const { text: written, left, steps } = recipeOf(request);
    const { recipe, problems } = parseRecipe(written, request.file);
    assert.deepEqual(problems, []);
    assert.deepEqual(left, []);
    assert.deepEqual(
      steps.toSorted(),
      ['scores', 'quality_before', 'pruned', 'quality', 'quality_2', 'healed', 'quality_3', 'quality_4'].toSorted(),
    );
    const of = (name: string) => recipe!.steps.find((step) => step.name === name)!.options;
    assert.deepEqual(of('pruned'), { scores: '${steps.scores}', count: '${count}' });
    assert.equal(of('quality').remove, '${steps.pruned.removed}');
    assert.equal(of('quality_2').checkpoint, '${steps.pruned}');
    assert.equal(of('quality_3').heal, '${steps.healed.patch}');
    assert.equal(of('quality_4').checkpoint, '${steps.healed}');
    assert.equal(of('quality_4').against, '${model}');
    assert.deepEqual(recipe!.variables, {
      text: './sample/evaluation.txt',
      calibration: './sample/calibration.txt',
      count: 2,
    });
    assert.ok(!written.includes(folder), 'nothing of this machine');
    assert.match(written, /\/\/ .*: perplexity [\d.]+ on evaluation\.txt \(\d+ tokens\).*float32 on cpu\n/);
  });

  it('gives the same numbers when it runs', async () => {
    writeFileSync(request.file, recipeOf(request).text);
    const { end, error } = await runRecipe({ recipe: await readRecipe(request.file) }, runner);
    assert.equal(error, undefined);
    const ppl = ({ result }: StepEnd): number => parseJsonNumber(result!.ppl)!;
    const found = ['quality_before', 'quality', 'quality_2', 'quality_3', 'quality_4'].map((name) =>
      ppl(end.steps.find((step) => step.name === name)!),
    );
    assert.deepEqual(found, clicked);
    assert.equal(new Set(clicked.map((value) => value.toFixed(3))).size >= 3, true, 'the models differ');
  });

  it('takes only the runs that were chosen and what they need', () => {
    const chosen = request.runs.filter(({ record }) => record.inputs[0].name === 'healed').map(({ id }) => id);
    assert.deepEqual(recipeOf({ ...request, chosen }).steps, ['scores', 'pruned', 'healed', 'quality']);
    assert.equal(recipeOf({ ...request, chosen }).gives?.path, healed, 'the last model that was written');
    const of = (kind: string) => request.runs.filter(({ record }) => record.kind === kind).map(({ id }) => id);
    const { gives } = recipeOf({ ...request, chosen: of('prune') });
    assert.deepEqual(gives, { path: pruned, bytes: bytesOnDisk(pruned) });
    assert.equal(recipeOf({ ...request, chosen: of('score') }).gives, undefined);
  });

  it('names blocks that the scores do not choose', () => {
    const { plan, runs } = request;
    const { removed } = plan!;
    const edited = { ...plan!, removed: [...removed.slice(1), 1] };
    const { text: written } = recipeOf({ ...request, plan: edited, chosen: undefined, runs });
    const { recipe, problems } = parseRecipe(written, request.file);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      recipe!.steps.map(({ options }) => options),
      [{ blocks: edited.removed }],
    );
    assert.match(
      written,
      new RegExp(`ppl suggested ${removed.join(', ')}; then by hand: 1 also removed; ${removed[0]} kept`),
    );
  });

  it('exports the plan of a quantized file, and writes no wider model to choose its blocks', () => {
    const { model: whole, runs } = request;
    const scored = runs.filter(({ record }) => record.kind === 'score');
    const steps = (quantized: boolean, plan = request.plan) => {
      const { text: written } = recipeOf({ ...request, model: { ...whole, quantized }, plan, runs: scored });
      const { recipe, problems } = parseRecipe(written, request.file);
      assert.deepEqual(problems, []);
      return recipe!.steps.slice(1).map(({ job, options }) => [job, options]);
    };
    const choosing = { scores: '${steps.scores}', count: '${count}' };
    assert.deepEqual(steps(false), [['prune', choosing]]);
    assert.deepEqual(steps(true), [
      ['prune', { ...choosing, dryRun: true }],
      ['export', { remove: '${steps.pruned.removed}', format: 'gguf' }],
    ]);
  });

  it('says that a model in the folder of the program goes with this version', () => {
    const here = dirname(request.file);
    const elsewhere = { ...request, file: '/elsewhere/saved.coppice.json' };
    const { text: bundled } = recipeOf({ ...elsewhere, installation: dirname(request.model.path) });
    assert.match(
      bundled,
      /\/\/ in the folder of this version of Coppice, which the next version replaces.*\n +"model": /,
    );
    assert.match(
      recipeOf({ ...elsewhere, installation: join(here, 'x') }).text,
      /\/\/ outside of this folder.*\n +"model": /,
    );
  });

  it('says what it leaves out, and refuses when nothing is left', () => {
    const [run] = request.runs;
    const { options: _, ...record } = run.record;
    const older = { ...request, runs: [{ ...run, record }, ...request.runs.slice(1)] };
    const other = request.runs.at(-1)!.id;
    assert.match(
      recipeOf({ ...older, chosen: [run.id, other] }).text,
      /Not carried over:\n.*does not have the options/,
    );
    assert.throws(() => recipeOf({ ...older, chosen: [run.id] }), /nothing to save/);
  });
});
