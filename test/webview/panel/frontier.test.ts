/** The card of size against perplexity: chart, table, the size that was asked for, and a point that becomes the plan. */
import assert from 'node:assert/strict';
import { frontierOf } from '../../../src/jobs/digest/frontier';
import type { FrontierResult } from '../../../src/jobs/results/frontier';
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, openPanel, type Panel, settled } from './open';
import { EMPTY, RUNS } from './recorded';
import { SIZES } from './sizes';

const runOf = (result: FrontierResult): PanelRun => {
  const { cost: _, score: __, curve: ___, ...digest } = RUNS[0].digest;
  const frontier = frontierOf(JSON.parse(JSON.stringify(result)));
  return { id: 'frontier.json', title: 'frontier', changed: [], digest: { ...digest, kind: 'frontier', frontier } };
};
const shown = (result: FrontierResult): PanelState => ({ ...EMPTY, runs: [runOf(result)] });
const wordsOf = async ({ page }: Panel, part = ''): Promise<string> =>
  (await page.locator(`.frontier ${part}`).first().innerText()).replace(/\s+/g, ' ');

describeBrowser('size against perplexity in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('says what it is for while there is none, and starts the comparison', async () => {
    const panel = await openPanel(browser(), EMPTY);
    await panel.page.locator('.frontier .empty', { hasText: 'worth their bytes' }).waitFor();
    await button(panel, 'Compare Sizes…').click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'frontier' }]);
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`shows files by size, what fits best, and what writes it, in the ${theme} theme`, async () => {
      const panel = await openPanel(browser(), shown(SIZES), { theme });
      await settled(panel);
      assert.equal(
        await wordsOf(panel, '.summary'),
        'Into 102.0 MB fits best q4_k_m without 2 blocks, healed: 100.2 MB, perplexity 74.1.',
      );
      const rows = await panel.page.locator('.frontier .below tbody tr').allInnerTexts();
      assert.equal(rows.length, SIZES.points.length + 1);
      assert.match(rows[0].replace(/\s+/g, ' '), /^q2_k without 6 blocks, healed 75\.5 MB 177\.3 0\.87 ± 0\.04 yes$/);
      assert.match(rows.at(-1)!.replace(/\s+/g, ' '), /^Original, as stored 270\.6 MB 64 no$/);
      assert.match(await wordsOf(panel, '.commands'), /^coppice heal .* coppice export .*q4_k_m\.gguf$/);
      assert.equal(await panel.page.locator('.frontier .charts .target').count(), SIZES.points.length);
      await panel.checkAccessibility('.card.frontier');
      await picture(panel.page.locator('.card.frontier'), `frontier-${theme}`);
      await panel.close();
    });
  }

  it('makes the blocks of a point the plan; the original has none', async () => {
    const panel = await openPanel(browser(), shown(SIZES));
    await settled(panel);
    await panel.page.locator('.frontier .target[data-key^="q8_0-2-"]').click();
    assert.deepEqual(panel.received('plan/set'), [{ type: 'plan/set', removed: [13, 17] }]);
    await panel.page.locator('.frontier .target[data-key^="q8_0-0-"]').click();
    assert.equal(panel.received('plan/set').length, 1);
    await panel.close();
  });

  it('without a size says what is worth its bytes, and nothing of fitting', async () => {
    const { fit: _, points: measured, ...rest } = SIZES;
    const plain = measured.map(({ fits: __, behind: ___, ...point }) => point);
    const panel = await openPanel(browser(), shown({ ...rest, points: plain, calibrated: true }), { width: 420 });
    await settled(panel);
    const worth = plain.filter(({ frontier }) => frontier);
    assert.equal(
      await wordsOf(panel, '.summary'),
      `${worth.length} of 16 files are worth their bytes; ${worth.filter(({ count }) => count > 0).length} of them lack blocks.`,
    );
    assert.match(await wordsOf(panel, '.chart-note'), /also chose the blocks or healed/);
    assert.doesNotMatch(await wordsOf(panel, '.below'), /Fits|These commands/);
    await picture(panel.page.locator('.card.frontier'), 'frontier-narrow');
    await panel.close();
  });
});
