/** The card of a vocabulary: its histogram, the line that the user moves, the numbers beside it, and what it offers. */
import assert from 'node:assert/strict';
import type { PanelRun, PanelState, RunDigest, VocabularyDigest } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import gemma from './gemma3-vocabulary.json' with { type: 'json' };
import { button, exportAs, lastFile, openPanel, type Panel, settled } from './open';
import { EMPTY } from './recorded';

/** A report on Gemma 3 270M and the test text of WikiText-2, as `coppice vocabulary` recorded it. */
const report = gemma as unknown as RunDigest;
const counted = report.vocabulary!;
const runOf = (changes: Partial<VocabularyDigest> = {}, id = 'a'): PanelRun => ({
  id,
  title: 'vocabulary',
  changed: [],
  digest: { ...report, vocabulary: { ...counted, ...changes } },
});
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });

const words = async ({ page }: Panel): Promise<string> =>
  (await page.locator('.card.vocabulary').innerText()).replace(/\s+/g, ' ');
const slider = ({ page }: Panel) => page.locator('.vocabulary').getByRole('slider');
const valueOf = (panel: Panel) => slider(panel).getAttribute('aria-valuenow');

describeBrowser('card of a vocabulary', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('has what stays, what that saves, and what it costs on text that was not counted', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()));
    const text = await words(panel);
    for (const part of [
      /Tokens that stay 25,408 9\.7 % of 262,144 Param/,
      /Parameters 116,587,136 −57 %, more than all 18 blocks Files/,
      /Held-out tokens kept 97 % 1\.041× as many tokens/,
      /Bits per byte 1\.487 from 1\.303, \+14 %/,
      /the original gives 7\.7 % of its probability to tokens that go, for a least count of 1\./,
      /gemma-3-270m-q4_k_m: 263,974 tokens of 1 text counted, .* For a least count of 1 they are encoded as before\./,
      /289 pieces of the texts that were not counted/,
      /242,635 of the model’s 262,144 tokens occur in none of them/,
      /suffer most where tokens stay that occur at least once .* Ambrose 7 1 3/,
    ])
      assert.match(text, part);
    assert.doesNotMatch(text, /perplexity|Not worth it/i);
    await panel.close();
  });

  it('moves its line by keys, with the numbers beside it', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()));
    const line = slider(panel);
    assert.deepEqual(
      await Promise.all(['aria-valuemin', 'aria-valuemax', 'aria-valuenow'].map((name) => line.getAttribute(name))),
      ['1', '100', '1'],
    );
    await line.focus();
    await panel.page.keyboard.press('ArrowRight');
    await settled(panel);
    assert.equal(await valueOf(panel), '2');
    assert.match(await words(panel), /Tokens that stay 16,128 .* stays: at least 2 times/);
    assert.match(await words(panel), /Files ≈ \d+\.\d MB .* Bits per byte 1\.487 for a least count of 1/);
    await panel.page.keyboard.press('ArrowUp');
    await settled(panel);
    assert.equal(await valueOf(panel), '3', 'the focus stays on the line');
    assert.match(
      (await line.getAttribute('aria-valuetext'))!,
      /^at least 3 times: 12,416 tokens stay, 93 % of the held/,
    );
    assert.match(await words(panel), /Held-out tokens kept 93 % length not measured here/);
    await panel.page.keyboard.press('End');
    await settled(panel);
    assert.equal(await valueOf(panel), '100');
    await panel.page.keyboard.press('PageDown');
    await settled(panel);
    assert.equal(await valueOf(panel), '20');
    await panel.page.keyboard.press('Home');
    await panel.page.keyboard.press('ArrowLeft');
    await settled(panel);
    assert.equal(await valueOf(panel), '1');
    await panel.close();
  });

  it('moves its line with the mouse, from count to count', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()), { width: 1280 });
    await slider(panel).scrollIntoViewIfNeeded();
    const box = (await slider(panel).locator('.threshold-grip').boundingBox())!;
    const y = box.y + box.height / 2;
    const { mouse } = panel.page;
    await mouse.move(box.x + box.width / 2, y);
    await mouse.down();
    const seen = new Set<string | null>();
    for (let step = 1; step <= 30; step++) {
      await mouse.move(box.x + box.width / 2 + 10 * step, y);
      seen.add(await valueOf(panel));
    }
    const before = await valueOf(panel);
    assert.ok(seen.size > 4, [...seen].join());
    assert.match(await words(panel), new RegExp(`stays: at least ${before} times`), 'before the button is released');
    await mouse.up();
    await settled(panel);
    assert.equal(await valueOf(panel), before);
    await panel.page.locator('.vocabulary .target[data-key="8"]').click();
    await settled(panel);
    assert.equal(await valueOf(panel), '7', 'a bar takes the line to the count before it');
    const again = await openPanel(browser(), panelOf(runOf()), { kept: panel.state });
    assert.equal(await valueOf(again), '7', 'it is remembered');
    await again.close();
    await panel.close();
  });

  it('leads to writing with the count of the line', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()));
    await slider(panel).focus();
    await panel.page.keyboard.press('ArrowRight');
    await settled(panel);
    await button(panel, 'Trim with This Threshold…').click();
    assert.deepEqual(panel.received('start/vocabulary').at(-1), { type: 'start/vocabulary', run: 'a', min: 2 });
    await panel.page.locator('.vocabulary').getByRole('button', { name: 'Trim Vocabulary…' }).click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'vocabulary' });
    await panel.close();
  });

  it('says first that it is not worth it, and when nothing was held out', async () => {
    const advice = 'trimming the vocabulary saves only 3.1 % of the parameters of this model';
    const panel = await openPanel(browser(), panelOf(runOf({ advice })));
    assert.match(await words(panel), /Not worth it here: trimming the vocabulary saves only 3\.1 %/);
    await panel.close();
    const heldOut = { pieces: 0, covered: 0, coverage: null, growth: null };
    const other = await openPanel(browser(), panelOf(runOf({ heldOut, words: [] })));
    assert.match(await words(other), /Nothing was held out/);
    assert.match(await words(other), /Held-out tokens kept – nothing was held out/);
    assert.deepEqual(other.errors, []);
    await other.close();
  });

  it('of a model that was written has a line that stays, and nothing to write', async () => {
    const panel = await openPanel(browser(), panelOf(runOf({ rows: [], written: 'gemma-help.gguf', min: 5 })));
    assert.equal(await slider(panel).count(), 0);
    assert.equal(await button(panel, 'Trim with This Threshold…').count(), 0);
    assert.match(await words(panel), /Written to gemma-help\.gguf\./);
    assert.match(await words(panel), /stays: at least 5 times/);
    await panel.close();
  });

  it('offers to count while there is none, and exports its numbers', async () => {
    const empty = await openPanel(browser(), EMPTY);
    await empty.page.locator('.vocabulary').getByRole('button', { name: 'Trim Vocabulary…' }).click();
    assert.deepEqual(empty.received('start').at(-1), { type: 'start', action: 'vocabulary' });
    await empty.close();
    const panel = await openPanel(browser(), panelOf(runOf()));
    await exportAs(panel, 'Vocabulary', 'JSON');
    const rows = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    assert.equal(rows.length, counted.rows.length);
    assert.deepEqual([rows[1]['Least count'], rows[1]['Tokens that stay']], [2, 16_128]);
    await panel.close();
  });

  for (const theme of ['dark', 'light', 'hc-dark'] as const) {
    it(`is readable in ${theme}`, async () => {
      const panel = await openPanel(browser(), panelOf(runOf()), { theme, width: 1280 });
      await slider(panel).focus();
      await panel.page.keyboard.press('ArrowRight');
      await panel.page.keyboard.press('ArrowRight');
      await settled(panel);
      await picture(panel.page.locator('.card.vocabulary'), `vocabulary-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }
});
