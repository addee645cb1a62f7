/** More Measurements: the cards outside the six steps are folded, and what has results or was opened is not. */
import assert from 'node:assert/strict';
import { contrast, parseColour } from '../../support/contrast';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, tasksRun } from './recorded';

const INSIDE = ['iterative', 'accuracy', 'vocabulary', 'draft', 'versus', 'frontier', 'measured'];
const cards = ({ page }: Panel): Promise<string[]> =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll('.more .card')].map((card) => card.className.replace(/card|is-empty/g, '').trim())`,
  );
const isOpen = ({ page }: Panel): Promise<boolean> => page.evaluate<boolean>(`document.querySelector('.more').open`);
const heightOf = ({ page }: Panel): Promise<number> => page.evaluate<number>('document.body.scrollHeight');

describeBrowser('more measurements in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('are folded while nothing was measured, and open by keys, which is remembered', async () => {
    const panel = await openPanel(browser(), EMPTY, { folded: true, width: 1280 });
    assert.equal(await isOpen(panel), false);
    assert.deepEqual(await cards(panel), [], 'made when they are asked for');
    const folded = await heightOf(panel);
    const summary = panel.page.locator('.more > summary');
    assert.match(
      await summary.innerText(),
      /More Measurements\s+Block after block · Accuracy · Vocabulary · Draft · Depth against width · Blocks or bits · Size and speed/,
    );
    await summary.focus();
    await panel.page.keyboard.press('Enter');
    await panel.page.locator('.more .card.measured').waitFor();
    await settled(panel);
    assert.deepEqual(await cards(panel), INSIDE);
    assert.ok((await heightOf(panel)) > folded + 150);
    await panel.checkAccessibility();
    const again = await openPanel(browser(), EMPTY, { folded: true, kept: panel.state });
    assert.equal(await isOpen(again), true);
    await again.page.locator('.more > summary').click();
    await settled(again);
    const closed = await openPanel(browser(), EMPTY, { folded: true, kept: again.state });
    assert.equal(await isOpen(closed), false);
    for (const each of [panel, again, closed]) await each.close();
  });

  it('are open where one of them has results, unless the user closed them', async () => {
    const run = { ...FULL.runs[0], id: 'tasks.json', digest: tasksRun };
    const results = { ...EMPTY, runs: [run] };
    const panel = await openPanel(browser(), results, { folded: true });
    assert.equal(await isOpen(panel), true);
    await panel.page.locator('.more .card.measured').waitFor();
    const closed = await openPanel(browser(), results, { folded: true, kept: { view: { more: 'closed' } } });
    assert.equal(await isOpen(closed), false);
    await closed.post({ sequence: 1, type: 'show', run: 'tasks.json' });
    await closed.page.locator('.more .card.accuracy').waitFor();
    await settled(closed);
    assert.equal(await isOpen(closed), true, 'a run that is shown opens them');
    await panel.close();
    await closed.close();
  });

  it('figures without a value are not shown, and nothing below moves when they come', async () => {
    for (const width of [402, 848, 1280]) {
      const panel = await openPanel(browser(), { ...FULL, plan: { ...FULL.plan, removed: [] } }, { width });
      const figures = (): Promise<string[]> => panel.page.locator('.figures > :not([hidden]) dt').allInnerTexts();
      const place = (): Promise<number> =>
        panel.page.evaluate(`document.querySelector('.importance').getBoundingClientRect().top`);
      assert.deepEqual(await figures(), ['Blocks kept', 'Parameters', 'Estimated speed', 'Perplexity']);
      const before = await place();
      await panel.post(update(1, { plan: FULL.plan, whatIf: FULL.whatIf }));
      await settled(panel);
      assert.equal((await figures()).at(4), 'KL divergence');
      assert.equal(await place(), before, `${width} px`);
      await picture(panel.page, `panel-figures-${width}`);
      await panel.close();
    }
  });

  it('the banner of Restricted Mode can be read where a theme has no text for its warning background', async () => {
    const panel = await openPanel(browser(), { ...EMPTY, trusted: false });
    const [ink, paper] = await panel.page.evaluate<[string, string]>(`(async () => {
      const { style } = document.documentElement; // as Abyss has it
      style.setProperty('--vscode-foreground', '#cccccc');
      style.setProperty('--vscode-inputValidation-warningBackground', '#5b7e7a');
      style.removeProperty('--vscode-inputValidation-warningForeground');
      document.body.classList.add('abyss');
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const { color, backgroundColor } = getComputedStyle(document.querySelector('.banner'));
      return [color, backgroundColor];
    })()`);
    assert.ok(contrast(parseColour(ink), parseColour(paper)) >= 4.5, `${ink} on ${paper}`);
    await panel.close();
  });

  it('a time beside a link stands on its line, and undo and redo side by side on a narrow page', async () => {
    const times = { score: 'about 2:00', retrain: 'about 30 min' };
    const panel = await openPanel(browser(), { ...EMPTY, times }, { width: 402 });
    const off = await panel.page.evaluate<number[]>(`[...document.querySelectorAll('.empty-action')]
      .filter((each) => each.querySelector('.time').textContent !== '')
      .map((each) => {
        const bottom = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect().bottom; };
        return bottom(each.querySelector('vscode-button')) - bottom(each.querySelector('.time'));
      })`);
    assert.ok(off.length >= 2 && off.every((each) => Math.abs(each) <= 1), off.join());
    const tops = await panel.page.evaluate<number[]>(
      `[...document.querySelectorAll('.dock .history > *')].map((each) => each.getBoundingClientRect().top)`,
    );
    assert.equal(tops[0], tops[1]);
    await panel.close();
  });
});
