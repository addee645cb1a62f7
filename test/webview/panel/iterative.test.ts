/** The card of an iterative pruning: its lines and numbers, a point that becomes the plan, and what it offers. */
import assert from 'node:assert/strict';
import type { IterativeDigest, LikenessDigest, PanelRun, PanelState } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, openPanel, type Panel, settled, update } from './open';
import { EMPTY, healRun } from './recorded';

const likeness = (ppl: number, kl: number, top1: number): LikenessDigest => ({ ppl, kl, top1 });

const point = (removed: readonly number[], before: LikenessDigest, after: LikenessDigest, seconds: number) => ({
  ...{ removed, pruned: before, healed: after, seconds, steps: 50 },
  nllPerSecond: Math.log((before.ppl as number) / (after.ppl as number)) / seconds,
  sharePerSecond: 0.01,
});

const iterative: IterativeDigest = {
  method: 'lora',
  criterion: 'ppl',
  text: 'sherlock.txt',
  rows: 16,
  full: likeness(28.4, 0, 1),
  rounds: [
    { round: 1, block: 13, ...point([13], likeness(34.1, 0.21, 0.74), likeness(31.2, 0.17, 0.77), 61) },
    { round: 2, block: 16, ...point([13, 16], likeness(39.8, 0.31, 0.69), likeness(35.4, 0.26, 0.71), 59) },
    { round: 3, block: 14, ...point([13, 14, 16], likeness(47.3, 0.44, 0.63), likeness(39.9, 0.36, 0.66), 57) },
  ],
  plain: [likeness(34.1, 0.21, 0.74), likeness(44.6, 0.39, 0.66), likeness(63.8, 0.61, 0.58)],
  oneShot: [
    { count: 1, ...point([13], likeness(34.1, 0.21, 0.74), likeness(31.2, 0.17, 0.77), 61) },
    { count: 2, ...point([13, 15], likeness(48.2, 0.45, 0.64), likeness(38.3, 0.33, 0.68), 118) },
    { count: 3, ...point([13, 15, 16], likeness(81.5, 0.83, 0.52), likeness(46.0, 0.46, 0.62), 171) },
  ],
};

const runOf = (id: string, changes: Partial<IterativeDigest> = {}): PanelRun => {
  const { heal: _, ...run } = healRun;
  return {
    id,
    title: 'iterate',
    changed: [],
    digest: { ...run, kind: 'iterate', iterative: { ...iterative, ...changes } },
  };
};
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });

const words = async ({ page }: Panel): Promise<string> =>
  (await page.locator('.iterative').innerText()).replace(/\s+/g, ' ');

describeBrowser('card of an iterative pruning', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`shows one by one against at once, in a ${theme} theme`, async () => {
      const panel = await openPanel(browser(), panelOf(runOf('a')), { theme });
      const text = await words(panel);
      for (const part of [
        /Perplexity 39\.9 63\.8 without healing/,
        /At once 46 from 81\.5/,
        /3 blocks removed by perplexity, healed by lora/,
        /Measured on 16 rows of sherlock\.txt\. Order: 13, 16, 14\./,
        /One by one is better by 13 % after as many steps/,
        /The same blocks without healing/,
        /At once, without healing/,
      ])
        assert.match(text, part);
      const targets = panel.page.locator('.iterative .target');
      assert.equal(await targets.count(), 1 + 4 * 3);
      await targets.nth(3).hover();
      await picture(panel.page.locator('.iterative'), `panel-iterative-${theme}`);
      await targets.nth(2).click();
      assert.deepEqual(panel.received('plan/set'), [{ type: 'plan/set', removed: [13, 16] }]);
      await panel.close();
    });
  }

  it('draws an earlier run that is chosen in the list of runs, also from a closed fold', async () => {
    const earlier = runOf('b', { criterion: 'taylor' });
    const panel = await openPanel(browser(), panelOf(runOf('a'), earlier), { kept: { view: { more: 'closed' } } });
    await button(panel, 'Show in Charts: Pruned iteratively').last().click();
    await panel.page
      .locator('.iterative')
      .getByText(/removed by Taylor/)
      .waitFor();
    await button(panel, 'Shown in Charts: Pruned iteratively').waitFor();
    await panel.post(update(1, { runs: [runOf('a')] }));
    await settled(panel);
    assert.match(await words(panel), /removed by perplexity/, 'the newest, once that run is gone');
    await panel.close();
  });

  it('without a comparison has two lines; without a run it offers one', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a', { oneShot: [] })));
    assert.match(await words(panel), /At once – not compared/);
    assert.equal(await panel.page.locator('.iterative .target').count(), 1 + 2 * 3);
    await panel.close();
    const empty = await openPanel(browser(), EMPTY);
    await button(empty, 'Prune Iteratively…').click();
    assert.deepEqual(empty.received('start'), [{ type: 'start', action: 'iterate' }]);
    await empty.close();
  });
});
