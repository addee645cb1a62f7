/** What models cost: bars of speeds only where they can be compared, and a way to such speeds. */
import assert from 'node:assert/strict';
import type { CostDigest, PanelRun } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { button, openPanel, type Panel, settled, update } from './open';
import { FULL, RUNS } from './recorded';

const row = (panel: Panel, name: string) =>
  panel.page.locator('.measured tbody tr', { has: panel.page.locator('th', { hasText: name }) });
const cost = (label: string, decode: number): CostDigest => ({
  label,
  parameters: null,
  bytes: null,
  peakRssBytes: null,
  speed: 'turns',
  prefillTokensPerSecond: 10 * decode,
  decodeTokensPerSecond: decode,
  prefillRange: [9 * decode, 11 * decode],
  decodeRange: [decode - 1, decode + 1],
});

describeBrowser('costs in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('draws no bars of speeds that were measured once, each for itself, and offers to measure them', async () => {
    const panel = await openPanel(browser(), FULL);
    const plan = row(panel, 'Without 14, 17–18');
    assert.match(await plan.locator('td').nth(3).innerText(), /55\.4\s*from one text, with warm-up/);
    assert.equal(await plan.locator('td').nth(3).locator('.bar').count(), 0);
    assert.equal(await plan.locator('td').nth(0).locator('.bar').count(), 1, 'sizes can be compared');
    await panel.page.locator('.measured', { hasText: 'These speeds cannot be compared with each other' }).waitFor();
    assert.equal(await panel.page.locator('.measured', { hasText: 'coppice bench' }).count(), 0);
    await button(panel, 'Measure Speed…').click();
    assert.equal(panel.received('start/speed').length, 1);
    await panel.post(update(1, { jobs: [{ id: 'j', kind: 'speeds', word: 'Measuring speed', state: 'running' }] }));
    await settled(panel);
    assert.notEqual(await button(panel, 'Measure Speed…').getAttribute('disabled'), null);
    await panel.close();
  });

  it('draws bars of those of one run, with their spread', async () => {
    const [first] = RUNS;
    const of = { model: FULL.model.name, identity: '', removed: [] };
    const turns: PanelRun = {
      ...first,
      id: 'turns.json',
      digest: {
        ...first.digest,
        kind: 'bench',
        cost: [{ ...cost('Original', 50), of }, cost('Without 14, 17–18', 60)],
      },
    };
    const panel = await openPanel(browser(), { ...FULL, runs: [turns, ...RUNS] });
    await panel.page.getByText(`${of.model}: 50 tokens/s, Without 14, 17–18: 60 tokens/s`).waitFor();
    for (const [name, decode] of [
      [FULL.model.name, 50],
      ['Without 14, 17–18', 60],
    ] as const) {
      const cell = row(panel, name).locator('td').nth(3);
      assert.match(await cell.innerText(), new RegExp(`^${decode} ${decode - 1} to ${decode + 1}`));
      const style = (await cell.locator('.bar').getAttribute('style'))!;
      const width = Number(/width: ([\d.]+)%/.exec(style)![1]);
      assert.ok(Math.abs(width - (100 * decode) / 60) < 0.1, style);
    }
    assert.equal(await row(panel, 'adapter-a').locator('td').nth(3).locator('.bar').count(), 0, 'of another run');
    await panel.close();
  });
});
