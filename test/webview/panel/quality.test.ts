/** The card of qualities, and the figures beside the perplexity of a plan. */
import assert from 'node:assert/strict';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { exportAs, lastFile, openPanel, settled, update } from './open';
import { EMPTY, FULL, planOf } from './recorded';

describeBrowser('quality of models in the panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('stands beside the perplexity of the plan, and in a table of all models', async () => {
    const panel = await openPanel(browser(), FULL);
    const { page } = panel;
    const figures = (await page.locator('.figures').innerText()).replace(/\s+/g, ' ');
    assert.match(figures, /KL divergence 0\.341 same next token: 58 %/);
    const rows = await page.locator('.quality tbody tr').allInnerTexts();
    assert.deepEqual(
      rows.map((row) => row.replace(/\s+/g, ' ').trim()),
      [
        'HuggingFaceTB/SmolLM2-135M 30.52 – not measured – not measured 0 %',
        'Without 14, 17–18 this plan 47.61 0.341 58 % 33 %',
        'adapter-a 35.71 0.127 70 % 8.0 %',
      ],
    );
    await exportAs(panel, 'Quality', 'CSV');
    assert.match(lastFile(panel).text, /adapter-a,35\.7\d*,0\.127,0\.702,0\.08,HuggingFaceTB\/SmolLM2-135M/);
    await panel.post(update(1, { plan: planOf([]) }));
    await settled(panel);
    assert.doesNotMatch(await page.locator('.figures').innerText(), /KL divergence/, 'there is none');
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`is readable in ${theme}`, async () => {
      const panel = await openPanel(browser(), FULL, { theme, width: 1280 });
      await picture(panel.page, `panel-quality-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }

  it('is not shown while there is nothing to compare', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.equal(await panel.page.locator('.quality').isVisible(), false);
    await panel.close();
  });
});
