/** Every command, called with arguments: what it returns, what it leaves on disk, what the tree says afterwards. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../../../src/engine/errors';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import { CRITERIA } from '../../../src/engine/importance/criteria';
import type { SavedFile } from '../../../src/commands/save-as-recipe';
import type { ModuleSuggestion } from '../../../src/commands/suggest-modules';
import { InputWatch } from '../../../src/engine/records/changes';
import { readRecord } from '../../../src/engine/records/record';
import { RunStore } from '../../../src/jobs/record-store';
import type { ExportResult, VerifyResult } from '../../../src/jobs/results/export';
import type { SpeedsResult } from '../../../src/jobs/results/bench';
import type { HealResult } from '../../../src/jobs/results/heal';
import type { GridResult } from '../../../src/jobs/results/grid';
import type { EvaluateResult } from '../../../src/jobs/results/eval';
import type { GenerateResult } from '../../../src/jobs/results/generate';
import type { JobInfo } from '../../../src/protocol/jobs';
import type { MergeResult, PruneResult } from '../../../src/jobs/results/prune';
import type { ModelTasks, TasksComparison } from '../../../src/jobs/results/tasks';
import type { ScoreResult } from '../../../src/jobs/results/score';
import type { RetrainResult } from '../../../src/jobs/results/retrain';
import {
  checkpointLine,
  clearWorkspace,
  coppice,
  inWorkspace,
  fileLines,
  lines,
  run,
  writeModel,
  writeText,
} from '../support/coppice';
import { taskFiles } from '../../support/task-files';
import { until } from '../../support/until';

interface Suggestion {
  readonly count: number;
  readonly removed: readonly number[];
  readonly parametersAfter: number;
}

describe('commands', () => {
  let checkpoint: string;
  let text: string;
  const quick = { samples: 4, length: 16 };

  before(async () => {
    await clearWorkspace();
    checkpoint = writeModel('model');
    text = writeText('prose.txt');
    await run('refreshCheckpoints');
    await setting('device', 'cpu');
    await setting('calibration.file', 'prose.txt');
    await setting('keepFirstAndLast', true);
  });
  after(async () => {
    for (const key of ['device', 'calibration.file', 'keepFirstAndLast']) await setting(key, undefined);
  });
  beforeEach(() => run('resetPlan', { checkpoint }));

  for (const criterion of CRITERIA) {
    it(`scores by ${criterion}`, async () => {
      const result = await run<ScoreResult>('scoreBlocks', { checkpoint, criterion, ...quick, count: 2 });
      assert.equal(result.criterion, criterion);
      const { scores, library } = await coppice();
      const { identity } = await library.load(checkpoint);
      assert.equal(scores.latest({ path: checkpoint, identity })?.criterion, criterion);
    });
  }

  it('shows scores, importance and protection at the blocks', async () => {
    const { full, blocks } = await run<ScoreResult>('scoreBlocks', { checkpoint, criterion: 'ppl', ...quick });
    assert.equal(blocks?.length, 8);
    assert.ok(Number(full?.ppl) > 1);
    const shown = (await lines((await checkpointLine(checkpoint)).node)).filter(({ node }) => node.kind === 'block');
    for (const [block, protection] of [
      [0, true],
      [4, false],
    ] as const) {
      assert.match(String(shown[block].item.description), /^[▁-█] [\d.,]+$/);
      assert.equal(shown[block].item.accessibilityInformation!.label.includes(', protected,'), protection);
      assert.equal((shown[block].item.iconPath as vscode.ThemeIcon).id, protection ? 'shield' : 'symbol-structure');
    }
    const looks = shown.map(({ item }) => new URLSearchParams(item.resourceUri?.query).get('importance'));
    assert.deepEqual([...looks].sort(), ['high', 'high', 'high', 'low', 'low', 'low', 'middle', 'middle']);
  });

  const firstBlock = async (): Promise<vscode.TreeItem> => {
    const all = await lines((await checkpointLine(checkpoint)).node);
    return all.find(({ node }) => node.kind === 'block')!.item;
  };

  it('shows the scores of the criterion that was chosen, and of the one that a suggestion took', async () => {
    for (const criterion of ['ppl', 'magnitude']) await run('scoreBlocks', { checkpoint, criterion, ...quick });
    assert.match((await firstBlock()).accessibilityInformation!.label, / magnitude [\d.,]+/);
    await run('showScores', { checkpoint, criterion: 'ppl' });
    const { description, tooltip } = await firstBlock();
    assert.match(String(description), /^[▁-█] [\d.,]+$/);
    assert.match(tooltip as string, /magnitude [\d.,]+\n/); // the others stay in the hover, with their texts
    assert.match(tooltip as string, /ppl [\d.,]+, original [\d.,]+, on .*prose\.txt, 4 × 16 tokens/);
    const hover = ((await checkpointLine(checkpoint)).item.tooltip as vscode.MarkdownString).value;
    assert.match(hover, /Scores: magnitude/);
    assert.match(hover.replace(/&nbsp;/g, ' '), /Scores, shown: ppl/);
    await run('suggestBlocks', { checkpoint, criterion: 'magnitude', count: 2 });
    assert.match((await firstBlock()).accessibilityInformation!.label, / magnitude [\d.,]+/);
    await assert.rejects(run('showScores', { checkpoint, criterion: 'bogus' }), UserErrorLike);
  });

  it('suggests by count, share and size, and leaves protected blocks alone', async () => {
    const byCount = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    assert.deepEqual(byCount.removed, [4, 5]);
    const byShare = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'magnitude', ratio: 0.15 });
    assert.equal(byShare.removed.length, 1);
    const bySize = await run<Suggestion>('suggestBlocks', {
      checkpoint,
      criterion: 'magnitude',
      targetParams: byCount.parametersAfter,
    });
    assert.equal(bySize.count, 2);
    const greedy = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'greedy', count: 2 });
    assert.deepEqual(greedy.removed, [4, 5]);
    const search = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'search', count: 2 });
    assert.deepEqual(search.removed, [4, 5]);
    // A set has no order: another number of blocks is another search.
    const smaller = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'search', count: 1 });
    assert.equal(smaller.removed.length, 1);
    await assert.rejects(run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 5 }), UserErrorLike);
  });

  it('suggests among attention and FFN, which are judged and healed as they are, and no plan', async () => {
    const byBytes = { checkpoint, granularity: 'module', cost: 'bytes', count: 1 };
    await run('showScores', { checkpoint, criterion: 'ppl' }); // it does not choose among modules
    const { criterion, removed } = await run<ModuleSuggestion>('suggestBlocks', byBytes);
    assert.equal(criterion, 'greedy');
    assert.ok(removed.length > 0 && removed.every((part) => /^[45](\.|$)/.test(String(part))), removed.join());
    const { plans, library } = await coppice();
    const { identity } = await library.load(checkpoint);
    const subject = { path: checkpoint, identity, blocks: 8 };
    // Whole blocks alone could be written.
    const whole = removed.filter((part) => typeof part === 'number');
    assert.deepEqual(plans.removed(subject), whole.length === removed.length ? whole : []);

    const remove = ['4.attention', 5];
    const judged = await run<EvaluateResult>('evaluatePerplexity', { checkpoint, remove, text, limit: 1 });
    assert.ok(judged.ppl > 1);
    const patch = inWorkspace('modules.healed.safetensors');
    const healed = await run<HealResult>('heal', { checkpoint, remove, data: text, tokens: 64, patch });
    assert.deepEqual([healed.removed, healed.out], [[5, '4.attention'], null]);

    const limited = await run<ModuleSuggestion>('suggestBlocks', { ...byBytes, count: undefined, maxKl: 0.5 });
    assert.equal(limited.count, undefined);
    for (const refused of [{ criterion: 'ppl' }, { count: undefined, maxRatio: 2 }]) {
      await assert.rejects(run('suggestBlocks', { ...byBytes, ...refused }), UserErrorLike);
    }
  });

  it('prunes the plan to a new folder, which is in the tree then; the source stays as it was', async () => {
    const before = statSync(join(checkpoint, 'model.safetensors')).mtimeMs;
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    const out = inWorkspace('shorter');
    const result = await run<PruneResult>('pruneCheckpoint', { checkpoint, out });
    assert.deepEqual(result.removed, [4, 5]);
    const { item } = await checkpointLine(out);
    assert.match(String(item.description), /^pruned · 6 of 8 blocks/);
    assert.equal(statSync(join(checkpoint, 'model.safetensors')).mtimeMs, before);
    const record = JSON.parse(readFileSync(join(out, 'coppice.json'), 'utf8')) as { settings: { criterion: string } };
    assert.equal(record.settings.criterion, 'ppl');
    await assert.rejects(run('pruneCheckpoint', { checkpoint, out }), UserErrorLike);
    await run('resetPlan', { checkpoint });
    await assert.rejects(run('pruneCheckpoint', { checkpoint, out: inWorkspace('nothing') }), UserErrorLike);
  });

  it('prunes for the reason that the plan was made for, whatever is scored meanwhile', async () => {
    await run('scoreBlocks', { checkpoint, criterion: 'ppl', ...quick });
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    await run('scoreBlocks', { checkpoint, criterion: 'taylor', ...quick });
    assert.match((await firstBlock()).accessibilityInformation!.label, / ppl [\d.]+/, 'colours follow the plan');
    const suggested = await pruned('by-ppl');
    assert.deepEqual([suggested.settings.chosen, suggested.settings.criterion], ['by criterion', 'ppl']);
    assert.match(suggested.card, /chosen by the criterion `ppl`, measured on 4 rows of 16 tokens of `prose\.txt`/);
    assert.match(hoverOf((await checkpointLine(checkpoint)).item), /suggested by ppl on prose\.txt/);

    const { plans, library } = await coppice();
    const { identity, architecture } = await library.load(checkpoint);
    const subject = { path: checkpoint, identity, blocks: architecture!.layers.length };
    plans.change(subject, [[1, false]]);
    const edited = await pruned('edited');
    assert.deepEqual([edited.settings.criterion, edited.settings.removedByHand], ['ppl', [1]]);
    assert.match(edited.card, /suggested by the criterion `ppl`[^]*edited by hand: block 1 also removed/);

    await run('resetPlan', { checkpoint });
    plans.change(subject, [[4, false]]);
    const byHand = await pruned('by-hand');
    assert.deepEqual([byHand.settings.chosen, byHand.settings.criterion], ['by hand', undefined]);
    assert.match(byHand.card, /The blocks were chosen by hand\./);
    assert.doesNotMatch(byHand.card, /taylor|ppl/);

    // The records know where the text lies: none claims that it is gone.
    const { runs } = await new RunStore(inWorkspace('.coppice/runs')).list();
    const texts = runs.filter(({ digest }) => digest.kind === 'prune').flatMap(({ inputs }) => inputs.slice(1));
    assert.ok(texts.some(({ place }) => place !== undefined));
    const records = inWorkspace('.coppice/runs');
    const given = texts.flatMap(({ place }) => (place === undefined ? [] : [resolve(records, place)]));
    assert.deepEqual(await new InputWatch().check(texts, records, { given }), { changed: [], unchecked: [] });
    assert.equal(readFileSync(inWorkspace('.coppice/.gitignore'), 'utf8'), '*\n');
  });

  /** What a pruning of the plan says of itself. */
  async function pruned(name: string): Promise<{ settings: Record<string, unknown>; card: string }> {
    const out = inWorkspace(name);
    await run('pruneCheckpoint', { checkpoint, out });
    const { settings } = await readRecord(join(out, 'coppice.json'));
    return { settings, card: readFileSync(join(out, 'README.md'), 'utf8') };
  }

  it('evaluates the whole model and the plan, and keeps a record of each run', async () => {
    const whole = await run<EvaluateResult>('evaluatePerplexity', { checkpoint, text, limit: 4 });
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 1 });
    const planned = await run<EvaluateResult>('evaluatePerplexity', { checkpoint, text, limit: 4, plan: true });
    assert.deepEqual(whole.removed, []);
    assert.equal(planned.removed.length, 1);
    assert.notEqual(planned.ppl, whole.ppl);
    const records = readdirSync(inWorkspace('.coppice/runs')).filter((name) => name.includes('-eval-'));
    assert.ok(records.length >= 2);
  });

  it('lets models answer the same questions, and compares them', async () => {
    const { data, own } = taskFiles(inWorkspace('tasks'));
    const models = [
      { label: 'Original', checkpoint },
      { label: 'Without 4', checkpoint, remove: [4] },
    ];
    const found = await run<TasksComparison>('evaluateTasks', {
      checkpoint,
      data,
      tasks: ['piqa'],
      limit: 3,
      columns: models,
    });
    assert.deepEqual(
      found.models.map(({ label, removed }) => [label, removed]),
      [
        ['Original', []],
        ['Without 4', [4]],
      ],
    );
    assert.deepEqual([found.differences.length, found.models[0].tasks[0].items], [1, 3]);
    const mine = await run<ModelTasks>('evaluateTasks', { checkpoint, own: [own], limit: 1 });
    assert.equal(mine.tasks[0].items, 1);
    assert.ok(readdirSync(inWorkspace('.coppice/runs')).some((name) => name.includes('-tasks-')));

    const decision = await run<BeforeAfter>('showBeforeAfter', { checkpoint });
    assert.equal(decision.models[0], 'model');
    assert.ok(decision.models.includes('without 4'));
    assert.ok(
      decision.rows.some(({ name, cells }) => name.startsWith('Accuracy') && cells.filter((cell) => cell).length >= 2),
    );
    const shown = (): boolean => vscode.window.tabGroups.activeTabGroup.activeTab?.label === 'Before and After: model';
    await until('the page is shown', shown);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const out = inWorkspace('before-after.md');
    await run('showBeforeAfter', { checkpoint, out });
    assert.match(readFileSync(out, 'utf8'), /^## model and .*without 4/);
  });

  it('saves what led to the plan as a recipe, opens it, and replaces no file', async () => {
    const { scores, library } = await coppice();
    const { identity } = await library.load(checkpoint);
    const { record } = scores.latest({ path: checkpoint, identity }, 'ppl')!;
    const { removed } = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    await run('evaluatePerplexity', { checkpoint, text, window: 16, limit: 2, plan: true });
    const out = inWorkspace('model.coppice.json');
    const { file, steps } = await run<SavedFile>('saveAsRecipe', { checkpoint, out });
    assert.equal(file, out);
    assert.deepEqual(vscode.window.activeTextEditor?.document.uri.fsPath, out);
    const written = readFileSync(out, 'utf8');
    for (const name of steps) assert.ok(written.includes(`"${name}": {`), name);
    assert.ok(written.includes('{ "scores": "${steps.scores}", "count": "${count}" }'), `without ${removed.join()}`);
    assert.doesNotMatch(written, /since then/);
    assert.match(written, /"job": "eval",[^]*"remove": "\$\{steps\.pruned\.removed\}"/);
    await assert.rejects(run('saveAsRecipe', { checkpoint, out }), UserErrorLike);
    await assert.rejects(run('saveAsRecipe', { checkpoint, out: join(checkpoint, 'x.coppice.json') }), UserErrorLike);
    const chosen = inWorkspace('chosen.coppice.json');
    const one = await run<SavedFile>('saveAsRecipe', { checkpoint, out: chosen, runs: [basename(record!)] });
    assert.deepEqual(one.steps, ['scores']);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('measures the speed of the model and of its plan over batches', async () => {
    await run('suggestBlocks', { checkpoint, criterion: 'magnitude', count: 1 });
    const size = { batch: [1, 2], newTokens: [2], runs: 1, warmup: 0 };
    const { models } = await run<GridResult>('measureSpeed', { checkpoint, ...size });
    assert.deepEqual(
      models.map(({ removed, cells }) => [removed.length, cells.map(({ outcome }) => outcome)]),
      [0, 1].map((removed) => [removed, ['measured', 'measured']]),
    );
    const one = await run<SpeedsResult>('measureSpeed', { checkpoint, size: 'one' });
    assert.deepEqual(
      one.models.map(({ removed, decodeTokensPerSecond = 0 }) => [removed.length, decodeTokensPerSecond > 0]),
      [0, 1].map((removed) => [removed, true]),
    );
  });

  it('writes text, the same each time without sampling', async () => {
    const ask = { checkpoint, prompt: 'The old oak', maxNewTokens: 8, ignoreEos: true };
    const [one, two] = [await run<GenerateResult>('generateText', ask), await run<GenerateResult>('generateText', ask)];
    assert.equal(one.ids.length, 8);
    assert.deepEqual(two.ids, one.ids);
  });

  it('retrains what the plan leaves, lists the adapter, and merges it', async () => {
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    const out = inWorkspace('adapter');
    const trained = await run<RetrainResult>('retrainLora', {
      checkpoint,
      plan: true,
      data: [text],
      steps: 3,
      rank: 2,
      out,
      settings: { heal: 'none', batch: 2, length: 32 },
    });
    assert.equal(trained.steps, 3);
    assert.ok((await fileLines()).some(({ node }) => node.kind === 'adapter' && node.path === out));
    // The adapter alone says what lies below it; the plan is not asked about.
    const healed = await run<EvaluateResult>('evaluatePerplexity', { checkpoint, adapter: out, text, limit: 2 });
    assert.deepEqual(healed.removed, [4, 5]);
    const merged = await run<MergeResult>('mergeAdapter', { checkpoint, adapter: out, out: inWorkspace('healed') });
    assert.deepEqual(merged.removed, [4, 5]);
    assert.match(
      String((await checkpointLine(inWorkspace('healed'))).item.description),
      /^adapter merged · 6 of 8 blocks/,
    );
  });

  it('copies what was done as a command line', async () => {
    await run('evaluatePerplexity', { checkpoint, text, window: 32, limit: 2, remove: [4, '5.ffn'] });
    const line = await run<string>('copyCliCommand');
    assert.equal(line, `coppice eval ${checkpoint} --text ${text} --window 32 --limit 2 --remove 4,5.ffn --device cpu`);
    assert.equal(await vscode.env.clipboard.readText(), line);
  });

  it('exports the plan for an application, verifies it, and copies code that loads it', async () => {
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    const out = inWorkspace('application');
    const given = { checkpoint, format: 'onnx', type: ['fp32'], target: 'cpu', out };
    const exported = await run<ExportResult>('exportModel', given);
    assert.deepEqual([exported.format, exported.removed, exported.verified?.passed], ['onnx', [4, 5], true]);
    const verified = await run<VerifyResult>('verifyExport', { output: out, consumers: false });
    assert.deepEqual([verified.removed, verified.verified.passed], [[4, 5], true]);
    const library = 'onnxruntime-node';
    const code = await run<string>('copyLoadingCode', { checkpoint: out, library });
    assert.equal(await vscode.env.clipboard.readText(), code);
    assert.match(code, /application/);
  });

  it('exports the plan for mergekit and llama.cpp', async () => {
    await run('suggestBlocks', { checkpoint, criterion: 'ppl', count: 2 });
    const yaml = await run<string>('exportPlan', { checkpoint, format: 'mergekit' });
    assert.match(yaml, /layer_range: \[0, 4\]/);
    const line = await run<string>('exportPlan', { checkpoint, format: 'llama.cpp' });
    assert.match(line, /--prune-layers 4,5 /);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('shows jobs, and cancels one in the middle without leaving anything', async () => {
    const out = inWorkspace('never');
    const running = run('retrainLora', {
      checkpoint,
      data: [text],
      steps: 100_000,
      out,
      settings: { batch: 2, length: 32 },
    });
    const ended = assert.rejects(running, CancelledLike);
    await until('the job has made progress', async () => {
      const [job] = await run<JobInfo[]>('showJobs');
      return (job?.progress?.done ?? 0) > 0;
    });
    assert.equal(await run<boolean>('cancelJob'), true);
    await ended;
    assert.deepEqual(await run<JobInfo[]>('showJobs'), []);
    assert.ok(!existsSync(out));
    assert.ok(!(await fileLines()).some(({ node }) => node.kind === 'adapter' && node.path === out));
    assert.equal(await run<boolean>('cancelJob'), false);
  });

  it('queues a second job behind the first', async () => {
    const first = run('retrainLora', {
      checkpoint,
      data: [text],
      steps: 100_000,
      out: inWorkspace('first'),
      settings: { batch: 2, length: 32 },
    });
    const firstEnds = assert.rejects(first, CancelledLike);
    // It looks at its text before it is queued.
    await until('the first is listed', async () => (await run<JobInfo[]>('showJobs')).length === 1);
    const second = run<EvaluateResult>('evaluatePerplexity', { checkpoint, text, limit: 1 });
    await until('both are listed', async () => (await run<JobInfo[]>('showJobs')).length === 2);
    const [running, waiting] = await run<JobInfo[]>('showJobs');
    assert.deepEqual([running.kind, waiting.kind, waiting.state], ['retrain', 'eval', 'queued']);
    await run('cancelJob', { id: running.id });
    await firstEnds;
    assert.ok((await second).ppl > 1);
  });

  it('obeys settings that change', async () => {
    const { config } = await coppice();
    await setting('keep', '4');
    await setting('keepFirstAndLast', false);
    const { removed } = await run<Suggestion>('suggestBlocks', { checkpoint, criterion: 'deepest', count: 3 });
    assert.ok(!removed.includes(4));
    await assert.rejects(run('pruneCheckpoint', { checkpoint, blocks: [4], out: inWorkspace('no') }), UserErrorLike);
    await setting('discovery.exclude', ['**/shorter/**']);
    await until(
      'the folder is not listed',
      async () => !(await fileLines()).some(({ item }) => item.label === 'shorter'),
    );
    await setting('computeProcess.idleMinutes', 3);
    assert.equal(config.idleMs, 180_000);
    for (const key of ['keep', 'discovery.exclude', 'computeProcess.idleMinutes']) await setting(key, undefined);
    await setting('keepFirstAndLast', true);
  });
});

const hoverOf = ({ tooltip }: vscode.TreeItem): string =>
  (tooltip as vscode.MarkdownString).value.replaceAll('&nbsp;', ' ');

async function setting(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('coppice').update(key, value, vscode.ConfigurationTarget.Workspace);
}

/** Errors come out of the extension's bundle, whose classes are not those of the tests. */
const UserErrorLike = { name: new UserError('', '', '').name };
const CancelledLike = { name: new CancelledError().name };
