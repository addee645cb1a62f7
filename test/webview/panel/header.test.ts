/** The head of the panel: the goal and the verdict, the steps and the one primary button, and the blocks as a control. */
import assert from 'node:assert/strict';
import { type Journey, type NextAction, type ShipGoal, STEPS } from '../../../src/protocol/journey';
import type { PanelJob, PanelState } from '../../../src/protocol/panel';
import { full } from '../../support/shared';
import { describeBrowser } from '../support/browser';
import { buildPages, TWO_THEMES } from '../support/page';
import { picture } from '../support/picture';
import { button, openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, NOTHING, planOf } from './recorded';

const GOAL: ShipGoal = { format: 'gguf', type: 'q8_0', maxBytes: 120e6, maxRatio: 1.3 };

/** The journey at a step, of a model of this size and perplexity. */
function journey(step: number, next: NextAction, bytes: number | null = null, ratio: number | null = null): Journey {
  const met = (value: number | null, limit: number): boolean | null => (value === null ? null : value <= limit);
  const verdicts = [met(bytes, GOAL.maxBytes!), met(ratio, GOAL.maxRatio!)];
  return {
    goal: GOAL,
    steps: STEPS.map((name, i) => ({ name, state: i < step ? 'done' : i === step ? 'next' : 'later' })),
    next,
    skippable: next.action === 'retrain',
    instead: null,
    judgeable: false,
    verdict: {
      meets: verdicts.includes(false) ? 'no' : verdicts.includes(null) ? 'unknown' : 'yes',
      bytes: { value: bytes, limit: GOAL.maxBytes!, met: verdicts[0] },
      ratio: { value: ratio, limit: GOAL.maxRatio!, met: verdicts[1] },
      ...{ planned: false, byBits: false, flatters: false, repeats: false },
      ...{ repetition: NOTHING, same: NOTHING, probeLoss: NOTHING },
    },
  };
}

/** The head of the page, which stays in sight in part. */
const HEAD = '.plan, .dock';

const cell = (panel: Panel, block: number) => panel.page.locator(`.block-cell[data-block="${block}"]`);
const words = async (panel: Panel, selector: string): Promise<string> =>
  (await panel.page.locator(selector).innerText()).replace(/\s+/g, ' ').trim();
/** What the primary buttons say. */
const primaries = ({ page }: Panel): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll('[appearance="primary"]')].filter((made) => !made.closest('[role="dialog"]')).map((made) => made.textContent)`,
  );

const WAYS: readonly (readonly [NextAction, string, Partial<PanelState>])[] = [
  [{ action: 'score' }, 'Score Blocks…', {}],
  [{ action: 'suggest' }, 'Suggest Blocks…', { runs: FULL.runs }],
  [{ action: 'prune' }, 'Prune…', FULL],
  [{ action: 'retrain' }, 'Retrain…', {}],
  [{ action: 'merge', adapter: 'adapter-a' }, 'Merge LoRA Adapter…', {}],
  [{ action: 'export' }, 'Export…', {}],
  [{ action: 'compare' }, 'Compare with the Original…', {}],
  [{ action: 'beforeAfter' }, 'Before and After', {}],
];

describeBrowser('head of the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('has one primary button in every state, which starts what comes next and says how long it takes', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const times = Object.fromEntries(WAYS.map(([{ action }], i) => [action, `about ${i + 1}:00`]));
    let sequence = 0;
    for (const [i, [next, label, changes]] of WAYS.entries()) {
      await panel.post(update(++sequence, { ...EMPTY, ...changes, times, journey: journey(i, next) }));
      await settled(panel);
      assert.deepEqual(await primaries(panel), [label]);
      assert.match(await words(panel, '.next'), new RegExp(`about ${i + 1}:00`));
      await panel.page.locator('.next vscode-button').first().click();
      assert.deepEqual(panel.received('start').at(-1), { type: 'start', ...next });
      assert.equal(await button(panel, 'Skip').count(), next.action === 'retrain' ? 1 : 0);
      if (next.action === 'retrain') await button(panel, 'Skip').click();
    }
    assert.deepEqual(panel.received('journey/skip'), [{ type: 'journey/skip', step: 'retrain' }]);
    const open = { action: 'open', path: '/models/small', name: 'small' } as const;
    await panel.post(update(++sequence, { journey: journey(3, open) }));
    await button(panel, 'Open small').click();
    assert.equal(panel.received('kin/open')[0].path, '/models/small');
    await panel.post(update(sequence + 1, { trusted: false }));
    await settled(panel);
    assert.deepEqual(await primaries(panel), ['Manage Workspace Trust']);
    await panel.close();
  });

  it('shows the job that is the next step in the place of its button, with Cancel, until it has ended', async () => {
    const times = { score: 'about 2:00' };
    const panel = await openPanel(browser(), { ...EMPTY, times });
    const chip = await words(panel, '.text-chip');
    const scoring = panel.page.getByRole('button', { name: 'Score Blocks…' });
    assert.equal(await scoring.count(), 2, 'in the head and in a card');
    const height = async (): Promise<number> => (await panel.page.locator('.next').boundingBox())!.height;
    const before = await height();
    const job: PanelJob = { id: 'j', kind: 'score', word: 'Scoring', state: 'running', text: 'story.txt · 10×128' };
    const progress = { label: 'block 4 of 30', done: 75, total: 7129, unit: 'row-blocks', secondsLeft: 280.2 };
    const other: PanelJob = { id: 'k', kind: 'speeds', word: 'Measuring speed', state: 'queued' };
    await panel.post(update(1, { jobs: [{ ...job, progress }, other] }));
    await settled(panel);
    assert.deepEqual(await primaries(panel), []);
    assert.equal(await scoring.count(), 0);
    assert.equal(await words(panel, '.next'), 'block 4 of 30 Cancel 1 % · about 4:40 left');
    assert.ok((await panel.page.locator('.next progress').getAttribute('value'))!.startsWith('0.0105'));
    assert.equal(await height(), before);
    assert.equal(await words(panel, '.text-chip'), 'Text: story.txt · 10×128');
    assert.match(await words(panel, '.importance .empty-line'), /^The blocks are being scored\./);
    assert.equal(await panel.page.locator('.stepper .step').first().isDisabled(), true);
    const below = await panel.page.locator('.jobs .job-text').allTextContents();
    assert.deepEqual(below, ['Measuring speed: Waiting for its turn'], 'it stands once on the page');
    await panel.checkAccessibility(HEAD);
    await panel.page.locator('.next').getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(panel.received('job/cancel'), [{ type: 'job/cancel', id: 'j' }]);
    await panel.post(update(2, { jobs: [other] }));
    await settled(panel);
    assert.deepEqual(await primaries(panel), ['Score Blocks…']);
    assert.equal(await scoring.count(), 2);
    assert.equal(await words(panel, '.next'), 'Score Blocks… about 2:00');
    assert.equal(await words(panel, '.text-chip'), chip);
    await panel.close();
  });

  it('shows a comparison in the place of its button, whatever comes next meanwhile', async () => {
    const compared = { action: 'code' } as const;
    const panel = await openPanel(browser(), { ...EMPTY, journey: journey(5, { action: 'compare' }) });
    const progress = { label: 'speed, 2 of 3 · round 4', done: 1.25, total: 3, unit: 'share' };
    const job: PanelJob = { id: 'together-1', kind: 'compare', word: 'Comparing', state: 'running', progress };
    for (const [i, next] of ([{ action: 'compare' }, compared] as const).entries()) {
      await panel.post(update(i + 1, { jobs: [job], journey: journey(5, next) }));
      await settled(panel);
      assert.deepEqual(await primaries(panel), []);
      assert.equal(await words(panel, '.next'), 'speed, 2 of 3 · round 4 Cancel 41 %');
      assert.equal(await panel.page.locator('.stepper .step').last().isDisabled(), true);
      assert.deepEqual(await panel.page.locator('.jobs .job-text').allTextContents(), []);
    }
    await panel.page.locator('.next').getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(panel.received('job/cancel'), [{ type: 'job/cancel', id: 'together-1' }]);
    await panel.post(update(3, { jobs: [] }));
    await settled(panel);
    assert.deepEqual(await primaries(panel), ['Copy Code to Load It']);
    await panel.close();
  });

  it('figures have the size of the goal, as the verdict, or say that theirs is another', async () => {
    const panel = await openPanel(browser(), FULL);
    const plain = await words(panel, '.figures');
    assert.doesNotMatch(plain, / as GGUF| as stored/);
    const sizes = async (): Promise<string[]> =>
      Promise.all(['.figures', '.verdict', '.minis'].map((place) => panel.page.locator(place).innerText()));
    await panel.post(update(1, { journey: journey(2, { action: 'prune' }, 111.3e6, 1.21) }));
    await settled(panel);
    const [figures, verdict] = await sizes();
    assert.match(figures, /111\.3 MB as GGUF q8_0/);
    assert.match(verdict, /Size 111\.3 MB/);
    assert.match((await panel.page.locator('.minis').textContent()) ?? '', /111\.3 MB\s*size/);
    await panel.post(update(2, { journey: journey(2, { action: 'prune' }) }));
    await settled(panel);
    assert.match((await sizes())[0], /MB as stored/);
    await panel.close();
  });

  it('says whether the model meets the goal, and what misses', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.match(await words(panel, '.verdict'), /^No goal yet/);
    await button(panel, /^Set Goal…/).click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'goal' }]);
    const next = { action: 'prune' } as const;
    await panel.post(update(1, { journey: journey(2, next, 131.2e6, 1.21) }));
    await settled(panel);
    assert.match(
      await words(panel, '.verdict'),
      /^Misses the goal Size 131\.2 MB \(limit 120\.0 MB\) , missed Perplexity 1\.21× \(limit 1\.3×\) , met$/,
    );
    assert.match(await words(panel, '.goal-chip'), /^Goal: GGUF q8_0, ≤ 120\.0 MB, ≤ 1\.3×$/);
    await panel.post(update(2, { journey: journey(2, next, 111e6, 1.21) }));
    await settled(panel);
    assert.match(await words(panel, '.verdict'), /^Meets the goal Size/);
    await panel.post(update(3, { journey: journey(2, next, 111e6) }));
    await settled(panel);
    assert.match(await words(panel, '.verdict'), /^Not decided .* Perplexity not measured yet \(limit 1\.3×\)$/);
    await panel.close();
  });

  it('decides nothing by a text that chose the blocks, says so beside the number, and has the way out', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const shown = journey(2, { action: 'prune' }, 111e6, 1.04);
    const { verdict } = shown;
    const goal: ShipGoal = { ...GOAL, maxRepetition: 0.1, minSame: 0.8 };
    const doubted = { ...verdict, meets: 'unknown', planned: true, flatters: true } as const;
    const ratio = { ...verdict.ratio, met: null };
    await panel.post(update(1, { journey: { ...shown, goal, judgeable: true, verdict: { ...doubted, ratio } } }));
    await settled(panel);
    assert.match(
      await words(panel, '.verdict'),
      /^Not decided Size 111\.0 MB .* met Perplexity 1\.04× \(limit 1\.3×\) on a text that chose or fitted it Judge on Another Text$/,
    );
    assert.match(await words(panel, '.goal-chip'), /≤ 1\.3×, repetition ≤ \+10 points, ≥ 80 % same tokens$/);
    await button(panel, 'Judge on Another Text').click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'judge' });
    await panel.checkAccessibility(HEAD);
    const repetition = { value: 0.24, limit: 0.1, met: false };
    const same = { value: 0.83, limit: 0.8, met: true };
    await panel.post(
      update(2, { journey: { ...shown, goal, verdict: { ...verdict, meets: 'no', repetition, same } } }),
    );
    await settled(panel);
    assert.match(
      await words(panel, '.verdict'),
      /^Misses the goal .* Repetition \+24 points \(limit \+10 points\) , missed Same next tokens 83 % \(limit 80 %\) , met$/,
    );
    await panel.post(update(3, { journey: { ...shown, verdict: { ...verdict, planned: true } } }));
    await settled(panel);
    assert.match(await words(panel, '.verdict'), /^The plan fits the goal /);
    await panel.close();
  });

  it('shows where one is on the way, and starts a step out of turn', async () => {
    const panel = await openPanel(browser(), { ...FULL, journey: journey(2, { action: 'prune' }) });
    const steps = panel.page.locator('.stepper .step');
    const names = (await steps.allTextContents()).map((name) => name.replace(/^\d/, ''));
    assert.deepEqual(names, [
      'Score, done',
      'Plan, done',
      'Prune, next',
      'Retrain, later',
      'Export, later',
      'Compare, later',
    ]);
    assert.equal(await steps.nth(2).getAttribute('aria-current'), 'step');
    for (let i = 0; i < 6; i++) await steps.nth(i).click();
    const started = panel.received('start').map(({ action }) => action);
    assert.deepEqual(started, ['score', 'suggest', 'prune', 'retrain', 'export', 'compare']);
    await panel.post(update(1, { plan: planOf([]) }));
    await settled(panel);
    assert.equal(await steps.nth(2).isDisabled(), true, 'there is nothing to prune');
    await panel.close();
  });

  it('keeps what was skipped at hand where the goal is missed, and starts nothing once the files are gone', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const missed = { ...journey(4, { action: 'export' }, 111e6, 1.74), instead: 'retrain' as const };
    await panel.post(update(1, { journey: missed }));
    await button(panel, 'Retrain…').first().click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'retrain' }]);
    await panel.post(update(2, { missing: true }));
    await settled(panel);
    assert.match(await words(panel, '.banner'), /^The files of this model were moved or deleted\./);
    assert.notEqual(await panel.page.locator('.next vscode-button').first().getAttribute('disabled'), null);
    await panel.close();
  });

  it('takes blocks out of the plan in the strip, one by one or a range at once', async () => {
    const panel = await openPanel(browser(), FULL);
    const { keyboard } = panel.page;
    assert.match((await cell(panel, 14).getAttribute('aria-label'))!, /^Block 14, .* rank \d+ of 30 .*, removed$/);
    assert.match((await cell(panel, 5).getAttribute('aria-label'))!, /protected by a setting$/);
    await cell(panel, 12).click();
    await cell(panel, 5).click({ force: true }); // locked
    assert.deepEqual(
      panel.received('plan/toggle').map(({ block }) => block),
      [12],
    );
    await cell(panel, 12).focus();
    await keyboard.press('ArrowRight');
    await keyboard.press('x');
    await keyboard.press('End');
    await keyboard.press(' ');
    await settled(panel);
    assert.deepEqual(
      panel.received('plan/toggle').map(({ block }) => block),
      [12, 13, 29],
    );
    await cell(panel, 4).click();
    await cell(panel, 8).click({ modifiers: ['Shift'] });
    await settled(panel);
    assert.deepEqual(panel.received('plan/set').at(-1)!.removed, [4, 6, 7, 8, 14, 17, 18], 'block 5 is locked');
    await cell(panel, 20).hover();
    await panel.page.mouse.down();
    await cell(panel, 22).hover();
    await panel.page.mouse.up();
    await settled(panel);
    assert.deepEqual(panel.received('plan/set').at(-1)!.removed, [14, 17, 18, 20, 21, 22]);
    await cell(panel, 17).focus();
    await keyboard.press('Home');
    await keyboard.press('End');
    for (let i = 0; i < 12; i++) await keyboard.press('ArrowLeft');
    await keyboard.press('Shift+ArrowRight');
    await keyboard.press('Space');
    await settled(panel);
    assert.deepEqual(panel.received('plan/set').at(-1)!.removed, [14], '17 and 18 are kept');
    assert.equal(panel.received('plan/set').length, 3);
    await cell(panel, 14).hover();
    assert.match(
      await words(panel, '.block-map .tooltip'),
      /^Block 14 Perplexity [\d.]+ rank .* Click or press Space to keep$/,
    );
    await panel.close();
  });

  it('keeps figures, blocks and the primary button in one row of 56 px, also on a narrow page', async () => {
    for (const width of [1280, 480]) {
      const time = 'roughly 65 min to 4 h (a guess)';
      const state = { ...FULL, times: { prune: time }, journey: journey(2, { action: 'prune' }) };
      const panel = await openPanel(browser(), state, { width });
      // A long time stays on its line, and its title has all of it.
      const shown = panel.page.locator('.next-detail > .time');
      assert.equal(await shown.getAttribute('title'), time);
      assert.ok((await shown.boundingBox())!.height <= 18);
      assert.equal(await panel.page.locator('.mini').first().isVisible(), false);
      await panel.page.locator('.card.runs').scrollIntoViewIfNeeded();
      await panel.page.locator('.mini').first().waitFor();
      const { y, height } = (await panel.page.locator('.dock').boundingBox())!;
      assert.deepEqual([y, height], [0, 56]);
      assert.match(await words(panel, '.minis'), /27\/30 .*47\.61/);
      for (const part of ['.minis', '.block-map-cells', '.next']) {
        const box = (await panel.page.locator(part).boundingBox())!;
        assert.ok(box.y >= 0 && box.y + box.height <= 56, `${width}: ${part} from ${box.y}, ${box.height} high`);
        assert.ok(box.x + box.width <= width && box.width > 40, `${width}: ${part} ends at ${box.x + box.width}`);
      }
      await cell(panel, 10).click();
      await button(panel, 'Prune…').click();
      assert.equal(panel.received('plan/toggle')[0].block, 10);
      assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'prune' }]);
      await panel.close();
    }
  });

  it('compares plans with a name, uses and forgets them, and keeps the current one', async () => {
    const namedPlans = [
      { name: 'careful', removed: [14, 17, 18], ppl: 47.61 },
      { name: 'half size', removed: [4, 13, 14, 16, 17, 18, 20, 22], ppl: null },
    ];
    const panel = await openPanel(browser(), { ...FULL, namedPlans });
    await button(panel, 'Plans (2)').click();
    const rows = (await panel.page.locator('.plans tbody tr').allInnerTexts()).map((row) => row.replace(/\s+/g, ' '));
    assert.match(rows[0], /^careful ?this plan 3 92 % 47\.61 \(1\.56×\)/);
    assert.match(rows[1], /^half size 8 79 % –/);
    await panel.checkAccessibility(HEAD);
    await button(panel, 'half size').click();
    await button(panel, 'Forget the plan half size').click();
    await button(panel, 'Save This Plan…').click();
    assert.equal(panel.received('plan/use')[0].name, 'half size');
    assert.equal(panel.received('plan/forget')[0].name, 'half size');
    assert.equal(panel.received('plan/keep').length, 1);
    await button(panel, 'Plans (2)').click();
    await panel.page.keyboard.press('Escape');
    assert.equal(await panel.page.locator('.plans').isVisible(), false);
    await panel.close();
  });

  for (const width of full ? [1280, 700, 402, 300] : [1280, 300])
    it(`moves nothing when the verdict, the next step and times come, at ${width} px`, async () => {
      const whatIf = { ...FULL.whatIf, ppl: null, status: 'computing' as const };
      const first = journey(2, { action: 'prune' });
      const panel = await openPanel(browser(), { ...FULL, whatIf, journey: first }, { width });
      const places = (): Promise<unknown> =>
        panel.page.evaluate(`Object.fromEntries([...document.querySelectorAll(
          '.plan, .chips, .verdict, .stepper, .step, .dock, .block-map, .block-cell, .history, .next, .figures, .figure-box, .plan-actions, .cards, .card')]
          .map((element, i) => [i + ' ' + element.getAttribute('class').split(' ')[0], ['left', 'top', 'width'].map((side) => Math.round(10 * element.getBoundingClientRect()[side]) / 10)]))`);
      const before = await places();
      let sequence = 0;
      for (const changes of [
        { journey: journey(2, { action: 'prune' }, 131.2e6) },
        { whatIf: FULL.whatIf, journey: journey(2, { action: 'prune' }, 131.2e6, 1.56) },
        { times: { prune: 'about 0:05', score: 'about 2:00', retrain: 'about 1:25:00' } },
        { journey: journey(3, { action: 'retrain' }, 99e6, 1.2) },
        { journey: journey(5, { action: 'compare' }, 99e6, 1.2), times: {} },
      ] satisfies Partial<PanelState>[]) {
        await panel.post(update(++sequence, changes));
        await settled(panel);
        assert.deepEqual(await places(), before, JSON.stringify(changes).slice(0, 90));
      }
      await panel.close();
    });

  for (const theme of TWO_THEMES)
    it(`has no accessibility violation with a goal in ${theme}, wide and narrow`, async () => {
      const namedPlans = [{ name: 'careful', removed: [14, 17], ppl: 38.2 }];
      for (const [name, width, state] of [
        ['missed', 1280, journey(2, { action: 'prune' }, 131.2e6, 1.56)],
        ['met', 480, journey(5, { action: 'compare' }, 99e6, 1.2)],
      ] as const) {
        const times = { prune: 'about 0:05', compare: 'about 1:30' };
        const panel = await openPanel(browser(), { ...FULL, namedPlans, times, journey: state }, { theme, width });
        await panel.checkAccessibility(HEAD);
        await picture(panel.page, `panel-head-${theme}-${name}`);
        await panel.close();
      }
    });
});
