/** The card of depth against width: chart, table, axes, a point that becomes the plan, files, and what it offers. */
import assert from 'node:assert/strict';
import { versusOf } from '../../../src/jobs/digest/versus';
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import type { VersusModel, VersusResult } from '../../../src/jobs/results/versus';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { exportAs, button, choose, lastFile, openPanel, type Panel, settled } from './open';
import { EMPTY, RUNS } from './recorded';

const spread = (mean: number, sd = 0): { mean: number; sd: number } => ({ mean, sd });
const WHOLE = { heads: spread(9), ffn: spread(1536), blocks: 30, parameters: 134_515_008 };

type Numbers = readonly [ppl: number, latency: number, accuracy: number];

const depth = (
  method: 'plan' | 'ppl' | 'taylor',
  removed: readonly number[],
  [ppl, latency, accuracy]: Numbers,
): VersusModel => ({
  ...{ ...WHOLE, method, kind: 'depth', label: method, count: removed.length, removed, ppl, accuracy },
  parameters: WHOLE.parameters - removed.length * 3_540_096,
  blocks: 30 - removed.length,
  latency: spread(latency, 0.05),
  throughput: spread(128 / latency, 1),
  memoryBytes: (0.62 - 0.014 * removed.length) * 2 ** 30,
  speedUp: 4.2 / latency,
  pruningSeconds: method === 'taylor' ? 14.2 : 38.1,
});

const width = (
  method: 'llm-pruner' | 'flap' | 'wanda-sp',
  count: number,
  [ppl, latency, accuracy]: Numbers,
): VersusModel => ({
  ...{ ...WHOLE, method, kind: 'width', label: method, count, removed: [], ratio: count / 30, ppl, accuracy },
  parameters: WHOLE.parameters - count * 3_540_096 + 12_000,
  heads: spread(9 - count / 4, method === 'flap' ? 1.4 : 0),
  ffn: spread(1536 - 40 * count, method === 'flap' ? 310 : 0),
  latency: spread(latency, 0.05),
  throughput: spread(128 / latency, 1),
  memoryBytes: (0.62 - 0.013 * count) * 2 ** 30,
  speedUp: 4.2 / latency,
  pruningSeconds: 21,
});

const RESULT: VersusResult = {
  model: { name: 'SmolLM2-135M', identity: 'x' },
  methods: ['ppl', 'taylor', 'llm-pruner', 'flap', 'wanda-sp'],
  sizes: [
    { count: 3, parameters: 123_894_720 },
    { count: 6, parameters: 113_274_432 },
  ],
  models: [
    {
      ...{ ...WHOLE, method: 'whole', kind: 'whole', label: 'Original', count: 0, removed: [], ppl: 28.4 },
      continuation: ' its lean, and for the view from its top.',
      ...{
        accuracy: 0.442,
        latency: spread(4.2, 0.1),
        throughput: spread(30.5, 0.7),
        memoryBytes: 0.62 * 2 ** 30,
      },
      speedUp: null,
    },
    { ...depth('ppl', [13, 17, 18], [41.2, 3.8, 0.421]), continuation: ' its tower.' },
    depth('taylor', [14, 15, 17], [44.6, 3.79, 0.43]),
    width('llm-pruner', 3, [43.1, 4.1, 0.425]),
    width('flap', 3, [36.9, 4.15, 0.428]),
    width('wanda-sp', 3, [52.4, 4.2, 0.401]),
    depth('plan', [13, 14, 15, 16, 17, 18], [98.1, 3.41, 0.377]),
    depth('ppl', [4, 13, 14, 16, 17, 18], [91.7, 3.4, 0.381]),
    depth('taylor', [12, 13, 14, 15, 16, 17], [117.5, 3.42, 0.39]),
    {
      ...{ method: 'llm-pruner', kind: 'width', label: 'LLM-Pruner, 6', count: 6, removed: [] },
      failure: 'The size cannot be reached: the model has 3 KV heads',
    },
    width('flap', 6, [61.3, 4.05, 0.402]),
    width('wanda-sp', 6, [148, 4.1, 0.362]),
  ],
  text: { from: 'text', name: 'wiki.test.txt', sha256: 'y', rows: 64, length: 128 },
  prompt: 'The tower is known for',
  speed: {
    ...{ batch: 1, newTokens: 128, runs: 3, warmup: 1, prompt: 'The', inTurns: true },
    environment: { threads: 2 } as NonNullable<VersusResult['speed']>['environment'],
  },
  ended: 'done',
  seconds: 300,
  device: 'cpu',
  precision: 'float32',
};

const runOf = (result: VersusResult, id = 'versus.json'): PanelRun => {
  const { cost: _, score: __, curve: ___, ...digest } = RUNS[0].digest;
  const versus = versusOf(JSON.parse(JSON.stringify(result)) as Record<string, unknown>);
  return { id, title: 'versus', changed: [], digest: { ...digest, kind: 'versus', versus } };
};
const shown = (result: VersusResult): PanelState => ({ ...EMPTY, runs: [runOf(result)] });
const wordsOf = async ({ page }: Panel, part = ''): Promise<string> =>
  (await page.locator(`.versus ${part}`).innerText()).replace(/\s+/g, ' ');
const rows = async ({ page }: Panel): Promise<string[]> =>
  (await page.locator('.versus .below .models tbody tr:not(.size)').allInnerTexts()).map((text) =>
    text.replace(/\s+/g, ' '),
  );

describeBrowser('depth against width in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('says what it is for while there is none, and starts the comparison', async () => {
    const panel = await openPanel(browser(), EMPTY);
    await panel.page.locator('.versus .empty', { hasText: 'narrower ones' }).waitFor();
    await button(panel, 'Try Width Pruning…').click();
    assert.deepEqual(panel.received('start'), [{ type: 'start', action: 'versus' }]);
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`draws a line for each method and the table of the paper, in a ${theme} theme`, async () => {
      const panel = await openPanel(browser(), shown(RESULT), { theme, width: 1100 });
      assert.match(
        await wordsOf(panel, '.summary'),
        /PPL, without 4, 13–14, 16–18: perplexity 91\.7, 1\.24× as fast\. FLAP, as large as without 6 blocks: perplexity 61\.3, 1\.04×/,
      );
      assert.match(
        await wordsOf(panel, '.chart-note'),
        /on 64 rows of wiki\.test\.txt\. Speed: 1 text of 128 .* took turns\./,
      );
      assert.match(await wordsOf(panel, '.legend'), /PPL \(depth\).*FLAP \(width\).*Plan \(depth\)/);
      const table = await rows(panel);
      assert.equal(table.length, 12);
      assert.match(table[0], /^Original 134,515,008 30 9 1,536 28\.4 44 % 4\.2 s ± 2\.4 % 30\.5 0\.62 GiB –$/);
      assert.match(table[4], /^FLAP 123,906,720 −7\.9 % 30 8\.25 ± 1\.4 1,416 ± 310 36\.9/);
      assert.deepEqual(await panel.page.locator('.versus .below .models .size').allInnerTexts(), [
        'Without 3 blocks, or as large',
        'Without 6 blocks, or as large',
      ]);
      assert.match(table[9], /^LLM-Pruner The size cannot be reached: the model has 3 KV heads/);
      const texts = await panel.page.locator('.versus .continuations tr').allInnerTexts();
      assert.deepEqual(
        texts.map((text) => text.replace(/\s+/g, ' ').trim()),
        [
          'Model The tower is known for',
          'Original its lean, and for the view from its top.',
          'Without 3 blocks, or as large',
          'PPL 13, 17–18 its tower.',
        ],
      );
      const best = await panel.page.locator('.versus .below strong').allInnerTexts();
      assert.ok(best.includes('36.9') && best.includes('61.3'), best.join());
      const targets = panel.page.locator('.versus .target');
      assert.equal(await targets.count(), 11, 'a model that does not exist has no point');
      await panel.page.locator('.versus').scrollIntoViewIfNeeded();
      await targets.nth(1).focus();
      await panel.page.locator('.versus .tooltip.is-shown', { hasText: '1.11× as fast as the original' }).waitFor();
      await picture(panel.page.locator('.versus'), `panel-versus-${theme}`);
      await targets.nth(1).press('Enter');
      assert.deepEqual(panel.received('plan/set'), [{ type: 'plan/set', removed: [13, 17, 18] }]);
      await targets.nth(4).press('Enter');
      assert.equal(panel.received('plan/set').length, 1, 'a narrower model is no plan');
      await choose(panel, 'versus', 'Against', /^\s*Latency\s*$/);
      await settled(panel);
      await panel.page.locator('.versus .charts', { hasText: 'Seconds for all tokens' }).waitFor();
      await picture(panel.page.locator('.versus'), `panel-versus-latency-${theme}`);
      await panel.close();
    });
  }

  it('shows accuracy too, and all numbers in a file', async () => {
    const panel = await openPanel(browser(), shown(RESULT));
    await choose(panel, 'versus', 'Show', /^\s*Accuracy\s*$/);
    await settled(panel);
    await panel.page.locator('.versus .charts', { hasText: 'Accuracy (%)' }).waitFor();
    await exportAs(panel, 'Depth against width', 'CSV');
    const lines = lastFile(panel).text.trimEnd().split(/\r?\n/);
    assert.equal(lines.length, 1 + 12);
    assert.match(lines[5], /^FLAP,width,3,,0\.1,123906720,30,8\.25,1\.4,1416,310,36\.9,42\.8/);
    await panel.close();
  });

  it('makes nothing of speeds that differ from run to run', async () => {
    const models = RESULT.models.map((model) => ({ ...model, ...(model.latency && { latency: spread(4, 1.5) }) }));
    const panel = await openPanel(browser(), shown({ ...RESULT, models }));
    assert.match(await wordsOf(panel, '.chart-note'), /the speeds say little/);
    assert.match(await wordsOf(panel, '.summary'), /perplexity 91\.7\. FLAP, .* perplexity 61\.3\.$/);
    const best = await panel.page.locator('.versus .below strong').allInnerTexts();
    assert.ok(best.includes('61.3') && !best.some((text) => text.includes('×')), best.join());
    await panel.close();
  });

  it('without speed and accuracy has neither choice nor column, and says what the text did', async () => {
    const models = RESULT.models.map(
      ({ latency: _, throughput: __, memoryBytes: ___, speedUp: ____, accuracy: _____, ...model }) => model,
    );
    const { speed: _, ...result } = RESULT;
    const text = { ...RESULT.text, from: 'calibration' as const };
    const panel = await openPanel(browser(), shown({ ...result, models, text, ended: 'cancelled' }));
    assert.match(await wordsOf(panel, '.chart-note'), /also chose what to keep.*The run was cancelled/);
    const heads = await panel.page.locator('.versus .below .models thead th').allInnerTexts();
    assert.deepEqual(heads, ['Model', 'Parameters', 'Blocks', 'Heads', 'FFN', 'Perplexity', 'Pruning']);
    assert.equal(await panel.page.locator('.versus .tools vscode-single-select').count(), 0);
    await panel.close();
  });
});
