/** The list of runs: words instead of kinds, times that age, and details that are made when they are wanted. */
import assert from 'node:assert/strict';
import type { PanelRun } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { button, openPanel, settled, update } from './open';
import { FULL, RUNS } from './recorded';

const secondsAgo = (seconds: number): string => new Date(Date.now() - 1000 * seconds).toISOString();
const startedAt = (run: PanelRun, id: string, started: string): PanelRun => ({
  ...run,
  id,
  digest: { ...run.digest, started, finished: started },
});

describeBrowser('list of runs', (browser) => {
  before(buildPages);

  it('names runs in words, and says how long ago they were', async () => {
    const [bench, sample, , trained] = RUNS;
    const runs = [
      startedAt(bench, 'a', secondsAgo(5)),
      startedAt(sample, 'b', secondsAgo(90)),
      startedAt(trained, 'c', secondsAgo(2.5 * 3600)),
      startedAt({ ...RUNS.at(-1)!, title: 'curve · ppl' }, 'd', secondsAgo(2 * 86400)),
      startedAt({ ...RUNS.at(-1)!, title: 'score · taylor' }, 'e', '2026-01-02T03:04:05.000Z'),
    ];
    const panel = await openPanel(browser(), { ...FULL, runs });
    const rows = panel.page.locator('.runs tbody tr');
    assert.deepEqual(
      await Promise.all(
        (await rows.locator('th vscode-checkbox').all()).map((each) => each.getAttribute('aria-label')),
      ),
      ['Speed and memory', 'Sample text', 'Retrained: adapter-a', 'Perplexity curve', 'Scored blocks by Taylor'],
    );
    const times = panel.page.locator('.runs time');
    assert.deepEqual((await times.allInnerTexts()).slice(0, 4), [
      'just now',
      '1 minute ago',
      '2 hours ago',
      '2 days ago',
    ]);
    assert.match(await times.last().innerText(), /^Jan 2, 2026$/);
    assert.match((await times.nth(2).getAttribute('title'))!, /\d{4}/);
    await panel.close();
  });

  it('has the model of a run that is not the panel’s', async () => {
    const run = { ...RUNS[3], digest: { ...RUNS[3].digest, model: { name: 'shorter', identity: 'beef' } } };
    const panel = await openPanel(browser(), { ...FULL, runs: [run, RUNS[4]] });
    assert.deepEqual(await panel.page.locator('.run-notes').getByText('shorter').allInnerTexts(), ['shorter']);
    await panel.close();
  });

  it('makes the details of a run when its row is opened, and keeps the focus and the other rows', async () => {
    const runs = Array.from({ length: 200 }, (_, i) => ({ ...RUNS[3 + (i % 5)], id: `run-${i}` }));
    const panel = await openPanel(browser(), { ...FULL, runs });
    const { page } = panel;
    assert.equal(await page.locator('.runs tbody tr').count(), 200);
    assert.equal(await page.locator('.run-details').count(), 0);
    await page.evaluate(`document.querySelector('.runs tbody tr:last-child').dataset.mine = 'yes'`);
    const expand = page.getByRole('button', { name: 'Details of Retrained: adapter-a' }).first();
    assert.equal(await expand.getAttribute('aria-expanded'), 'false');
    await expand.focus();
    await page.keyboard.press('Enter');
    await page.locator('.run-details').waitFor();
    assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-expanded")'), 'true');
    const details = await page.locator('.run-details').innerText();
    for (const words of [
      /alpaca.jsonl \(beef\)/,
      /learningRate\s+0\.0001/,
      /float32 on cpu/,
      /onnxruntime 1\.30/,
      /changed since/,
    ])
      assert.match(details, words);
    assert.equal(await page.locator('.runs tbody tr[data-mine="yes"]').count(), 1, 'rows that did not change stay');
    await page.keyboard.press('Enter');
    await settled(panel);
    assert.equal(await page.locator('.run-details').count(), 0);
    await panel.close();
  });

  it('opens before and after, JSON and charts', async () => {
    const panel = await openPanel(browser(), FULL);
    await button(panel, /^Before and After/).click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'beforeAfter' }]);
    await button(panel, 'Open JSON of Retrained: adapter-a').click();
    assert.deepEqual(panel.received('runs/open'), [{ type: 'runs/open', id: RUNS[3].id }]);
    await button(panel, 'Show in Charts: Retrained: adapter-a').click();
    await button(panel, 'Shown in Charts: Retrained: adapter-a').waitFor();
    await panel.post(update(1, { comparison: { titles: ['score · ppl', 'eval'], rows: [] } }));
    const head = panel.page.locator('.comparison thead');
    await head.getByText('Scored blocks by perplexity').waitFor();
    await head.getByText('Perplexity', { exact: true }).waitFor();
    await panel.close();
  });
});
