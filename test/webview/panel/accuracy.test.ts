/** The card of accuracies: dots with paired intervals, differences with their test, and items where models differ. */
import assert from 'node:assert/strict';
import type { PanelRun, PanelState, TasksDigest } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, exportAs, lastFile, openPanel, settled, type Panel } from './open';
import { EMPTY, FULL, PROBED, tasksRun } from './recorded';

const runOf = (id: string, changes: Partial<TasksDigest> = {}): PanelRun => ({
  id,
  title: 'tasks',
  changed: [],
  digest: { ...tasksRun, tasks: { ...tasksRun.tasks!, ...changes } },
});
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });
const words = async ({ page }: Panel): Promise<string> =>
  (await page.locator('.accuracy').innerText()).replace(/\s+/g, ' ');

describeBrowser('card of accuracies', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('asks for a run while there is none', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.match(await words(panel), /show what perplexity hides/);
    await panel.page.locator('.accuracy').getByText('Evaluate Tasks…').click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'tasks' });
    await panel.close();
  });

  it('names items, files and precision, and draws a dot for each model in each task and the average', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a')));
    const text = await words(panel);
    assert.match(text, /20,465 items of boolq\.jsonl, piqa\.jsonl, .* \(all records\)\. Computed in float32 on cpu\./);
    assert.match(text, /95 % interval of the paired difference to Original/);
    assert.equal(await panel.page.locator('.accuracy .accuracies path, .accuracy .accuracies circle').count(), 8 * 3);
    assert.equal(await panel.page.locator('.accuracy .target').count(), 8 * 3);
    await panel.close();
  });

  it('has accuracies with errors, and differences in points with the test of McNemar', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a')));
    const cells = panel.page.locator('.accuracy .table-scroll table').last().locator('tbody tr').nth(1).locator('td');
    assert.equal((await cells.nth(1).innerText()).trim(), '68.3 % ± 1.1');
    assert.match(await cells.nth(2).innerText(), /64\.9 % ± 1\.1\s+−3\.4 points ± 2\.6/);
    assert.equal(
      await cells.nth(2).locator('.figure').getAttribute('title'),
      '221 lost, 158 gained, p < 0.001 (McNemar)',
    );
    assert.match(await words(panel), /Average 20,465 49\.3 % 46\.1 % −3\.3 points ± 0\.9 48\.0 % −1\.3 points ± 0\.9/);
    await exportAs(panel, 'Accuracy', 'CSV');
    assert.match(lastFile(panel).text, /^PIQA,1838,acc,0\.683,/m);
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`has probes beside each other in ${theme}, and no difference where the original cannot do it either`, async () => {
      const probed = panelOf(runOf('a', { ...PROBED, files: [], questions: [] }));
      const panel = await openPanel(browser(), probed, { theme });
      const text = await words(panel);
      assert.match(text, /80 items of probes, made from a seed\./);
      assert.match(text, /Copying 32 75\.0 % ± 7\.8 25\.0 % ± 7\.8 −50\.0 points ± 17\.6/);
      assert.match(text, /Sums \(the original cannot do this either\) 32 28\.0 % ± 8\.0 22\.0 % ± 8\.0$/);
      assert.doesNotMatch(text, /Average/);
      await panel.checkAccessibility('.card.accuracy');
      await picture(panel.page.locator('.accuracy'), `accuracy-probes-${theme}`);
      await panel.close();
    });
  }

  it('lists items where models differ: question, choices, the right one, and each answer', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a')));
    await panel.page.locator('.differing summary').click();
    await settled(panel);
    const items = await panel.page.locator('.accuracy .item').allInnerTexts();
    assert.equal(items.length, 3);
    const [first, , written] = items.map((item) => item.replace(/\s+/g, ' '));
    assert.equal(
      first,
      'PIQA, record 17 Question: How do I keep a door from closing? Answer: ' +
        '✓ right Put a wedge of wood under it. ✓ Original✓ adapter-a ' +
        'Put a wedge of water under it. ✕ Without 14, 17–18',
    );
    assert.match(
      written,
      /capitals, record 2 .*✓ right Paris ✓ Original Paris, the city ✕ Without 14, 17–18 the capital of/,
    );
    await panel.close();
  });

  it('shows one model without differences, part of a file, and an older run that is chosen', async () => {
    const { models } = tasksRun.tasks!;
    const one = runOf('one', { models: models.slice(0, 1), differences: [], questions: [], from: 100, limit: 50 });
    const panel = await openPanel(browser(), panelOf(one, runOf('b')));
    assert.match(await words(panel), /\(records 100 to 149\).*Bars: 1\.96 standard errors\./);
    assert.equal(await panel.page.locator('.accuracy .difference').count(), 0);
    assert.equal(await panel.page.locator('.differing').count(), 0);
    await button(panel, 'Show in Charts: Accuracy in tasks').last().click();
    await settled(panel);
    assert.equal(await panel.page.locator('.accuracy .difference').count(), 16);
    await panel.close();
  });

  for (const [theme, width] of [
    ['dark', 1280],
    ['light', 1280],
    ['hc-dark', 402],
  ] as const) {
    it(`is readable in ${theme} at ${width} px`, async () => {
      const panel = await openPanel(browser(), { ...FULL, runs: [runOf('a'), ...FULL.runs] }, { theme, width });
      await panel.page.locator('.differing summary').click();
      await settled(panel);
      await picture(panel.page.locator('.accuracy'), `accuracy-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }
});
