/** The card of qualities, and the figures beside the perplexity of a plan. */
import assert from 'node:assert/strict';
import type { PanelChild } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { exportAs, lastFile, openPanel, settled, update } from './open';
import { EMPTY, FULL, planOf } from './recorded';

const SENTENCE =
  /Their vocabularies differ, so perplexities of a token do not compare: bits per byte of the same text do\./;

describeBrowser('quality of models in the panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('stands beside the perplexity of the plan, and in a table of all models', async () => {
    const panel = await openPanel(browser(), FULL);
    const { page } = panel;
    const figures = (await page.locator('.figures').innerText()).replace(/\s+/g, ' ');
    assert.match(figures, /KL divergence 0\.341 same next token: 58 %/);
    const rows = await page.locator('.quality tbody tr').allInnerTexts();
    assert.deepEqual(
      rows.map((row) => row.replace(/\s+/g, ' ').trim()),
      [
        'HuggingFaceTB/SmolLM2-135M 30.52 – not measured – not measured 0 %',
        'Without 14, 17–18 this plan 47.61 0.341 58 % 33 %',
        'adapter-a 35.71 0.127 70 % 8.0 %',
      ],
    );
    await exportAs(panel, 'Quality', 'CSV');
    assert.match(lastFile(panel).text, /adapter-a,35\.7\d*,0\.127,0\.702,0\.08,HuggingFaceTB\/SmolLM2-135M/);
    await panel.post(update(1, { plan: planOf([]) }));
    await settled(panel);
    assert.doesNotMatch(await page.locator('.figures').innerText(), /KL divergence/, 'there is none');
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const) {
    it(`is readable in ${theme}`, async () => {
      const panel = await openPanel(browser(), FULL, { theme, width: 1280 });
      await picture(panel.page, `panel-quality-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }

  const child: PanelChild = {
    ...{ name: 'SmolLM2-trimmed', path: '/m/trimmed', removed: [], kind: 'vocabulary', retrained: [], ppl: null },
    ...{ otherVocabulary: 18_304, bitsPerByte: 1.412 },
  };
  const other = {
    ...FULL,
    kin: { parent: null, original: null, children: [child] },
    runs: FULL.runs.map(({ digest, ...run }) => ({
      ...run,
      digest: digest.quality
        ? { ...digest, quality: digest.quality.map((each) => ({ ...each, bitsPerByte: 1.381 })) }
        : digest,
    })),
  };

  for (const theme of ['dark', 'light'] as const) {
    it(`compares a model with another vocabulary by bits per byte, and says why (${theme})`, async () => {
      const panel = await openPanel(browser(), other, { theme, width: 1280 });
      const { page } = panel;
      const head = await page.locator('.quality thead').innerText();
      assert.match(head.replace(/\s+/g, ' '), /Model Bits per byte Perplexity/i);
      const rows = await page.locator('.quality tbody tr').allInnerTexts();
      const words = rows.map((row) => row.replace(/\s+/g, ' ').trim());
      assert.equal(words.at(-1), 'SmolLM2-trimmed 1.412 – not measured – not measured – not measured – not measured');
      assert.match(
        words.find((row) => row.startsWith('adapter-a'))!,
        /^adapter-a 1\.381 35\.71 /,
      );
      assert.match(await page.locator('.quality .summary').innerText(), SENTENCE);
      assert.match(
        await page.getByText('Derived model: SmolLM2-trimmed').innerText(),
        /vocabulary of 18,304 tokens · 1\.412 bits per byte/,
      );
      await exportAs(panel, 'Quality', 'CSV');
      assert.match(lastFile(panel).text, /^SmolLM2-trimmed,1\.412,,,/m);
      await picture(page, `panel-quality-vocabularies-${theme}`);
      await page.locator('.quality').scrollIntoViewIfNeeded();
      await picture(page.locator('.quality'), `panel-quality-vocabularies-card-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }

  it('has no such column and sentence where the vocabulary is one', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.doesNotMatch(await panel.page.locator('.quality').innerText(), /bits per byte/i);
    await panel.close();
  });

  it('says why a comparison of runs has bits per byte', async () => {
    const panel = await openPanel(browser(), FULL);
    const compared = { titles: ['eval', 'eval'], rows: [] };
    await panel.post(update(1, { comparison: { ...compared, otherVocabularies: true } }));
    await settled(panel);
    assert.match(await panel.page.locator('.comparison').innerText(), SENTENCE);
    await panel.post(update(2, { comparison: compared }));
    await settled(panel);
    assert.doesNotMatch(await panel.page.locator('.comparison').innerText(), SENTENCE);
    await panel.close();
  });

  it('is not shown while there is nothing to compare', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.equal(await panel.page.locator('.quality').isVisible(), false);
    await panel.close();
  });
});
