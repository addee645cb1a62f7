/** Charts of the results panel: what is comparable, exact numbers in files, older runs, trainings. */
import assert from 'node:assert/strict';
import type { CurveDigest, LiveTraining, PanelRun, PanelState, RunDigest } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, choose, lastFile, openPanel, type Panel, settled, update, exportAs } from './open';
import { EMPTY, FULL, planOf, RUNS, trainingSteps } from './recorded';

const runOf = (id: string, digest: Partial<RunDigest>, base = RUNS.at(-1)!): PanelRun => {
  const { kind, model, started, finished, device, inputs, settings, versions } = base.digest;
  const rest = { kind, model, started, finished, device, inputs, settings, versions, removed: [] };
  return { id, title: id, changed: [], digest: { ...rest, ...digest } };
};

const curveOf = (ppl: number, more: Partial<CurveDigest> = {}): CurveDigest => ({
  criterion: 'ppl',
  text: 'calibration.txt',
  rowsKey: 'rows-a',
  points: [0, 1, 2].map((count) => ({
    count,
    removed: [10, 11].slice(0, count),
    ppl: ppl * (1 + count / 10),
    parameters: 1e6,
  })),
  ...more,
});

const onCurve = (panel: Panel): Promise<string[]> =>
  panel.page.evaluate<string[]>(
    `[...document.querySelectorAll('.curve .target')].map((target) => target.getAttribute('aria-label'))`,
  );

describeBrowser('charts of the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('draws only what was measured on the same rows, and offers the others', async () => {
    const runs = [
      runOf('other', { curve: curveOf(700, { text: 'test.txt', rowsKey: 'rows-b' }) }),
      runOf('same', { curve: curveOf(30) }),
      runOf('healed', {
        removed: [10],
        retrained: [
          { label: 'here', removed: [10], ppl: 30.5, text: 'calibration.txt', rowsKey: 'rows-a' },
          { label: 'elsewhere', removed: [10], ppl: 699, text: 'calibration.txt', rowsKey: 'rows-b' },
        ],
      }),
    ];
    const whatIf = { ...FULL.whatIf, rowsKey: 'rows-a' };
    const text = { ...FULL.text!, rowsKey: 'rows-a' };
    const panel = await openPanel(browser(), { ...FULL, runs, whatIf, text });
    let labels = await onCurve(panel);
    assert.ok(labels.some((label) => /perplexity 30[, ]/.test(label)));
    assert.ok(labels.some((label) => label.startsWith('here, retrained')));
    assert.ok(!labels.some((label) => /perplexity [78]\d\d|elsewhere/.test(label)), 'of other rows');
    await choose(panel, 'curve', 'Text', 'test.txt');
    await settled(panel);
    labels = await onCurve(panel);
    assert.equal(labels.length, 4, 'three points, one that was retrained');
    assert.ok(labels.some((label) => label.startsWith('elsewhere, retrained')));
    assert.ok(labels.every((label) => !label.startsWith('This plan')));
    assert.match(labels[1], /perplexity 770 \(1.1× the original’s\)/);
    await panel.close();
  });

  it('says what each curve was computed in, and sets no number against one of another precision', async () => {
    const lacking = { removed: [10], text: 'calibration.txt', rowsKey: 'rows-a' };
    const runs = [
      runOf('half', { precision: 'float16', device: 'webgpu', curve: curveOf(40) }),
      runOf('exact', { device: 'cpu', curve: curveOf(30) }),
      runOf('int8', {
        device: 'cpu',
        precision: 'int8',
        removed: [10],
        retrained: [{ label: 'adapter-a', ppl: 31, ...lacking }],
      }),
    ];
    const whatIf = { ...FULL.whatIf, rowsKey: 'rows-a', full: 30 };
    const panel = await openPanel(browser(), { ...FULL, runs, whatIf, text: { ...FULL.text!, rowsKey: 'rows-a' } });
    const labels = await onCurve(panel);
    const tip = (start: string): string => labels.find((label) => label.startsWith(start)) ?? '';
    assert.match(tip('Perplexity in float16: 1 removed'), /perplexity 44 \(1\.1× the original’s\)/);
    assert.match(tip('Perplexity: 1 removed'), /perplexity 33 \(1\.1× the original’s\)/);
    assert.match(tip('adapter-a in int8, retrained'), /perplexity 31,/);
    const card = await panel.page.locator('.card.curve').innerText();
    assert.match(card, /Computed in float16 on webgpu, float32 on cpu\./);
    assert.match(card, /⚠ Computed in different precisions \(float16, float32, int8\)/);
    const list = await panel.page.locator('.card.runs table').innerText();
    assert.match(list, /float16 on webgpu[\s\S]*float32 on cpu[\s\S]*int8 per row on cpu/);
    await panel.close();
  });

  it('marks the quick numbers of a plan wherever they stand, until float32 replaces them, and moves nothing', async () => {
    const plan = planOf([14, 17, 18]);
    const quick = {
      ...FULL.whatIf,
      status: 'computing',
      removed: plan.removed,
      ppl: 41.3,
      kl: null,
      top1: null,
    } as const;
    const panel = await openPanel(browser(), { ...FULL, plan, whatIf: { ...quick, precision: 'int8' } });
    const text = (card: string): Promise<string> => panel.page.locator(card).first().innerText();
    const heights = (): Promise<number[]> =>
      panel.page.evaluate<number[]>(
        "[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().height)",
      );
    assert.match(await text('.figures'), /≈ 41\.3\s+in int8; float32 follows[\s\S]*–\s+Computing…/);
    assert.match(await text('.card.quality'), /≈ 41\.3 in int8\s+–\s+not measured\s+–/);
    assert.match(await panel.page.locator('.card.curve svg[role="group"]').innerHTML(), /plan ≈ 41\.3 in int8/);
    const before = await heights();
    await panel.post(update(1, { whatIf: { ...quick, precision: 'int8', readRows: 4 } }));
    await settled(panel);
    assert.match(await text('.figures'), /≈ 41\.3\s+int8, first 4 rows; float32 follows/);
    assert.deepEqual(await heights(), before);
    await panel.post(update(2, { whatIf: { ...quick, kl: 0.3, top1: 0.6, status: 'done' } }));
    await settled(panel);
    for (const card of ['.figures', '.card.quality']) assert.doesNotMatch(await text(card), /≈ 41|in int8/);
    assert.match(await panel.page.locator('.card.curve svg[role="group"]').innerHTML(), /plan 41\.3</);
    assert.deepEqual(await heights(), before);
    await panel.close();
  });

  it('keeps the focus on a point whose name has quotes', async () => {
    const retrained = [{ label: 'my "best"\\ adapter', removed: [10], ppl: 31, text: 'calibration.txt' }];
    const runs = [runOf('r', { retrained }), ...RUNS];
    const panel = await openPanel(browser(), { ...FULL, runs });
    await panel.page.locator('.curve .target[data-key*="best"]').focus();
    await panel.post(update(1, { whatIf: { ...FULL.whatIf, seconds: 2 } }));
    await settled(panel);
    assert.match(await panel.page.evaluate<string>('document.activeElement.dataset.key'), /my "best"/);
    await panel.close();
  });

  it('counts one of a thing as one', async () => {
    const [text] = RUNS.flatMap(({ digest }) => digest.samples?.texts ?? []);
    const one = { prompts: ['Once'], columns: ['Original'], texts: [{ ...text, tokens: 1 }] };
    const runs = [
      runOf('writes', { samples: one, settings: [['maxNewTokens', '1']] }),
      runOf('trains', { training: { output: 'a', steps: trainingSteps(1), evaluations: [] } }),
      runOf('curve', { curve: curveOf(30, { points: curveOf(30).points.slice(0, 2) }) }),
    ];
    const panel = await openPanel(browser(), { ...EMPTY, runs, model: { ...EMPTY.model, blocks: 1 } });
    const words = await panel.page.locator('#page').innerText();
    for (const expected of [
      /^1 block · /m,
      /\b1 text\b/,
      /\b1 step, loss/,
      /^1 token · /m,
      /up to 1 token\b/,
      /, you can remove 1 block before/,
    ])
      assert.match(words, expected);
    assert.doesNotMatch(words, /(?<![\d.])1 (blocks|texts|steps|tokens|runs|files)\b/);
    await panel.close();
  });

  it('exports numbers as they were measured', async () => {
    const panel = await openPanel(browser(), FULL);
    await exportAs(panel, 'Block importance', 'JSON');
    const rows = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    const scored = RUNS.flatMap(({ digest }) => digest.score ?? []).find(({ criterion }) => criterion === 'ppl')!;
    assert.equal(rows[0].Perplexity, scored.blocks[0].score);
    assert.equal(rows[0].Block, 0);
    await exportAs(panel, 'Retraining', 'CSV');
    const [, before, first] = lastFile(panel).text.split('\r\n');
    const [step] = trainingSteps(240);
    assert.equal(before, '0,,,,41', 'the evaluation before the first step');
    assert.equal(first, [1, step.loss, step.learningRate, step.tokensPerSecond, ''].join());
    await exportAs(panel, 'Perplexity curve', 'JSON');
    const points = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    assert.equal(points[0].Parameters, 134_515_008);
    await exportAs(panel, 'Size and speed', 'JSON');
    const costs = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    assert.equal(costs[0]['Peak memory, bytes'], 486_000_000);
    assert.equal(costs[1].Kind, 'this plan');
    assert.equal(costs[1]['Peak memory, bytes'], null);
    await exportAs(panel, 'Size and speed', 'CSV');
    assert.match(
      lastFile(panel).text,
      /^Model,Kind,Parameters,Bytes,.*\r\nHuggingFaceTB\/SmolLM2-135M,original,134515008,/,
    );
    await panel.close();
  });

  const rowsOfTable = (panel: Panel): Promise<string[]> =>
    panel.page.evaluate<string[]>(
      `[...document.querySelectorAll('.importance tr')].map((row) => [...row.children].map((cell) => cell.textContent).join('|'))`,
    );
  const whiskers = (panel: Panel): Promise<number> => panel.page.locator('.importance .whiskers line').count();
  const tipOf = (panel: Panel, block: number): Promise<string | null> =>
    panel.page.locator(`.importance .target[data-key="${block}"]`).getAttribute('aria-label');

  it('tells scores that were only screened from those in float32', async () => {
    const exact = { low: 25, high: 37, jointLow: 29, jointHigh: 33 };
    const blocks = [
      { index: 0, score: 40, low: 34, high: 46, jointLow: 39, jointHigh: 42, margin: 0.05 },
      { index: 1, score: 31, ...exact },
      { index: 2, score: 32, ...exact },
      { index: 3, score: 36, ...exact, margin: 0.021 },
    ];
    const screened = { criterion: 'ppl', full: 30, blocks, precision: 'mixed', screen: { exact: 2, margin: 0.021 } };
    const runs = [runOf('s', { score: screened })];
    for (const theme of ['dark', 'light'] as const) {
      const kept = { view: { tables: ['importance'] } };
      const panel = await openPanel(browser(), { ...EMPTY, runs }, { theme, kept });
      assert.deepEqual((await rowsOfTable(panel)).slice(0, 3), [
        'Block|Perplexity|× original|Precision|95 % low (paired)|95 % high (paired)|Rank|Plan',
        '0|40|1.33333|int8|39|42|4|protected',
        '1|31|1.03333|float32|29|33|1|protected',
      ]);
      assert.match((await tipOf(panel, 3))!, /screened in int8, within ±0\.021 nats/);
      assert.doesNotMatch((await tipOf(panel, 1))!, /screened/);
      assert.equal(await panel.page.locator('.importance .bars-screened rect').count(), 2);
      const words = await panel.page.locator('.importance').innerText();
      assert.match(
        words,
        /The 2 least important blocks were measured exactly \(float32\); the others are int8 estimates, within ±0\.021/,
      );
      assert.match(words, /Screened in int8/);
      await picture(panel.page, `panel-screened-${theme}`);
      await panel.close();
    }
  });

  it('tells scores that dropped out of a race', async () => {
    const blocks = [
      { index: 0, score: 40, jointLow: 35, jointHigh: 47, margin: 0.05, readRows: 2 },
      { index: 1, score: 31, low: 25, high: 37, jointLow: 29, jointHigh: 33 },
      { index: 2, score: 32, low: 25, high: 37, jointLow: 29, jointHigh: 34 },
      { index: 3, score: 36, jointLow: 34, jointHigh: 38, readRows: 4 },
    ];
    const race = { wanted: 2, confidence: 0.999 };
    const runs = [runOf('s', { score: { criterion: 'ppl', full: 30, blocks, race } })];
    for (const theme of ['dark', 'light'] as const) {
      const kept = { view: { tables: ['importance'] } };
      const panel = await openPanel(browser(), { ...EMPTY, runs }, { theme, kept });
      assert.deepEqual((await rowsOfTable(panel)).slice(0, 3), [
        'Block|Perplexity|× original|Precision|Rows read|95 % low (paired)|95 % high (paired)|Rank|Plan',
        '0|40|1.33333|int8|2|35|47|4|protected',
        '1|31|1.03333|float32|all|29|33|1|protected',
      ]);
      assert.match((await tipOf(panel, 3))!, /estimated from the first 4 rows/);
      assert.doesNotMatch((await tipOf(panel, 1))!, /estimated/);
      assert.equal(await panel.page.locator('.importance .bars-screened rect').count(), 2);
      const words = await panel.page.locator('.importance').innerText();
      assert.match(
        words,
        /2 blocks are estimates from some of the rows: with 99\.9 % certainty, they are not among the 2/,
      );
      assert.match(words, /Screened in int8, or on some of the rows/);
      await picture(panel.page, `panel-raced-${theme}`);
      await panel.close();
    }
  });

  it('says nothing where a block has no interval or no score', async () => {
    const blocks = [
      { index: 0, score: 40, low: 34, high: 46, jointLow: 39, jointHigh: 42 },
      { index: 1, score: 31, low: 25, high: 37, jointLow: 29, jointHigh: 33 },
      { index: 2, score: 41 },
    ];
    const runs = [runOf('s', { score: { criterion: 'ppl', full: 30, blocks } })];
    const panel = await openPanel(browser(), { ...EMPTY, runs }, { kept: { view: { tables: ['importance'] } } });
    assert.deepEqual((await rowsOfTable(panel)).slice(0, 5), [
      'Block|Perplexity|× original|95 % low (paired)|95 % high (paired)|Rank|Plan',
      '0|40|1.33333|39|42|2|protected',
      '1|31|1.03333|29|33|1|protected',
      '2|41|1.36667|–|–|3|protected',
      '3|–|–|–|–|–|protected',
    ]);
    assert.equal(await whiskers(panel), 2);
    assert.match(
      (await tipOf(panel, 0))!,
      /95 % interval 39 to 42, for all blocks at once, rank 2 of 3 \(1 = removed first\)/,
    );
    assert.match((await tipOf(panel, 1))!, /95 % interval 29 to 33, for all blocks at once, no measurable effect/);
    await panel.page.locator('.importance .legend').getByText('95 % interval of the difference').waitFor();
    await panel.close();
  });

  it('draws no whiskers of a record without paired intervals, and names the others', async () => {
    const runs = [
      runOf('s', { score: { criterion: 'ppl', full: 30, blocks: [{ index: 0, score: 40, low: 34, high: 46 }] } }),
    ];
    const panel = await openPanel(browser(), { ...EMPTY, runs }, { kept: { view: { tables: ['importance'] } } });
    assert.equal(await whiskers(panel), 0);
    assert.match((await tipOf(panel, 0))!, /95 % interval 34 to 46, across samples/);
    assert.match(
      (await rowsOfTable(panel))[0],
      /^Block\|Perplexity\|× original\|95 % low \(across samples\)\|95 % high \(across samples\)\|/,
    );
    await panel.close();
  });

  it('makes the table when it is opened, and keeps up with a training of 2,000 steps', async () => {
    const steps = trainingSteps(2000);
    const live: LiveTraining = { status: 'running', title: 'b', total: 4000, evaluations: [], steps };
    const panel = await openPanel(browser(), { ...EMPTY, training: live });
    assert.equal(await panel.page.locator('.training tbody tr').count(), 0);
    await panel.page.locator('.training summary').click();
    await settled(panel);
    assert.equal(await panel.page.locator('.training tbody tr').count(), 2000);
    const step = { ...steps[0], step: 2001 };
    await panel.post({ sequence: 1, type: 'training', steps: [step], evaluations: [] });
    await panel.page.locator('.training tbody tr').nth(2000).waitFor({ state: 'attached' });
    await exportAs(panel, 'Retraining', 'JSON');
    assert.equal(
      (JSON.parse(lastFile(panel).text) as unknown[]).length,
      2001,
      'what is drawn is thinned, not the file',
    );
    const points = await panel.page.evaluate<number>(
      `Math.max(...[...document.querySelectorAll('.training .charts path')].map((path) => path.getAttribute('d').split(/[LC]/).length))`,
    );
    assert.ok(points < 900, `${points} points`);
    await panel.close();
  });

  it('lays a run over another in every chart and the table', async () => {
    const second = runOf('older', {
      kind: 'retrain',
      training: { output: 'c', steps: trainingSteps(100), evaluations: [0, 100].map((step) => ({ step, ppl: 40 })) },
    });
    const panel = await openPanel(browser(), { ...FULL, runs: [...RUNS, second] });
    const dashed = panel.page.locator(
      '.training .charts [stroke-dasharray="6 3"] path, .training .charts path[stroke-dasharray="6 3"]',
    );
    assert.equal(await dashed.count(), 0);
    await choose(panel, 'training', 'Compare with', 'older');
    await panel.page.getByText('Comparison: older').waitFor();
    assert.equal(await dashed.count(), 2, 'loss, held-out perplexity');
    await exportAs(panel, 'Retraining', 'JSON');
    const rows = JSON.parse(lastFile(panel).text) as { Run: string }[];
    assert.equal(rows.filter(({ Run }) => Run === 'older').length, 101);
    await panel.close();
  });

  it('does not hide a training that begins behind one that was chosen', async () => {
    const chosen = RUNS.find(({ digest }) => digest.training)!;
    const panel = await openPanel(browser(), FULL, { kept: { view: { chosen: { training: chosen.id } } } });
    const steps = trainingSteps(5);
    const live: LiveTraining = { status: 'running', title: 'b', total: 60, evaluations: [], steps };
    await panel.post(update(1, { training: live }));
    await panel.page.getByText(/Running: step 5 of 60/).waitFor();
    await choose(panel, 'training', 'Run', 'Retrained: adapter-a');
    await panel.page.getByText('Another retraining is running.').waitFor();
    await button(panel, 'Show It').click();
    await panel.page.getByText(/Running: step 5 of 60/).waitFor();
    await panel.close();
  });

  it('offers to go on with a training that was stopped, where its state is kept', async () => {
    const live: LiveTraining = {
      status: 'cancelled',
      title: 'adapter-b',
      total: 6,
      evaluations: [{ step: 0, ppl: 57.57 }],
      steps: [],
      resumable: true,
    };
    const panel = await openPanel(browser(), { ...FULL, runs: [], training: live });
    await panel.page.getByText('The training stopped at step 0 of 6.').waitFor();
    await button(panel, 'Resume').click();
    assert.equal(panel.received('training/resume').length, 1);
    await panel.close();
  });

  it('says how a training ended that did not come to its end, and what can be done', async () => {
    const live: LiveTraining = {
      status: 'cancelled',
      title: 'adapter-b',
      total: 60,
      evaluations: [],
      steps: trainingSteps(30),
    };
    const panel = await openPanel(browser(), { ...FULL, training: live });
    await panel.page.getByText('The training stopped at step 30 of 60.').waitFor();
    assert.equal(await panel.page.getByText('Running now').count(), 0);
    assert.equal(
      await panel.page.locator('.training vscode-option').filter({ hasText: 'Stopped: adapter-b' }).count(),
      1,
    );
    assert.equal(await panel.page.locator('.training .chart-note vscode-button', { hasText: 'Resume' }).count(), 0);
    await panel.page.locator('.training .chart-note vscode-button', { hasText: 'Retrain…' }).click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'retrain' }]);
    const failure = { kind: 'user', what: 'The disk is full', why: 'nothing is left', action: 'Make room.' } as const;
    await panel.post(update(1, { training: { ...live, status: 'failed', failure } }));
    await panel.page
      .getByText(/The training failed at step 30 of 60\. The disk is full: nothing is left\. Make room\./)
      .waitFor();
    await panel.close();
  });

  it('switches the criterion, measures an adapter, and shows what a point is under the pointer', async () => {
    const runs = RUNS.filter(({ digest }) => digest.kind !== 'eval');
    const panel = await openPanel(browser(), { ...FULL, runs });
    const tip = panel.page.locator('.importance .tooltip');
    await panel.page.locator('.importance .target[data-key="14"]').hover();
    assert.match(await tip.innerText(), /^Block 14: perplexity without it/);
    await panel.page.mouse.move(0, 0);
    await panel.page.locator('.importance .tooltip.is-shown').waitFor({ state: 'detached' });
    await choose(panel, 'importance', 'Criterion', 'Magnitude');
    await panel.page.getByText(/^By magnitude, block/).waitFor();
    await button(panel, 'Measure adapter-a').click();
    assert.deepEqual(panel.received('start/retrained'), [{ type: 'start/retrained', adapter: 'adapter-a' }]);
    await panel.close();
  });

  it('shows an older run in its chart, says so, and leads back', async () => {
    const older = runOf('older-score', {
      score: { criterion: 'ppl', full: 99, blocks: [{ index: 3, score: 111 }] },
    });
    const state: PanelState = {
      ...FULL,
      runs: [...RUNS, older, runOf('older-curve', { curve: curveOf(77, { rowsKey: undefined }) })],
    };
    const panel = await openPanel(browser(), state);
    await button(panel, 'Show in Charts: older-score').click();
    await panel.page.getByText(/The original has perplexity 99/).waitFor();
    await panel.page
      .locator('.importance .chart-note')
      .getByText(/Selected: older-score/)
      .waitFor();
    assert.match(await panel.page.evaluate('document.activeElement.className'), /importance/);
    await button(panel, 'Show in Charts: older-curve').click();
    await settled(panel);
    assert.ok((await onCurve(panel)).some((label) => label.includes('perplexity 77')));
    assert.equal(await button(panel, 'Shown in Charts: older-score').count(), 1);
    await panel.page.locator('.importance').getByRole('button', { name: 'Show Newest' }).click();
    await panel.page.getByText(/The original has perplexity 30.52/).waitFor();
    await panel.page.locator('.curve').getByRole('button', { name: 'Show Newest' }).click();
    await settled(panel);
    assert.ok(!(await onCurve(panel)).some((label) => label.includes('perplexity 77')));
    await panel.close();
  });

  it('shows no run of another model in a chart', async () => {
    const foreign: PanelRun = { ...runOf('foreign', { curve: curveOf(5, { rowsKey: undefined }) }), foreign: true };
    const panel = await openPanel(browser(), { ...FULL, runs: [foreign, ...RUNS] });
    assert.ok(!(await onCurve(panel)).some((label) => label.includes('perplexity 5,')));
    assert.equal(await button(panel, 'Show in Charts: foreign').count(), 0);
    await panel.close();
  });

  it('does not move where motion is not wanted', async () => {
    const panel = await openPanel(browser(), FULL, { reducedMotion: 'reduce' });
    const moving = await panel.page.evaluate<string[]>(
      `[...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e); return s.animationName !== 'none' || s.transitionDuration !== '0s' && s.transitionProperty !== 'none'; }).map((e) => e.className)`,
    );
    assert.deepEqual(moving, []);
    await panel.close();
  });
});
