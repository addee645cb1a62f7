/** Numbers of different texts on one page of the results panel, and of a checkpoint that was made from another. */
import assert from 'node:assert/strict';
import type { PanelRun, PanelState, PanelText } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { button, openPanel, update } from './open';
import { EMPTY, FULL, planOf, RUNS } from './recorded';

const KEY = (letter: string): string => `${letter.repeat(64)} 10×128 seed 1234`;
const TEXT: PanelText = {
  name: 'data/calibration.txt',
  samples: 10,
  length: 128,
  seed: 1234,
  from: 'scores',
  rowsKey: KEY('a'),
};
/** The recorded scores, of these rows. */
const scoredOn = (rowsKey: string, text: string): PanelRun[] =>
  RUNS.filter(({ digest }) => digest.score?.criterion === 'ppl').map((run) => ({
    ...run,
    digest: { ...run.digest, score: { ...run.digest.score!, rowsKey, text } },
  }));
const measured = (rowsKey: string): PanelState['whatIf'] => ({
  ...FULL.whatIf,
  text: 'data/calibration.txt',
  rowsKey,
  full: 18.12,
  ppl: 34.16,
});

describeBrowser('texts of the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('names the text, lets the user choose another, and says nothing where all is of one', async () => {
    const panel = await openPanel(browser(), {
      ...FULL,
      runs: scoredOn(KEY('a'), 'data/calibration.txt'),
      text: TEXT,
      whatIf: measured(KEY('a')),
    });
    const chip = panel.page.locator('.text-chip');
    assert.match(await chip.innerText(), /Text: data\/calibration\.txt · 10×128/);
    await chip.click();
    assert.equal(panel.received('text/choose').length, 1);
    assert.equal(await panel.page.getByText('not on the panel’s text').count(), 0);
    await panel.page.locator('.figure-box', { hasText: '34.16' }).waitFor();
    await panel.close();
  });

  it('labels scores of another text, and offers to measure on that', async () => {
    const runs = scoredOn(KEY('b'), 'usual/calibration.txt');
    const panel = await openPanel(browser(), { ...FULL, runs, text: TEXT, whatIf: measured(KEY('a')) });
    await panel.page.getByText('⚠ Scored on usual/calibration.txt · 10×128, not on the panel’s text').waitFor();
    await button(panel, 'Measure on This Text').click();
    assert.equal(panel.received('text/use')[0].rowsKey, KEY('b'));
    await panel.close();
  });

  it('labels a curve of another text, though it is the only one', async () => {
    const runs = RUNS.filter(({ digest }) => digest.curve).map((run) => ({
      ...run,
      digest: { ...run.digest, curve: { ...run.digest.curve!, rowsKey: KEY('b'), text: 'usual/calibration.txt' } },
    }));
    const panel = await openPanel(browser(), { ...FULL, runs, text: TEXT, whatIf: measured(KEY('a')) });
    await panel.page.getByText('⚠ Measured on usual/calibration.txt · 10×128, not on the panel’s text').waitFor();
    const labels = await panel.page.evaluate<string>(
      `[...document.querySelectorAll('.curve .target')].map((target) => target.getAttribute('aria-label')).join()`,
    );
    assert.ok(!labels.includes('34.16') && !labels.includes('This plan'), 'the plan is of the panel’s text');
    await panel.close();
  });

  it('shows no perplexity of the plan that is of another text', async () => {
    const panel = await openPanel(browser(), { ...FULL, runs: [], text: TEXT, whatIf: measured(KEY('b')) });
    assert.equal(await panel.page.getByText('34.16').count(), 0);
    await panel.close();
  });

  it('says why nothing can be measured on a text', async () => {
    const fault = 'data/calibration.txt has changed since the blocks were scored';
    const panel = await openPanel(browser(), { ...EMPTY, text: { ...TEXT, fault } });
    const chip = panel.page.locator('.text-chip');
    assert.match(await chip.innerText(), /^⚠ Text: data/);
    assert.match((await chip.getAttribute('aria-label'))!, /has changed since the blocks were scored/);
    await panel.close();
  });

  it('shows the whole model’s perplexity beside the blocks where it is known', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const words = panel.page.locator('.mini').last();
    assert.match((await words.textContent())!, /^–/);
    await panel.post(update(1, { whatIf: { ...EMPTY.whatIf, status: 'computing' } }));
    await words.getByText('…').waitFor({ state: 'attached' });
    await panel.post(update(2, { whatIf: { ...EMPTY.whatIf, full: 18.12, text: 'calibration.txt' } }));
    await words.getByText('18.12').waitFor({ state: 'attached' });
    await panel.page.locator('.figure-box', { hasText: '18.12' }).waitFor();
    await panel.close();
  });

  it('compares a pruned model with what it was made from, and opens that', async () => {
    const { model } = EMPTY;
    const there = { path: '/models/big', blocks: 40, parameters: 2 * model.parameters };
    const family: PanelState['kin'] = {
      parent: {
        name: 'big',
        removed: [4, 13, 14],
        there: { ...there, parametersRead: 2 * model.parametersRead, ppl: 18.12 },
      },
      original: null,
      children: [
        { name: 'small', path: '/models/small', removed: [3], kind: 'prune', retrained: ['small-adapter'], ppl: 25.5 },
      ],
    };
    const whatIf = { ...EMPTY.whatIf, status: 'done' as const, full: 36.24, text: 'calibration.txt' };
    const panel = await openPanel(browser(), { ...EMPTY, plan: planOf([]), kin: family, whatIf });
    await panel.page.getByText('Derived from big without blocks 4, 13–14').waitFor();
    await panel.page.getByText('Derived model: small · without blocks 3 · retrained: small-adapter').waitFor();
    await button(panel, 'Open the results of big').click();
    await button(panel, 'Open the results of small').click();
    const paths = panel.received('kin/open').map(({ path }) => path);
    assert.deepEqual(paths, ['/models/big', '/models/small']);
    const figures = (await panel.page.locator('.figures').innerText()).replace(/\s+/g, ' ');
    for (const words of ['30 of 40 of big', '−50 % from big', '2× big: 1×', '36.24 2× of 18.12 (big)'])
      assert.ok(figures.includes(words), `${words} in ${figures}`);
    assert.match((await panel.page.locator('.mini').nth(2).textContent())!, /^2×/);
    await panel.close();
  });
});
