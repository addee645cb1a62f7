/** The results panel in a browser, against a host on record: every interaction, four themes, narrow and wide. */
import assert from 'node:assert/strict';
import { until } from '../../support/until';
import { full } from '../../support/shared';
import { describeBrowser } from '../support/browser';
import { buildPages, THEMES } from '../support/page';
import { picture } from '../support/picture';
import type { ViewState } from '../../../webview/panel/state/view-state';
import { exportAs, openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, planOf, RUNS, TEXTS, trainingSteps } from './recorded';

/** Pixels by which the page is too wide. */
const overflowOf = (panel: Panel): Promise<number> =>
  panel.page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const block = (panel: Panel, n: number) => panel.page.locator(`.importance .target[data-key="${n}"]`);

describeBrowser('results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('says ready, shows what init tells, and asks again when a message was lost', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.equal(panel.received('ready').length, 1);
    await panel.post(update(1, { plan: planOf([9]) }));
    await panel.page.getByText('without 9', { exact: true }).waitFor();
    await panel.post(update(3, { plan: planOf([9, 10]) })); // 2 is missing
    await until('the page asks again', () => panel.received('ready').length === 2);
    assert.equal(await panel.page.getByText('without 9–10', { exact: true }).count(), 0);
    await panel.post({ sequence: 0, type: 'init', state: { ...FULL, plan: planOf([9, 10]) } });
    await panel.page.getByText('without 9–10', { exact: true }).waitFor();
    await panel.close();
  });

  it('toggles blocks by click and keys, not locked ones, and says what each is', async () => {
    const panel = await openPanel(browser(), FULL);
    const label = await block(panel, 14).getAttribute('aria-label');
    assert.match(label!, /^Block 14: perplexity without it [\d.]+.*95 % interval.*will be removed$/);
    assert.equal(await block(panel, 14).getAttribute('aria-checked'), 'false');
    assert.equal(await block(panel, 13).getAttribute('aria-checked'), 'true');
    await block(panel, 12).click();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press(' ');
    await panel.page.keyboard.press('Home');
    await panel.page.keyboard.press('Enter');
    await block(panel, 5).click({ force: true }); // locked
    await settled(panel);
    const toggled = panel.received('plan/toggle').map((message) => message.block);
    assert.deepEqual(toggled, [12, 13, 0]);
    assert.match(await panel.page.locator('.importance .tooltip').innerText(), /Protected by the setting/);
    await panel.close();
  });

  it('keeps the focus on its block through a redraw', async () => {
    const panel = await openPanel(browser(), FULL);
    await block(panel, 20).focus();
    await panel.post(update(1, { plan: planOf([14, 17, 18, 20]) }));
    await panel.page.locator('.importance .target[data-key="20"][aria-checked="false"]').waitFor();
    assert.equal(await panel.page.evaluate('document.activeElement.dataset.key'), '20');
    await panel.close();
  });

  it('shows the perplexity of the plan as it comes, and undoes and redoes', async () => {
    const panel = await openPanel(browser(), FULL);
    await panel.post(
      update(1, { plan: planOf([3], { canRedo: true }), whatIf: { ...FULL.whatIf, status: 'computing' } }),
    );
    const figure = panel.page.locator('.figure-box.is-waiting').filter({ hasText: 'Computing…' });
    await figure.first().waitFor();
    assert.deepEqual(await figure.locator('strong').allTextContents(), ['–', '–'], 'not those of the plan before');
    await panel.post(update(2, { whatIf: { ...FULL.whatIf, removed: [3], ppl: 33.25, seconds: 0.4 } }));
    await panel.page.locator('.figure-box').filter({ hasText: '33.25' }).waitFor();
    assert.equal(await panel.page.locator('.curve .target[data-key^="plan-"]').count(), 1);
    await panel.page.getByRole('button', { name: 'Undo' }).click();
    await panel.page.getByRole('button', { name: 'Redo' }).click();
    await panel.page.getByRole('button', { name: 'Keep All Blocks' }).click();
    assert.equal(panel.received('plan/undo').length, 1);
    assert.equal(panel.received('plan/redo').length, 1);
    assert.deepEqual(panel.received('plan/set')[0].removed, []);
    await panel.close();
  });

  it('warns of a plan that removes what a suggestion would have kept', async () => {
    const panel = await openPanel(browser(), FULL);
    const warning = 'removes block 2, which is important (ppl 125)';
    await panel.post(update(1, { plan: planOf([2], { warning }) }));
    const note = panel.page.locator('.plan-note.is-warning');
    await note.getByText(`The plan ${warning}.`).waitFor();
    await panel.post(update(2, { plan: planOf([14]) }));
    await note.waitFor({ state: 'detached' });
    await panel.close();
  });

  it('makes a point of the curve the plan', async () => {
    const panel = await openPanel(browser(), FULL);
    const curve = RUNS.flatMap(({ digest }) => digest.curve ?? [])[0];
    await panel.page.locator('.curve .target').nth(4).focus();
    await panel.page.keyboard.press('Enter');
    await settled(panel);
    const [{ removed, criterion }] = panel.received('plan/set');
    assert.deepEqual([removed, criterion], [curve.points[4].removed, curve.criterion]);
    await panel.close();
  });

  it('draws a retraining while it runs', async () => {
    const steps = trainingSteps(60);
    const live = {
      status: 'running' as const,
      title: 'adapter-b',
      total: 60,
      steps: steps.slice(0, 10),
      evaluations: [],
    };
    const panel = await openPanel(browser(), { ...EMPTY, training: live });
    await panel.page.getByText(/Running: step 10 of 60/).waitFor();
    await panel.post({
      sequence: 1,
      type: 'training',
      steps: steps.slice(10, 30),
      evaluations: [{ step: 30, ppl: 21.5 }],
    });
    await panel.page.getByText(/Running: step 30 of 60/).waitFor();
    await panel.page.locator('.training svg[aria-label^="Held-out perplexity: 21.5"]').waitFor();
    await panel.post(update(2, { training: { ...live, status: 'cancelled', steps: steps.slice(0, 30) } }));
    await panel.page.getByText(/Stopped: step 30/).waitFor();
    await panel.close();
  });

  it('writes with the models that are ticked, and shows text as it comes', async () => {
    const panel = await openPanel(browser(), { ...EMPTY, plan: planOf([14]) });
    await panel.page.getByRole('button', { name: 'Add Model…' }).click();
    await panel.page.getByRole('menuitemcheckbox', { name: 'adapter-a' }).click();
    await panel.page.locator('.samples vscode-button', { hasText: 'Generate' }).click();
    const [asked] = panel.received('samples/write');
    assert.equal(asked.prompt, 'Once upon a time');
    assert.deepEqual(asked.columns, ['original', 'plan', 'adapter:a']);
    assert.deepEqual(asked.settings, { maxNewTokens: 64, chat: false, sampling: null });
    const fresh = {
      text: '',
      tokens: 0,
      timeToFirstToken: null,
      tokensPerSecond: null,
      repetition: null,
      stopped: null,
    };
    const writing = { ...TEXTS, status: 'queued' as const, texts: [fresh, fresh, fresh] };
    await panel.post(update(1, { writing }));
    const numbers = { tokens: 2, timeToFirstToken: 0.1, tokensPerSecond: 20, repetition: null, stopped: null };
    await panel.post({
      sequence: 2,
      type: 'text',
      pieces: [
        { column: 1, text: ', there' },
        { column: 1, text: ' was' },
      ],
      texts: [numbers, numbers, numbers],
    });
    await panel.page.locator('.sample').nth(1).getByText(', there was').waitFor();
    await panel.page.locator('.samples vscode-button', { hasText: 'Stop' }).click();
    assert.equal(panel.received('samples/stop').length, 1);
    await panel.close();
  });

  it('keeps a prompt, and forgets one that was kept', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const button = panel.page.locator('.prompt-list vscode-button');
    assert.notEqual(await button.getAttribute('disabled'), null, 'it is in the list already');
    await panel.page.locator('.prompt-row textarea').fill('My own words');
    await button.click();
    assert.deepEqual(panel.received('prompts/keep'), [{ type: 'prompts/keep', prompt: 'My own words' }]);
    await panel.post(update(1, { prompts: ['My own words', ...EMPTY.prompts], ownPrompts: ['My own words'] }));
    await button.getByText('Delete Prompt').waitFor();
    await button.click();
    assert.deepEqual(panel.received('prompts/forget'), [{ type: 'prompts/forget', prompt: 'My own words' }]);
    await panel.close();
  });

  it('takes what a model writes as text, whatever it is', async () => {
    const evil = '<img src=x onerror="parent.hacked=1"><script>parent.hacked=1</script><b>bold</b>';
    const writing = {
      ...TEXTS,
      prompt: evil,
      texts: TEXTS.texts.map((text) => ({ ...text, text: evil })),
      columns: [evil, evil, evil],
    };
    const run = { ...RUNS[1], title: evil, changed: [evil], unchecked: [evil] };
    const panel = await openPanel(browser(), {
      ...FULL,
      writing,
      runs: [...RUNS, { ...run, id: 'evil.json' }],
      prompts: [evil],
      model: { ...FULL.model, name: evil },
    });
    assert.equal(await panel.page.locator('.sample img, .sample script, .sample b, h1 b, .runs img').count(), 0);
    assert.ok((await panel.page.locator('.sample-text').first().innerText()).includes(evil));
    assert.equal(await panel.page.evaluate('window.hacked'), undefined);
    await panel.close();
  });

  it('marks differences on request, copies and exports', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.equal(await panel.page.locator('.sample mark').count(), 0);
    await panel.page.locator('vscode-checkbox', { hasText: 'Mark differences' }).click();
    await panel.page.locator('.sample').nth(1).locator('mark').first().waitFor();
    assert.equal(await panel.page.locator('.sample').nth(0).locator('mark').count(), 0);
    await panel.page.getByRole('button', { name: 'Copy this text' }).nth(2).click();
    assert.equal(panel.received('clipboard')[0].text, TEXTS.prompt + TEXTS.texts[2].text);
    await panel.page.getByRole('button', { name: 'Export these texts as JSON' }).click();
    const { content } = panel.received('file/save')[0];
    assert.ok('text' in content && content.text.includes(TEXTS.columns[2]));
    await panel.close();
  });

  it('exports a chart as SVG, PNG, CSV and JSON', async () => {
    const panel = await openPanel(browser(), FULL);
    for (const kind of ['SVG', 'PNG', 'CSV', 'JSON']) {
      await exportAs(panel, 'Block importance', kind);
    }
    await until('four files', () => panel.received('file/save').length === 4);
    const files = new Map(panel.received('file/save').map(({ name, content }) => [name, content]));
    const text = (name: string): string => (files.get(name) as { text: string }).text;
    assert.match(text('importance.svg'), /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.doesNotMatch(text('importance.svg'), /var\(--|color\(srgb|color-mix|class="target"/);
    const png = Buffer.from((files.get('importance.png') as { base64: string }).base64, 'base64');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.ok(png.length > 5000);
    assert.equal(text('importance.csv').trim().split('\r\n').length, 31);
    assert.equal((JSON.parse(text('importance.json')) as unknown[]).length, 30);
    await panel.close();
  });

  it('compares, reports and deletes the runs that are ticked', async () => {
    const panel = await openPanel(browser(), FULL);
    await panel.page.locator('.runs vscode-checkbox').nth(0).click();
    await panel.page.locator('.runs vscode-checkbox').nth(2).click();
    await panel.page.locator('.runs vscode-button', { hasText: 'Compare' }).click();
    assert.deepEqual(panel.received('runs/compare')[0].ids, ['run-0.json', 'run-2.json']);
    const rows = [{ group: 'settings' as const, name: 'rank', values: ['8', '16'], differs: true }];
    await panel.post(update(1, { comparison: { titles: ['a', 'b'], rows } }));
    await panel.page.getByText('≠ rank').waitFor();
    await panel.page
      .locator('.runs')
      .getByRole('button', { name: /one HTML page/ })
      .click();
    await panel.page.locator('.runs vscode-button', { hasText: 'Delete…' }).click();
    assert.equal(panel.received('runs/report').length, 1);
    assert.deepEqual(panel.received('runs/delete')[0].ids, ['run-0.json', 'run-2.json']);
    await panel.close();
  });

  it('keeps its choices when it is reloaded', async () => {
    const first = await openPanel(browser(), FULL);
    await first.page.locator('vscode-text-area').first().locator('textarea').fill('A prompt of my own');
    await first.page.locator('.importance summary').click();
    const keptView = (): Partial<ViewState> => (first.state as { view?: ViewState } | undefined)?.view ?? {};
    await until('the page keeps both', () => Boolean(keptView().prompt) && keptView().tables?.length === 1);
    const kept = first.state;
    await first.close();
    const again = await openPanel(browser(), FULL, { kept });
    assert.equal(await again.page.locator('vscode-text-area textarea').inputValue(), 'A prompt of my own');
    assert.equal(await again.page.locator('.importance details').getAttribute('open'), '');
    assert.equal(await again.page.locator('.importance details tbody tr').count(), 30);
    assert.equal((again.state as { checkpoint: string }).checkpoint, FULL.model.path);
    await again.close();
  });

  it('says what to do where nothing is known yet, and shows failures and jobs', async () => {
    const panel = await openPanel(browser(), EMPTY);
    await panel.page.locator('.dock').getByRole('button', { name: 'Score Blocks…' }).click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'score' }]);
    await panel.page.getByRole('button', { name: 'Draw Curve by perplexity' }).click();
    assert.equal(panel.received('start/curve')[0].criterion, 'ppl');
    const failure = {
      kind: 'user' as const,
      what: 'The text is too short',
      why: 'it has 3 tokens',
      action: 'Give a longer one.',
    };
    const progress = { label: 'block 4 of 30', done: 75, total: 7129, unit: 'row-blocks', secondsLeft: 280.2 };
    const job = { kind: 'score', word: 'Scoring', state: 'running' } as const;
    const jobs = [
      { id: 'job-1', ...job, progress },
      { id: 'job-2', ...job },
      { id: 'job-3', ...job, state: 'queued' as const },
    ];
    await panel.post(update(1, { failure, jobs }));
    await panel.page.getByText('Waiting for its turn').waitFor();
    const head = panel.page.locator('.next-job');
    assert.equal(await head.getAttribute('title'), 'Scoring: block 4 of 30 · 1 % · about 4:40 left');
    assert.deepEqual(await panel.page.locator('.job-text').allTextContents(), [
      'Scoring: Preparing…',
      'Scoring: Waiting for its turn',
    ]);
    await panel.page.getByRole('alert').getByText('it has 3 tokens').waitFor();
    await panel.page.getByRole('button', { name: 'Cancel' }).first().click();
    await panel.page.getByRole('button', { name: 'Dismiss' }).click();
    assert.deepEqual(panel.received('job/cancel'), [{ type: 'job/cancel', id: 'job-1' }]);
    assert.equal(panel.received('failure/dismiss').length, 1);
    await panel.close();
  });

  it('says that nothing is run in restricted mode, disables what would, and wakes up when the workspace is trusted', async () => {
    const starts = /^(Retrain…|Prune…|Score Blocks…|Draw Curve by .*|Measure .*|Generate|Regenerate|Try Next Seed)$/;
    const buttons = async (panel: Panel, disabled: boolean): Promise<string[]> => {
      const all = await panel.page.evaluate<[string, boolean][]>(
        `[...document.querySelectorAll('vscode-button')].map((made) => [made.textContent, made.hasAttribute('disabled')])`,
      );
      return all.filter(([name, off]) => starts.test(name) && off === disabled).map(([name]) => name);
    };
    const banner = (panel: Panel) => panel.page.getByText('Coppice runs nothing in Restricted Mode.');
    const unmeasured = { ...FULL, runs: RUNS.filter(({ digest }) => digest.kind !== 'eval') };
    for (const [state, count] of [
      [EMPTY, 5],
      [unmeasured, 4],
    ] as const) {
      const panel = await openPanel(browser(), { ...state, trusted: false });
      assert.equal(await banner(panel).isVisible(), true);
      assert.deepEqual(await buttons(panel, false), [], 'all are disabled');
      assert.ok((await buttons(panel, true)).length >= count);
      await panel.checkAccessibility();
      await panel.page.getByRole('button', { name: 'Manage Workspace Trust' }).click();
      assert.equal(panel.received('trust/manage').length, 1);
      await panel.page.locator('vscode-button', { hasText: 'Score Blocks…' }).first().click({ force: true });
      await panel.page.locator('.stepper').getByRole('button', { name: /Score/ }).click({ force: true });
      assert.deepEqual(panel.received('start'), []);
      await panel.post(update(1, { trusted: true }));
      await settled(panel);
      assert.equal(await banner(panel).isVisible(), false);
      const needing = ['Prune…', 'Try Next Seed', 'Measure Healed Plan']; // a plan, or a text
      const left = (await buttons(panel, true)).filter((name) => !needing.includes(name));
      assert.deepEqual(left, [], 'all are enabled');
      await panel.close();
    }
  });

  it('draws models of 128 blocks and infinite scores', async () => {
    const blocks = Array.from({ length: 128 }, (_, index) => ({
      index,
      score: index === 0 ? ('Infinity' as const) : 5 + (index % 7),
    }));
    const score = { criterion: 'ppl', full: 5, blocks };
    const runs = [{ ...RUNS[0], digest: { ...RUNS[0].digest, score } }];
    const panel = await openPanel(
      browser(),
      { ...EMPTY, runs, model: { ...EMPTY.model, blocks: 128 } },
      { width: 300 },
    );
    assert.equal(await panel.page.locator('.importance .target').count(), 128);
    assert.match((await block(panel, 0).getAttribute('aria-label'))!, /∞/);
    assert.equal(await overflowOf(panel), 0);
    await panel.close();
  });

  for (const theme of THEMES) {
    const wide = [
      ['full', FULL, 1280],
      ['empty', EMPTY, 900],
    ] as const;
    // A narrow panel has the colours of a wide one.
    const pages = theme === 'dark' || full ? ([...wide, ['narrow', FULL, 300]] as const) : wide;
    it(`has no accessibility violation in ${theme}, ${pages.map(([name]) => name).join(', ')}`, async () => {
      for (const [name, state, width] of pages) {
        const panel = await openPanel(browser(), state, { theme, width });
        await panel.checkAccessibility();
        assert.equal(await overflowOf(panel), 0);
        await picture(panel.page, `panel-${theme}-${name}`);
        await panel.close();
      }
    });
  }
});
