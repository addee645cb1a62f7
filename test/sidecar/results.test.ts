/** The host's side of the results panel with the real sidecar: score, what if, curve, retraining, samples, runs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PromptList } from '../../src/editors/results/prompts';
import type { ResultsSession } from '../../src/editors/results/session';
import type { PanelSettings } from '../../src/editors/results/services';
import type { Suggestion } from '../../src/engine/importance/choice';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import type { PanelState } from '../../src/protocol/panel';
import type { ViewPerplexityParams } from '../../src/protocol/short';
import { Plans } from '../../src/state/plan';
import { subjectOf } from '../../src/state/subject';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { newStore, ShownPanel } from './shown-panel';
import { describedClient } from './started';

describe('results session', function () {
  this.timeout(60_000);
  const { model, text } = material();
  const records = temporaryFolder();
  const client = describedClient();
  const calibration = { file: text, samples: 4, length: 24, seed: 1234 };
  const settings: PanelSettings = {
    compute: { device: 'cpu', threads: 1 },
    calibration,
    keepEnds: false,
    keep: '2',
    recordFolders: [records],
    inputFolders: [dirname(text)],
  };
  let current = settings;
  const adapters: string[] = [];
  const store = newStore();
  const plans = new Plans(newStore());
  const neighbours = () => ({ adapters, checkpoints: [model] });
  let panel: ShownPanel;
  let session: ResultsSession;

  const state = (): PanelState => panel.state;
  const becomes = (what: string, test: (state: PanelState) => boolean): Promise<void> => panel.becomes(what, test);

  /** Short requests of the session. */
  const requests: { readonly method: string; readonly params: unknown }[] = [];

  before(async () => {
    const real = client();
    const noted: typeof real.request = (method, params, signal) => {
      requests.push({ method, params });
      return real.request(method, params, signal);
    };
    const counting = Object.assign(Object.create(real) as typeof real, { request: noted });
    panel = await ShownPanel.open(model, { client: counting, settings: () => current, neighbours, plans, store });
    ({ session } = panel);
  });
  after(() => panel.close());

  it('shows the perplexity of a plan after every toggle, and undoes', async () => {
    await session.receive({ type: 'plan/toggle', block: 1 });
    await becomes('what if of block 1', ({ whatIf }) => whatIf.status === 'done' && whatIf.removed.join() === '1');
    const { full, ppl } = state().whatIf;
    assert.ok(typeof full === 'number' && typeof ppl === 'number' && full !== ppl);
    const [whole, without] = await Promise.all(
      [[], [1]].map((remove) =>
        client()
          .request('view/perplexity', { ...settings.compute, checkpoint: model, remove, calibration })
          .catch(() => undefined),
      ),
    );
    for (const [answer, expected] of [
      [whole, full],
      [without, ppl],
    ] as const)
      if (answer) assert.equal(answer.ppl, expected);
    assert.deepEqual(
      state().columns.map(({ label }) => label),
      ['Original', 'Without 1'],
    );
    await session.receive({ type: 'plan/undo' });
    assert.deepEqual(state().plan.removed, []);
    assert.equal(state().plan.canRedo, true);
    await session.receive({ type: 'plan/redo' });
    await becomes('the plan again', ({ plan, whatIf }) => plan.removed.join() === '1' && whatIf.status === 'done');
    assert.deepEqual(state().plan.locked, [2]);
  });

  it('posts the plan once for a click, and sends one request', async () => {
    const from = panel.messages.length;
    const sent = requests.length;
    await session.receive({ type: 'plan/toggle', block: 4 });
    await becomes('what if of block 4', ({ whatIf }) => whatIf.status === 'done' && whatIf.removed.includes(4));
    const changes = panel.messages.slice(from).map((message) => (message.type === 'update' ? message.changes : {}));
    assert.equal(changes.filter(({ plan }) => plan).length, 1);
    const statuses = changes.flatMap(({ whatIf }) => whatIf?.status ?? []);
    assert.deepEqual(
      statuses.filter((status, i) => status !== statuses[i - 1]),
      ['waiting', 'computing', 'done'],
    );
    const question = { ...settings.compute, checkpoint: model, remove: [1, 4], whole: undefined, calibration };
    // Where an answer takes a second, a quick one is asked for first.
    const asked = requests.slice(sent).filter(({ params }) => !(params as ViewPerplexityParams).quick);
    assert.deepEqual(
      asked.map(({ method, params }) => [method, params]),
      [['view/perplexity', question]],
    );
    await session.receive({ type: 'plan/set', removed: [1] });
    await becomes('the plan before', ({ whatIf }) => whatIf.status === 'done' && whatIf.removed.join() === '1');
  });

  it('measures the whole model and the first plan in one request', () => {
    const measured = requests.filter(({ method }) => method === 'view/perplexity');
    assert.deepEqual((measured[0].params as ViewPerplexityParams).whole, true);
    assert.ok(measured.slice(1).every(({ params }) => (params as ViewPerplexityParams).whole === undefined));
  });

  it('posts a plan that refuses a click, so that the panel shows it as it is', async () => {
    const { removed } = state().plan;
    const from = panel.messages.length;
    await session.receive({ type: 'plan/toggle', block: 99 });
    assert.deepEqual(state().plan.removed, removed);
    assert.deepEqual(
      panel.messages.slice(from).map((message) => message.type === 'update' && Object.keys(message.changes)),
      [['plan']],
    );
  });

  it('draws a curve, which leaves a record', async () => {
    await session.receive({ type: 'start/curve', criterion: 'magnitude' });
    const curve = state().runs[0].digest.curve!;
    assert.equal(curve.criterion, 'magnitude');
    assert.equal(curve.points[0].ppl, state().whatIf.full);
    assert.ok(curve.points.length > 2);
    assert.ok(
      curve.points.every(({ removed }) => !removed.includes(2)),
      'locked blocks stay',
    );
    assert.equal(readdirSync(records).length, 1);
  });

  it('follows a retraining, and evaluates what it made', async () => {
    const out = join(temporaryFolder(), 'adapter-a');
    const running = client().run({
      kind: 'retrain',
      checkpoint: model,
      remove: [1],
      heal: 'none',
      ...settings.compute,
      records: [records],
      out,
      rank: 2,
      data: [text],
      steps: 12,
      batch: 2,
      length: 24,
    });
    await running;
    await becomes('the training is done', ({ training }) => training?.status === 'done');
    assert.equal(state().training!.steps.length, 12);
    const healed = () => state().runs.flatMap(({ digest }) => digest.retrained ?? []);
    await becomes('a retrained point', () => healed().length === 1);
    const [{ label, removed, ppl, text: measured }] = healed();
    assert.deepEqual([label, removed, basename(measured)], ['adapter-a', [1], basename(text)]);
    const asked = { ...settings.compute, checkpoint: model, adapter: out, calibration };
    assert.equal(ppl, (await client().request('view/perplexity', asked)).ppl, 'measured as the what-if is');
    adapters.push(out);
    await session.refresh();
  });

  it('warns of a plan that removes what matters much by the scores that are shown', async () => {
    const { identity, architecture } = await openCheckpoint(model);
    const scored = (criterion: 'ppl' | 'magnitude', heavy: number): void => {
      const blocks = Array.from({ length: architecture!.layers.length }, (_, index) => ({
        index,
        score: index === heavy ? 125 : index / 10,
      }));
      const about = { model: { name: 'one', path: model, identity }, full: null, calibration: null };
      panel.scores.add(model, { criterion, blocks, ...about, seconds: 1, device: 'cpu', peakRssBytes: 1 }, null);
    };
    assert.deepEqual(state().plan.removed, [1]);
    assert.equal(state().plan.warning, null);
    scored('ppl', 1);
    assert.equal(state().plan.warning, 'removes block 1, which is important (ppl 125)');
    scored('magnitude', 0);
    assert.equal(state().plan.warning, null);
    panel.scores.show(model, 'ppl');
    assert.match(state().plan.warning!, /block 1/);
  });

  it('warns of runs whose text has changed since', async () => {
    const words = () => state().runs.flatMap(({ changed }) => changed);
    assert.deepEqual(words(), []);
    const before = readFileSync(text);
    writeFileSync(text, 'Another text.');
    await session.refresh();
    assert.deepEqual(new Set(words()), new Set([`${basename(text)} has changed since`]));
    assert.equal(words().length, 3, 'the curve, the retraining and its evaluation');
    current = { ...settings, inputFolders: [] };
    await session.refresh();
    assert.deepEqual(words(), [], 'outside of the folders that are the user’s nothing is opened');
    const unchecked = new Set(state().runs.flatMap((run) => run.unchecked ?? []));
    assert.match([...unchecked].join('\n'), new RegExp(`^${basename(text)} was not checked: it is outside`));
    current = settings;
    writeFileSync(text, before);
    await session.refresh();
    assert.deepEqual(words(), []);
  });

  it('keeps prompts and forgets them', async () => {
    const { length } = state().prompts;
    assert.ok(length > 0, 'some to start with');
    for (const prompt of ['A mill', 'A river', 'A mill', ' ', state().prompts[0]])
      await session.receive({ type: 'prompts/keep', prompt });
    assert.deepEqual(state().ownPrompts, ['A river', 'A mill']);
    assert.deepEqual(new PromptList(store).own.length, 2);
    await session.receive({ type: 'prompts/forget', prompt: 'A river' });
    assert.deepEqual(state().prompts[0], 'A mill');
    assert.equal(state().prompts.length, length + 1);
  });

  it('lets three models write at the same time', async () => {
    const ids = state().columns.map(({ id }) => id);
    assert.equal(ids.length, 3);
    const write = { prompt: 'The river', columns: ids, settings: { maxNewTokens: 24, chat: false, sampling: null } };
    await session.receive({ type: 'samples/write', ...write });
    const { writing, runs } = state();
    assert.equal(state().failure, null);
    assert.equal(writing?.status, 'done');
    assert.deepEqual(
      writing.texts.map(({ stopped }) => stopped !== null),
      [true, true, true],
    );
    assert.ok(panel.texts > 0, 'text came while it was written');
    assert.deepEqual(
      runs[0].digest.samples?.texts.map((each) => each.text),
      writing.texts.map((each) => each.text),
    );
  });

  it('takes a point of a curve for what its criterion chose', async () => {
    const point = state().runs.flatMap(({ digest }) => digest.curve ?? [])[0].points[1];
    const subject = subjectOf(model, await openCheckpoint(model))!;
    const before = plans.state(subject);
    await session.receive({ type: 'plan/set', removed: point.removed, criterion: 'magnitude' });
    const { criterion, blocks, calibration } = plans.choice(subject) as Suggestion;
    // Magnitude reads no text: the one that the curve was measured on has not chosen these blocks.
    assert.deepEqual([criterion, blocks, calibration], ['magnitude', point.removed, undefined]);
    plans.restore(subject, before);
  });

  it('brings back with undo and redo what had suggested the plan', async () => {
    const subject = subjectOf(model, await openCheckpoint(model))!;
    const before = plans.state(subject);
    plans.suggest(subject, { criterion: 'ppl', goal: { kind: 'count', count: 1 }, blocks: [4] });
    const suggested = plans.choice(subject);
    await session.receive({ type: 'plan/toggle', block: 5 });
    assert.deepEqual(plans.choice(subject), suggested);
    await session.receive({ type: 'plan/set', removed: [] });
    assert.equal(plans.choice(subject), 'hand');
    await session.receive({ type: 'plan/undo' });
    await session.receive({ type: 'plan/undo' });
    assert.deepEqual(plans.choice(subject), suggested);
    await session.receive({ type: 'plan/undo' });
    assert.deepEqual(plans.state(subject), before);
  });

  it('compares, reports and deletes runs', async () => {
    const ids = state().runs.map(({ id }) => id);
    assert.equal(ids.length, 4);
    await session.receive({ type: 'runs/compare', ids });
    assert.equal(state().comparison?.titles.length, 4);
    await session.receive({ type: 'runs/report', ids });
    await session.receive({ type: 'runs/card', ids });
    assert.match(panel.saved[0].text, /^<!DOCTYPE html>/);
    assert.match(panel.saved[1].text, /^## How /);
    // Nothing is proposed to be written into a model that Coppice has not made.
    assert.deepEqual([panel.saved[1].name, panel.saved[1].folder], ['MODEL_CARD.md', undefined]);
    await session.receive({ type: 'runs/recipe', ids });
    await session.receive({ type: 'runs/recipe', ids: [] });
    assert.deepEqual(panel.recipes, [ids, undefined]);
    await panel.session.receive({ type: 'start/vocabulary', run: ids[0], min: 5 });
    assert.deepEqual(panel.trimmed, [{ run: ids[0], min: 5 }]);
    const out = join(temporaryFolder(), 'pruned');
    await client().run({ kind: 'prune', checkpoint: model, blocks: [4], out });
    const pruned = await ShownPanel.open(out, { client: client(), settings: () => current, neighbours });
    await pruned.session.receive({ type: 'runs/card', ids: [] });
    assert.deepEqual([pruned.saved[0].name, pruned.saved[0].folder], ['MODEL_CARD.md', out]);
    pruned.close();
    await session.receive({ type: 'runs/delete', ids });
    assert.deepEqual(state().runs, []);
    assert.deepEqual(readdirSync(records), []);
  });

  it('shows what failed, once and with what to do', async () => {
    current = { ...settings, calibration: { ...calibration, file: join(records, 'gone.txt') } };
    session.settingsChanged();
    await session.receive({ type: 'start/curve', criterion: 'magnitude' });
    assert.match(state().failure!.what, /gone\.txt/);
    await session.receive({ type: 'plan/toggle', block: 3 });
    await becomes('a what-if that failed', ({ whatIf }) => whatIf.status === 'failed');
    await session.receive({ type: 'failure/dismiss' });
    assert.equal(state().failure, null);
  });
});
