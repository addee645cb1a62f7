/** The card of a retraining: an axis that does not exaggerate, the models that it lies between, time, and figures that stay. */
import assert from 'node:assert/strict';
import type { LiveTraining, PanelJob, PanelRun } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages, TWO_THEMES } from '../support/page';
import { picture } from '../support/picture';
import { openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, RUNS, trainingSteps } from './recorded';

const live = (done: number, changes: Partial<LiveTraining> = {}): LiveTraining => ({
  status: 'running',
  title: 'adapter-b',
  total: 60,
  steps: trainingSteps(60).slice(0, done),
  evaluations: [{ step: 0, ppl: 41 }],
  ...changes,
});

const job = (secondsLeft?: number): PanelJob => ({
  id: '1',
  kind: 'retrain',
  word: 'Retraining',
  state: 'running',
  progress: { label: 'step', done: 1, total: 60, unit: 'share', ...(secondsLeft !== undefined && { secondsLeft }) },
});

const figures = async ({ page }: Panel): Promise<string> =>
  (await page.locator('.training .card-figures').innerText()).replace(/\s+/g, ' ');

/** The numbers beside the axis of losses. */
const ticks = ({ page }: Panel): Promise<number[]> =>
  page.evaluate(`[...document.querySelectorAll('.training .charts svg:first-child text')]
    .filter((text) => text.getAttribute('y') !== null || /^[\\d.]+$/.test(text.textContent))
    .filter((text) => text.getBoundingClientRect().left < document.querySelector('.training .charts').getBoundingClientRect().left + 54)
    .map((text) => Number(text.textContent)).filter((value) => value > 0 && value < 50)`);

const withSteps = (losses: readonly number[]): PanelRun[] =>
  RUNS.filter(({ digest }) => digest.training).map((run) => {
    const steps = losses.map((loss, i) => ({ ...trainingSteps(losses.length)[i], loss }));
    return { ...run, digest: { ...run.digest, training: { ...run.digest.training!, steps } } };
  });

describeBrowser('card of a retraining', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('does not make a storm of noise, and lets single peaks go beyond the axis', async () => {
    const noise = Array.from({ length: 300 }, (_, i) => 3.8 + 0.2 * Math.sin(i * 12.9898));
    const panel = await openPanel(browser(), { ...FULL, runs: withSteps(noise) });
    const calm = await ticks(panel);
    assert.ok(calm.length >= 3, calm.join());
    const drawn = await panel.page.evaluate<number>(`(() => {
      const heights = [...document.querySelectorAll('.training .charts svg:first-child path')]
        .map((path) => path.getBBox()).filter(({ width }) => width > 100).map(({ height }) => height);
      return Math.max(...heights);
    })()`);
    assert.ok(drawn > 20 && drawn < 80, `noise of ±5 % is ${drawn} of 154 px high`);
    await panel.post(update(1, { runs: withSteps(noise.map((loss, i) => (i === 150 ? 8 : loss))) }));
    await settled(panel);
    const peaked = await ticks(panel);
    assert.ok(Math.max(...peaked) < 5, `one peak does not change the axis: ${peaked.join()}`);
    assert.ok((await panel.page.locator('.training .charts svg').first().locator('path').count()) > 3, 'it is marked');
    await panel.close();
  });

  it('stands between the model before it and the unpruned one', async () => {
    const panel = await openPanel(browser(), FULL);
    const chart = panel.page.locator('.training svg[aria-label^="Held-out perplexity: 41 at step 0"]');
    assert.match((await chart.getAttribute('aria-label'))!, /at step 240\. The original has 17\.62\.$/);
    const labels = await chart.locator('.chart-labels text').allTextContents();
    assert.deepEqual(labels, ['20.1', 'original 17.62', 'before retraining 41']);
    assert.match(await figures(panel), /Held-out perplexity 20\.1 from 41 Loss/);
    await panel.close();
  });

  it('says that one kind of text was trained on and measured where it is better than the whole model', async () => {
    const remark =
      /training text and held-out text are of one kind\. It does not mean that the model is better on other/;
    const panel = await openPanel(browser(), FULL);
    const card = panel.page.locator('.card.training');
    assert.doesNotMatch(await card.innerText(), remark); // 20.1, and the whole model 17.62
    const runs = RUNS.map((run) => {
      const { training } = run.digest;
      return training ? { ...run, digest: { ...run.digest, training: { ...training, unpruned: 43.8 } } } : run;
    });
    await panel.post(update(1, { runs }));
    await settled(panel);
    assert.match(await card.innerText(), remark);
    await panel.close();
  });

  it('says how long it still takes, and moves nothing while numbers arrive', async () => {
    const panel = await openPanel(browser(), { ...EMPTY, training: live(3), jobs: [job()] });
    const heights = (): Promise<number[]> =>
      panel.page.evaluate(`[...document.querySelectorAll('.training .card-figures, .training .stage')]
        .map((each) => each.getBoundingClientRect().height)`);
    const before = await heights();
    assert.match(await figures(panel), /Time left – known after some steps/);
    await panel.post(update(1, { jobs: [job(200)], training: live(40, { unpruned: 18 }) }));
    await settled(panel);
    assert.match(await figures(panel), /Time left ≈ 3:20 ends about \d+:\d\d/);
    const chart = panel.page.locator('.training svg[aria-label^="Held-out"]');
    assert.match((await chart.getAttribute('aria-label'))!, /The original has 18\.$/);
    assert.match(await figures(panel), /Tokens per second 6\d\d learning rate/);
    assert.deepEqual(await heights(), before);
    await panel.close();
  });

  for (const theme of TWO_THEMES) {
    it(`is readable in ${theme}`, async () => {
      const panel = await openPanel(browser(), FULL, { theme, width: 1280 });
      for (const width of [1280, 402]) {
        await panel.page.setViewportSize({ width, height: 900 });
        await settled(panel);
        await picture(panel.page.locator('.card.training'), `training-${theme}-${width}`);
      }
      await panel.checkAccessibility('.card.training');
      await panel.close();
    });
  }
});
