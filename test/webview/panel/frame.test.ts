/** The frame of the cards: a card without content is one line, and its export is one button with a menu. */
import assert from 'node:assert/strict';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { button, exportAs, openPanel, settled, update } from './open';
import { EMPTY, FULL } from './recorded';

describeBrowser('cards of the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('are one line without content, with a link that says how long it takes', async () => {
    const panel = await openPanel(browser(), EMPTY, { width: 1280 });
    const sizes = (): Promise<[string, number, number][]> =>
      panel.page.evaluate(`[...document.querySelectorAll('.card.is-empty')].map((card) => {
        const { top, height } = card.getBoundingClientRect();
        return [card.className, top + scrollY, height];
      })`);
    const before = await sizes();
    assert.ok(before.length >= 7, String(before.length));
    for (const [name, , height] of before) assert.ok(height < 56, `${name}: ${height} px`);
    const line = panel.page.locator('.importance .empty-line');
    assert.equal((await line.innerText()).includes('about'), false);
    const times = { score: 'about 2:00', curve: 'about 1:10', retrain: 'about 25:00', tasks: 'about 10 s' };
    await panel.post(update(1, { times }));
    await line.getByText('about 2:00').waitFor();
    assert.deepEqual(await sizes(), before, 'a time moves nothing');
    await line.getByRole('button', { name: 'Score Blocks…', exact: true }).click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'score' }]);
    await panel.close();
  });

  it('have a menu of exports, which keys and clicks open and close', async () => {
    const panel = await openPanel(browser(), FULL, { width: 1280 });
    const { page } = panel;
    const opener = button(panel, 'Export “Perplexity curve”');
    const focused = (): Promise<string> => page.evaluate(`document.activeElement.getAttribute('aria-label')`);
    const isOpen = async (): Promise<boolean> => (await page.getByRole('menuitem').count()) > 0;
    const expanded = (): Promise<string> =>
      page.evaluate(
        `document.querySelector('vscode-button[aria-label="Export “Perplexity curve”"]').getAttribute('aria-expanded')`,
      );
    assert.equal(await isOpen(), false);
    await opener.focus();
    await page.keyboard.press('Enter');
    assert.equal(await isOpen(), true);
    assert.equal(await expanded(), 'true');
    assert.equal(await focused(), 'Export “Perplexity curve” as SVG');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'Export “Perplexity curve” as PNG');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'Export “Perplexity curve” as SVG', 'it goes round');
    await panel.checkAccessibility('.card.curve');
    await page.keyboard.press('Escape');
    assert.equal(await isOpen(), false);
    assert.equal(await focused(), 'Export “Perplexity curve”', 'the focus is back');
    await opener.click();
    assert.equal(await isOpen(), true);
    await page.locator('h1').click();
    assert.equal(await isOpen(), false, 'a click elsewhere closes it');
    await exportAs(panel, 'Perplexity curve', 'CSV');
    await settled(panel);
    assert.equal(await isOpen(), false);
    assert.equal(panel.received('file/save').length, 1);
    await panel.close();
  });
});
