/** The card of experts: its map, the numbers, and what it says of experts without tokens. */
import assert from 'node:assert/strict';
import { expertsOf } from '../../../src/jobs/digest/experts';
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { openPanel, type Panel } from './open';
import { EMPTY, FULL } from './recorded';

const RESULT = {
  criterion: 'reap',
  experts: { before: 4, after: 3, perToken: 2 },
  removed: [2],
  blocks: [
    { index: 0, scores: [0.5, 0, 2, 1], tokens: [30, 0, 40, 10], gateMean: [0.5, 0, 0.5, 0.5], kept: [0, 2, 3] },
    { index: 3, scores: [4, 3, 2, 1], tokens: [20, 20, 20, 20], gateMean: [0.5, 0.5, 0.5, 0.5], kept: [0, 1, 2] },
  ],
  unrouted: 1,
  parameters: 750_000,
  parametersBefore: 1_000_000,
  calibration: { name: 'code.txt', sha256: '0', rows: 4, length: 10 },
  text: { name: 'test.txt', sha256: '1', rows: 4, length: 10 },
  before: { meanNll: 2.5, ppl: 12.18 },
  after: { meanNll: 2.75, ppl: 15.64, kl: 0.125, top1: 0.9 },
  out: '/models/short',
};

const runOf = (changes: object = {}): PanelRun => {
  const { started, finished, model, versions } = FULL.runs[0].digest;
  const around = { kind: 'experts', started, finished, model, versions, removed: [], inputs: [], settings: [] };
  const experts = expertsOf(JSON.parse(JSON.stringify({ ...RESULT, ...changes })));
  return {
    id: 'a',
    title: 'experts',
    changed: [],
    digest: { ...around, device: 'cpu', precision: 'float32', experts },
  };
};
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });
const card = ({ page }: Panel) => page.locator('.card.experts');

describeBrowser('card of experts', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('has a cell for each expert, a line through those that go, and the loss before and after', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()), { width: 1280 });
    const text = (await card(panel).innerText()).replace(/\s+/g, ' ');
    for (const part of [
      /Experts that stay 3 of 4 in each block, 2 for a token/,
      /Parameters 750/,
      /25 % less/,
      /Loss 2\.75 from 2\.5 nats a token/,
      /KL divergence 0\.125 nats from the original/,
      /⚠ Experts without any token: 1\./,
      /by reap on code\.txt/,
      /Without block 2\. The loss is of test\.txt\. Written to short\./,
    ])
      assert.match(text, part);
    assert.equal(await card(panel).locator('.experts-map .heat-cell').count(), 8);
    assert.equal(await card(panel).locator('.experts-map .expert-gone').count(), 2);
    await card(panel)
      .locator('.experts-map')
      .hover({ position: { x: 60, y: 24 } });
    assert.match(await card(panel).locator('.tooltip').innerText(), /Block 0, expert 0/);
    await panel.checkAccessibility('.card.experts');
    await panel.close();
  });

  it('is not there without such a run', async () => {
    const panel = await openPanel(browser(), panelOf());
    assert.equal(await card(panel).isVisible(), false);
    await panel.close();
  });
});
