/** The card of speeds over batches: charts, the paper's Table 9 with cells that do not fit, measures, and files. */
import assert from 'node:assert/strict';
import type { GridCellDigest, GridDigest, PanelRun, PanelState } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { exportAs, button, choose, lastFile, openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, RUNS } from './recorded';

const GiB = 2 ** 30;
const BATCHES = [1, 8, 64, 256];

/** As a small machine has them: throughput rises with the batch, memory with everything. */
function cell(batch: number, newTokens: number, speed: number): GridCellDigest {
  const predictedBytes = (0.6 + (1.1e-5 * batch * newTokens) / speed) * GiB;
  const throughput = (speed * 45 * batch) / (1 + batch / 20);
  const latency = (batch * newTokens) / throughput;
  if (predictedBytes > GiB * 1.8) return { batch, newTokens, predictedBytes, outcome: 'oom' };
  const spread = (mean: number) => ({ mean, sd: 0.04 * mean });
  const measured = {
    throughput: spread(throughput),
    latency: spread(latency),
    firstToken: spread(0.1 * batch ** 0.5),
    laterToken: spread(latency / newTokens),
    peakBytes: { mean: 0.97 * predictedBytes, sd: 1e6 },
    busy: 0.93,
    compute: Math.min(0.6, 0.02 * batch),
    bandwidth: 0.7 / (1 + batch / 30),
    speedUp: speed === 1 ? null : speed,
    floorSpeedUp: speed === 1 ? null : 1.05 * speed,
  };
  return { batch, newTokens, predictedBytes, outcome: 'measured', measured };
}

const cellsOf = (speed: number) => [128, 512].flatMap((length) => BATCHES.map((batch) => cell(batch, length, speed)));

const GRID: GridDigest = {
  batches: BATCHES,
  newTokens: [128, 512],
  runs: 3,
  warmup: 1,
  inTurns: true,
  limitBytes: 1.8 * GiB,
  prompt: 'The Leaning Tower of Pisa is known for',
  models: [
    { label: 'Original', ideal: null, cells: cellsOf(1) },
    { label: 'Without 14, 17–18', ideal: 1.111, cells: cellsOf(1.12) },
    { label: 'gone', ideal: null, failure: 'it is not there', cells: [] },
  ],
};

const runOf = (grid: GridDigest, id = 'grid.json'): PanelRun => {
  const { cost: _, score: __, curve: ___, ...digest } = RUNS[0].digest;
  return { id, title: 'grid', changed: [], digest: { ...digest, kind: 'grid', grid } };
};
const shown = (grid: GridDigest): PanelState => ({ ...EMPTY, runs: [runOf(grid)] });
const rows = ({ page }: Panel): Promise<string[]> => page.locator('.speed-grid .below tbody tr').allInnerTexts();

describeBrowser('speeds over batches in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('is no card of its own: while there is none, the card of sizes has the one button that measures', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.equal(await panel.page.locator('.speed-grid').isVisible(), false);
    const measure = panel.page.getByRole('button', { name: /^Measure Speed/ });
    assert.equal(await measure.count(), 1);
    await panel.post(update(1, { times: { speed: 'about 20 s' } }));
    await panel.page.locator('.measured').getByText('about 20 s').waitFor();
    await measure.click();
    assert.equal(panel.received('start/speed').length, 1);
    await panel.post(update(2, { jobs: [{ id: 'j', kind: 'grid', word: 'Measuring speed', state: 'running' }] }));
    await settled(panel);
    assert.notEqual(await button(panel, 'Measure Speed…').getAttribute('disabled'), null);
    await panel.post(update(3, { jobs: [], runs: [runOf(GRID)] }));
    await panel.page.locator('.measured .speed-grid .charts > svg').first().waitFor();
    assert.equal(await measure.count(), 1, 'also where batches were measured');
    await panel.close();
  });

  it('draws a panel for each length and a line for each model, and says how much faster a model is', async () => {
    const panel = await openPanel(browser(), shown(GRID));
    const { page } = panel;
    assert.equal(await page.locator('.speed-grid .charts > svg').count(), 2);
    assert.equal(await page.locator('.speed-grid .legend-entry').count(), 3);
    const summary = await page.locator('.speed-grid .summary').innerText();
    assert.match(summary, /^64 texts of 512 new tokens: .* tokens\/s \(1\.12×, 1\.11× expected from its size\)\.$/);
    assert.match(await page.locator('.speed-grid .chart-note').innerText(), /3 runs of each cell after 1/);
    const point = page.locator('.speed-grid .target').first();
    await point.focus();
    await page.locator('.speed-grid .tooltip.is-shown', { hasText: 'Tokens per second' }).waitFor();
    await panel.close();
  });

  it('has the table of the paper: a column for each cell, and the prediction of what does not fit', async () => {
    const panel = await openPanel(browser(), shown({ ...GRID, models: GRID.models.slice(0, 2) }));
    const { page } = panel;
    assert.match(
      await page.locator('.speed-grid .summary').innerText(),
      /64 texts of 512 .*1\.12×, 1\.11× expected from its size/,
    );
    const heads = await page.locator('.speed-grid .below thead th').allInnerTexts();
    assert.deepEqual(heads.slice(1, 5), ['L128 M1', 'L128 M8', 'L128 M64', 'L128 M256']);
    assert.match((await rows(panel))[0], /OOM\s+2\.0\d predicted/);
    await choose(panel, 'speed-grid', 'Show', /^\s*Memory\s*$/);
    await settled(panel);
    assert.match((await rows(panel))[1], /0\.5\d\s+0\.60 predicted/);
    await page.locator('.speed-grid .legend-entry', { hasText: 'Predicted' }).waitFor();
    await exportAs(panel, 'Speed over batches', 'CSV');
    const { text: csv } = lastFile(panel);
    assert.match(csv, /"Without 14, 17–18",512,256,OOM/);
    assert.equal(csv.trimEnd().split(/\r?\n/).length, 1 + 2 * 8);
    await panel.close();
  });

  it('draws perplexity against speed where other runs have measured both models on one text', async () => {
    const of = { model: FULL.model.name, identity: FULL.model.identity };
    const [whole, plan] = GRID.models;
    const known = [
      { ...whole, of: { ...of, removed: [] } },
      { ...plan, of: { ...of, removed: [14, 17, 18] } },
    ];
    const evaluated = (id: string, removed: number[], ppl: number): PanelRun => {
      const run = runOf(GRID, id);
      const quality = [{ label: id, ppl, text: 'prose.txt', rowsKey: 'k' }];
      return {
        ...run,
        digest: {
          ...run.digest,
          kind: 'eval',
          model: { name: of.model, identity: of.identity },
          removed,
          grid: undefined,
          quality,
        },
      };
    };
    const state = (...evaluations: PanelRun[]): PanelState => ({
      ...EMPTY,
      runs: [runOf({ ...GRID, models: known }), ...evaluations],
    });
    const both = await openPanel(browser(), state(evaluated('a', [], 20.5), evaluated('b', [18, 14, 17], 31.25)));
    const chart = both.page.locator('.speed-grid svg[aria-label^="Perplexity on prose.txt"]');
    assert.equal(await chart.count(), 2);
    assert.match(
      (await chart.last().getAttribute('aria-label'))!,
      /against Seconds for all tokens, 1 × 128 tokens\. Original: .*, perplexity 20\.5; .* 31\.25\.$/,
    );
    await picture(both.page, 'panel-grid-quality');
    await both.close();
    const one = await openPanel(browser(), state(evaluated('a', [], 20.5)));
    assert.equal(await one.page.locator('.speed-grid .charts > svg').count(), 2);
    await one.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`is drawn in the colours of the theme, ${theme}`, async () => {
      const panel = await openPanel(browser(), shown({ ...GRID, models: GRID.models.slice(0, 2) }), {
        theme,
        width: 1100,
      });
      await panel.page.locator('.speed-grid').scrollIntoViewIfNeeded();
      const strokes = await panel.page.evaluate<string[]>(
        `[...document.querySelectorAll('.speed-grid .charts [stroke^="var(--series-"]')].map((line) => getComputedStyle(line).stroke)`,
      );
      assert.ok(strokes.length >= 4 && strokes.every((stroke) => /^(rgb|color)/.test(stroke)));
      await picture(panel.page, `panel-grid-${theme}`);
      await choose(panel, 'speed-grid', 'Show', /^\s*Memory\s*$/);
      await settled(panel);
      await picture(panel.page, `panel-grid-memory-${theme}`);
      await panel.close();
    });
  }
});
