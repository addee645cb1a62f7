/** The importance chart in a browser: its scale, its order, ranges of blocks by mouse and keys, and the table of ranks. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import type { PanelState, ScoreDigest } from '../../../src/protocol/panel';
import { until } from '../../support/until';
import type { ViewState } from '../../../webview/panel/state/view-state';
import { describeBrowser } from '../support/browser';
import { buildPages, TWO_THEMES } from '../support/page';
import { picture } from '../support/picture';
import { openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, planOf, RUNS } from './recorded';

const block = (panel: Panel, n: number): Locator => panel.page.locator(`.importance .target[data-key="${n}"]`);
const cell = (panel: Panel, criterion: string, n: number | 'name'): Locator =>
  panel.page.locator(`.heat [data-key="heat-${criterion}-${n}"]`);
const focusedKey = (panel: Panel): Promise<string> => panel.page.evaluate<string>('document.activeElement.dataset.key');
const picked = (panel: Panel): Promise<number[]> =>
  panel.page.evaluate<number[]>(
    `[...document.querySelectorAll('.importance .is-picked')].map((area) => Number(area.dataset.key))`,
  );
/** The plans that the page has asked for, once there are so many; there are no more. */
async function plansOf(panel: Panel, count: number): Promise<(readonly number[])[]> {
  await until(`plan ${count}`, () => panel.received('plan/set').length >= count);
  await settled(panel);
  return panel.received('plan/set').map(({ removed }) => removed);
}
/** All words in the chart of bars. */
const wordsOf = async (panel: Panel): Promise<string> =>
  (await panel.page.locator('.importance .charts svg').first().locator('text').allTextContents()).join('\n');

/** A panel with only these scores, and no block protected. */
function scored(score: ScoreDigest, removed: readonly number[] = []): PanelState {
  const { length } = score.blocks;
  const runs = [{ ...RUNS[0], id: 's', digest: { ...RUNS[0].digest, score } }];
  return {
    ...EMPTY,
    ...{ runs, plan: { ...planOf(removed), protected: [], locked: [] } },
    model: { ...EMPTY.model, blocks: length },
  };
}

/** Moves the mouse with its button down from one block to others. */
async function drag(panel: Panel, ...blocks: readonly number[]): Promise<void> {
  for (const [i, n] of blocks.entries()) {
    const { x, y, width } = (await block(panel, n).boundingBox())!;
    await panel.page.mouse.move(x + width / 2, y + 120, { steps: 4 });
    if (i === 0) await panel.page.mouse.down();
  }
}

describeBrowser('importance chart', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('shows how much worse the model gets on one axis of factors, which cuts nothing and leaves no stubs', async () => {
    const panel = await openPanel(browser(), FULL);
    const words = await wordsOf(panel);
    assert.match(words, /^×1$/m);
    assert.match(words, /^×1\.05$/m);
    assert.match(words, /Perplexity without the block, × the original’s 30\.52 · log scale/);
    assert.doesNotMatch(words, /≈/);
    assert.equal(await panel.page.locator('.importance .break').count(), 0);
    const heights = await panel.page.evaluate<number[]>(
      `[...document.querySelectorAll('.bars-kept > *, .bars-removed > *')].map((bar) => bar.getBBox().height)`,
    );
    assert.equal(heights.length, 30);
    assert.ok(Math.min(...heights) > 25, `the shortest has ${Math.min(...heights)} px`);
    assert.equal(heights.filter((height) => height > 140).length, 2, 'blocks 0 and 1 are far above the others');
    const { right, end } = await panel.page.evaluate<{ right: number; end: number }>(`({
      right: Math.max(...[...document.querySelectorAll('.importance .target')].map((area) => area.getBoundingClientRect().right)),
      end: document.querySelector('.importance .charts').getBoundingClientRect().right,
    })`);
    assert.ok(end - right < 6, `${end - right} px are empty`);
    await panel.close();
  });

  it('says above the bars that the model does not fit the text, with both numbers and what to do', async () => {
    const blocks = [27, 30, 36, 45].map((score, index) => ({ index, score }));
    const score = { criterion: 'ppl', full: 226, blocks, text: 'novel.txt' };
    const unfit = { ppl: 226, limit: 512 };
    const told = async (own: ScoreDigest): Promise<string> => {
      const panel = await openPanel(browser(), scored(own));
      const words = (await panel.page.locator('.importance').textContent()) ?? '';
      await panel.close();
      return words;
    };
    assert.doesNotMatch(await told(score), /does not fit/);
    assert.match(
      await told({ ...score, unfit: { ...unfit, other: { begins: true, ppl: 31 } } }),
      /⚠ The model does not fit these rows: its perplexity is 226, with a begin-of-text token before each row 31\. .*Score again\./,
    );
    assert.match(await told({ ...score, unfit: { ...unfit, ppl: 900 } }), /more than 512, which is beyond reason/);
  });

  it('goes below the whole model where a block does harm, and breaks only a bar without an end', async () => {
    const values = ['Infinity', 27, 30, 36, 45] as const;
    const blocks = values.map((score, index) => ({ index, score }));
    const panel = await openPanel(browser(), scored({ criterion: 'ppl', full: 30, blocks }));
    const words = await wordsOf(panel);
    assert.match(words, /^∞$/m);
    assert.match(words, /^×0\.\d+$/m);
    assert.equal(await panel.page.locator('.importance .break').count(), 1);
    const bars = await panel.page.evaluate<{ top: number; bottom: number }[]>(
      `[...document.querySelectorAll('.bars-kept > *')].map((bar) => bar.getBoundingClientRect()).map(({ top, bottom }) => ({ top, bottom }))`,
    );
    assert.ok(Math.abs(bars[1].top - bars[3].bottom) < 1, 'block 1 hangs where block 3 stands');
    assert.ok(bars[1].bottom > bars[3].bottom + 20);
    assert.ok(bars[0].top < bars[4].top - 10, 'no other bar is as long as the one without an end');
    assert.equal(await panel.page.locator('.importance .noise').count(), 0, 'there are no intervals');
    assert.doesNotMatch(await panel.page.locator('.importance').innerText(), /noise/i);
    await panel.close();
  });

  it('has fields of noise where intervals are known, and says which blocks are hardly told from it', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.equal(await panel.page.locator('.importance .noise rect').count(), 30);
    const card = panel.page.locator('.importance');
    await card
      .getByText(/For 16 of 30 blocks, removal has no measurable effect on this text\. More samples help\./)
      .waitFor();
    await card.getByText('Noise band: removing a block whose bar ends here may cost nothing').waitFor();
    const interval = (low: number, high: number) => ({ jointLow: low, jointHigh: high });
    const rowsKey = `${'a'.repeat(64)} 10×128 seed 1234`;
    const blocks = [
      { index: 0, score: 31, ...interval(29, 33) },
      { index: 1, score: 29, ...interval(27, 31) },
      { index: 2, score: 45, ...interval(41, 49) },
    ];
    const one = scored({ criterion: 'ppl', full: 30, rowsKey, text: 'calibration.txt', blocks });
    await panel.post({ sequence: 0, type: 'init', state: one });
    await card
      .getByText(/Removing one of the blocks 0–1 has no measurable effect on this text\. More samples help\./)
      .waitFor();
    const bars = await panel.page.evaluate<{ noise: number; end: number }[]>(
      `[...document.querySelectorAll('.importance .noise rect')].map((field, block) => {
        const bar = [...document.querySelectorAll('.bars-kept > *')][block].getBoundingClientRect();
        return { noise: field.getBoundingClientRect().height / 2, end: bar.height };
      })`,
    );
    assert.deepEqual(
      bars.map(({ noise, end }) => end < noise),
      [true, true, false],
      'the picture says what the sentence says',
    );
    await card.getByRole('button', { name: 'Score on 32 Samples' }).click();
    assert.deepEqual(panel.received('score/more').at(-1), {
      type: 'score/more',
      criterion: 'ppl',
      rowsKey,
      samples: 32,
    });
    const least = { criterion: 'ppl', full: 30, blocks: blocks.slice(2).map((each) => ({ ...each, index: 0 })) };
    await panel.post({ sequence: 0, type: 'init', state: scored(least) });
    await card.getByText(/Removing any block has a measurable effect\./).waitFor();
    assert.equal(await card.getByRole('button', { name: /Samples/ }).count(), 0);
    await panel.close();
  });

  it('has a line where a suggestion of as many blocks as the plan has would end', async () => {
    const blocks = [33, 60, 31, 45].map((score, index) => ({ index, score }));
    const state = scored({ criterion: 'ppl', full: 30, blocks });
    const panel = await openPanel(browser(), state);
    const line = panel.page.locator('.importance .threshold line');
    assert.equal(await line.count(), 0, 'the plan takes nothing');
    const topOf = async (n: number): Promise<number> =>
      panel.page.evaluate<number>(
        `Math.min(...[...document.querySelectorAll('.bars-kept > *, .bars-removed > *')].filter((bar) => {
          const area = document.querySelector('.importance .target[data-key="${n}"]').getBoundingClientRect();
          const { left, right } = bar.getBoundingClientRect();
          return left > area.left && right < area.right;
        }).map((bar) => bar.getBoundingClientRect().top))`,
      );
    await panel.post(update(1, { plan: { ...state.plan, removed: [1, 3] } }));
    await panel.page.getByText('Blocks below this line would be suggested (2)').waitFor();
    const at = (await line.boundingBox())!.y;
    assert.ok((await topOf(3)) < at && at < (await topOf(0)), 'between 45 and 33');
    await panel.post(update(2, { plan: { ...state.plan, removed: [3] } }));
    await panel.page.getByText('Blocks below this line would be suggested (1)').waitFor();
    const next = (await line.boundingBox())!.y;
    assert.ok((await topOf(0)) < next && next < (await topOf(2)), 'between 33 and 31');
    await panel.close();
  });

  it('orders bars by score, keeps what they are and where cells are, and keeps the order', async () => {
    const panel = await openPanel(browser(), FULL);
    const keys = (): Promise<string[]> =>
      panel.page.evaluate<string[]>(
        `[...document.querySelectorAll('.importance .target')].map((area) => area.dataset.key)`,
      );
    const label = await block(panel, 14).getAttribute('aria-label');
    assert.deepEqual((await keys()).slice(0, 4), ['0', '1', '2', '3']);
    const byScore = panel.page.locator('.importance').getByRole('button', { name: 'By score' });
    await byScore.focus();
    await panel.page.keyboard.press('Enter');
    await settled(panel);
    assert.deepEqual((await keys()).slice(0, 5), ['5', '4', '17', '3', '6']);
    assert.equal((await keys()).at(-1), '0');
    assert.equal(await byScore.getAttribute('aria-pressed'), 'true');
    assert.equal(await block(panel, 14).getAttribute('aria-label'), label);
    const across = async (place: Locator): Promise<number> => {
      const { x, width } = (await place.boundingBox())!;
      return x + width / 2;
    };
    for (const n of [0, 5, 14, 29])
      assert.ok(Math.abs((await across(block(panel, n))) - (await across(cell(panel, 'magnitude', n)))) < 0.5);
    await block(panel, 5).click({ force: true }); // locked
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press(' ');
    await until('a key', () => panel.received('plan/toggle').length > 0);
    assert.deepEqual(panel.received('plan/toggle'), [{ type: 'plan/toggle', block: 4 }]);
    await until('it is kept', () => (panel.state as { view?: ViewState }).view?.byScore === true);
    const kept = panel.state;
    await panel.close();
    const again = await openPanel(browser(), FULL, { kept });
    assert.equal(await again.page.locator('.importance .target').first().getAttribute('data-key'), '5');
    await again.close();
  });

  it('removes or keeps all bars of a drag with one message, and skips locked ones', async () => {
    const panel = await openPanel(browser(), FULL); // 14, 17 and 18 go; 5 is locked
    await drag(panel, 3, 7);
    assert.deepEqual(await picked(panel), [3, 4, 5, 6, 7]);
    assert.match(
      await panel.page.locator('.importance .tooltip').innerText(),
      /5 blocks, from 3 to 7\s+Release to remove/,
    );
    await panel.page.mouse.up();
    assert.deepEqual(await plansOf(panel, 1), [[3, 4, 6, 7, 14, 17, 18]]);
    await panel.post(update(1, { plan: planOf([3, 4, 6, 7, 14, 17, 18]) }));
    await settled(panel);
    await drag(panel, 18, 16, 13, 15);
    assert.match(await panel.page.locator('.importance .tooltip').innerText(), /Release to keep/);
    await panel.page.mouse.up();
    assert.deepEqual((await plansOf(panel, 2))[1], [3, 4, 6, 7, 14], 'those from 15 to 18, as the first one');
    await drag(panel, 20, 24);
    await panel.page.keyboard.press('Escape');
    await panel.page.mouse.up();
    await drag(panel, 20, 24, 20); // back: a click
    await panel.page.mouse.up();
    await until('a click', () => panel.received('plan/toggle').length > 0);
    assert.deepEqual(panel.received('plan/toggle'), [{ type: 'plan/toggle', block: 20 }]);
    assert.equal((await plansOf(panel, 2)).length, 2);
    await panel.close();
  });

  it('extends a click by another with Shift, and goes on from the first', async () => {
    const panel = await openPanel(browser(), FULL);
    await block(panel, 20).click();
    await panel.post(update(1, { plan: planOf([14, 17, 18, 20]) }));
    await settled(panel);
    await block(panel, 22).click({ modifiers: ['Shift'] });
    assert.deepEqual(await plansOf(panel, 1), [[14, 17, 18, 20, 21, 22]], 'removed, as block 20 was by the click');
    await panel.post(update(2, { plan: planOf([14, 17, 18, 20, 21, 22]) }));
    await settled(panel);
    await block(panel, 18).click({ modifiers: ['Shift'] });
    assert.deepEqual((await plansOf(panel, 2))[1], [14, 17, 18, 19, 20, 21, 22]);
    assert.equal(panel.received('plan/toggle').length, 1);
    await panel.close();
  });

  it('extends a range by Shift and arrow keys, tells it, and toggles it by Space, again and again', async () => {
    const panel = await openPanel(browser(), FULL);
    const spoken = panel.page.locator('.importance .below [role="status"]');
    await block(panel, 7).focus();
    for (let i = 0; i < 3; i++) await panel.page.keyboard.press('Shift+ArrowLeft');
    assert.deepEqual(await picked(panel), [4, 5, 6, 7]);
    assert.equal(await focusedKey(panel), '4');
    assert.equal(await spoken.textContent(), '4 blocks, from 4 to 7. Space removes or keeps them all.');
    assert.match(
      await panel.page.locator('.importance .tooltip').innerText(),
      /4 blocks, from 4 to 7\s+Space removes them/,
    );
    await panel.page.keyboard.press(' ');
    assert.deepEqual(await plansOf(panel, 1), [[4, 6, 7, 14, 17, 18]]);
    assert.equal(await spoken.textContent(), '4 blocks, from 4 to 7: removed');
    await panel.post(update(1, { plan: planOf([4, 6, 7, 14, 17, 18]) }));
    await settled(panel);
    assert.deepEqual(await picked(panel), [4, 5, 6, 7], 'a redraw keeps the range');
    assert.equal(await focusedKey(panel), '4');
    await panel.page.keyboard.press(' ');
    assert.deepEqual((await plansOf(panel, 2))[1], [14, 17, 18]);
    await panel.page.keyboard.press('Shift+ArrowRight');
    assert.deepEqual(await picked(panel), [5, 6, 7]);
    await panel.page.keyboard.press('ArrowRight');
    assert.deepEqual(await picked(panel), []);
    await panel.page.keyboard.press(' ');
    await until('a key', () => panel.received('plan/toggle').length > 0);
    assert.deepEqual(panel.received('plan/toggle'), [{ type: 'plan/toggle', block: 6 }]);
    await panel.close();
  });

  it('has the ranks of all criteria as a grid, of which a name makes its criterion the bars', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.match(
      (await cell(panel, 'magnitude', 14).getAttribute('aria-label'))!,
      /^Magnitude, block 14, rank 4 of 30 \(1 = removed first\), the plan removes it$/,
    );
    assert.equal(await cell(panel, 'magnitude', 14).textContent(), '4');
    assert.equal(await panel.page.locator('.heat-plan').count(), 3);
    await cell(panel, 'block-influence', 20).hover();
    assert.match(
      await panel.page.locator('.importance .tooltip').innerText(),
      /^Block influence\s+block 20\s+rank 24 of 30/,
    );
    await cell(panel, 'ppl', 'name').focus();
    await panel.page.keyboard.press('ArrowDown');
    await panel.page.keyboard.press('ArrowRight');
    assert.equal(await focusedKey(panel), 'heat-block-influence-0');
    await panel.page.keyboard.press('Home');
    await panel.page.keyboard.press('Enter');
    await panel.page.getByText(/^By block influence, block 25 matters least/).waitFor();
    await settled(panel);
    assert.equal(await focusedKey(panel), 'heat-block-influence-name', 'the focus stays');
    assert.equal(await cell(panel, 'block-influence', 'name').getAttribute('aria-pressed'), 'true');
    assert.match(await wordsOf(panel), /Block influence · log scale/);
    await panel.page.getByRole('button', { name: 'Show magnitude as bars' }).click();
    await panel.page.getByText(/^By magnitude, block/).waitFor();
    await settled(panel);
    assert.match(await wordsOf(panel), /Magnitude · linear scale/);
    await panel.close();
  });

  /** The least contrast of a number in the grid with the tone behind it, as the browser paints it. */
  const CONTRAST = `(() => {
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const luminance = (...layers) => {
      for (const [color, opacity] of layers) {
        paint.globalAlpha = opacity;
        paint.fillStyle = color;
        paint.fillRect(0, 0, 1, 1);
      }
      const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
        .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = getComputedStyle(document.querySelector('.importance')).backgroundColor;
    return [...document.querySelectorAll('.heat-rank')].map((number) => {
      const { fill, fillOpacity } = getComputedStyle(number.parentElement.querySelector('.heat-cell'));
      const [one, other] = [luminance([paper, 1], [fill, Number(fillOpacity)]), luminance([getComputedStyle(number).fill, 1])];
      return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    });
  })()`;

  for (const theme of TWO_THEMES) {
    it(`can be read in ${theme}: numbers on every tone, ranges, and bars by score`, async () => {
      const kept = { view: { byScore: true, criterion: 'block-influence' } };
      const runs = RUNS.filter(({ digest }) => digest.score);
      const state = { ...EMPTY, runs, plan: FULL.plan };
      const panel = await openPanel(browser(), state, { theme, width: 900, kept });
      const contrasts = await panel.page.evaluate<number[]>(CONTRAST);
      assert.equal(contrasts.length, 90);
      assert.ok(Math.min(...contrasts) >= 4.5, `${Math.min(...contrasts)}`);
      await block(panel, 17).focus();
      for (let i = 0; i < 4; i++) await panel.page.keyboard.press('Shift+ArrowRight');
      await panel.checkAccessibility();
      await picture(panel.page, `panel-importance-${theme}`);
      await panel.close();
    });
  }
});
