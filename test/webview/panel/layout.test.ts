/** What is where in the panel and the report: what is drawn and what is hit, what lines up, what does not move. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { reportHtml } from '../../../src/engine/records/report';
import type { HostMessage, PanelMessage, PanelRun, PanelState, ScoreDigest } from '../../../src/protocol/panel';
import { full } from '../../support/shared';
import { describeBrowser } from '../support/browser';
import { buildPages, pageFile, Webview } from '../support/page';
import { openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL, opening, planOf, RUNS, trainingSteps } from './recorded';

const WIDTHS = full ? [300, 402, 555, 800, 1280, 1400] : [300, 1280];
const DEPTHS = full ? [4, 5, 12, 30, 47, 64, 65, 128] : [4, 30, 65, 128];

/** Longer than the line that it stands in. */
const WARNING =
  'removes blocks 0, 13, 29, which matter much (ppl 125.4, 62.31, 48.9); removes blocks 1, 2, 3, 28, which the paper keeps';

/** A block in the importance chart and the table below, all in pixels of the window. */
interface Place {
  readonly bar: number;
  readonly left: number;
  readonly right: number;
  /** Of the cell in the table of ranks. */
  readonly rank: number;
}

const middle = (box: string): string => `(({ left, right }) => (left + right) / 2)(${box}.getBoundingClientRect())`;

/** From left to right: centre of a bar, edges of its target, centre of the cell below. All bars are of kept blocks. */
const places = (page: Page): Promise<Place[]> =>
  page.evaluate<Place[]>(`(() => {
    const card = document.querySelector('.importance');
    const bars = [...card.querySelectorAll('.bars-kept rect, .bars-kept path')];
    const ranks = [...[...card.querySelectorAll('.heat [role="row"]')].at(-1).querySelectorAll('[role="gridcell"]')];
    return [...card.querySelectorAll('.target')].map((target, i) => {
      const { left, right } = target.getBoundingClientRect();
      return { bar: ${middle('bars[i]')}, left, right, rank: ${middle('ranks[i]')} };
    });
  })()`);

/** Scores by two criteria of which the second's order is the reverse. */
function scored(blocks: number): PanelState {
  const score = (criterion: string, sign: number): ScoreDigest => ({
    criterion,
    ...(criterion === 'ppl' && { full: 40 }),
    blocks: Array.from({ length: blocks }, (_, index) => ({ index, score: 45 + sign * ((index * 7) % 5) })),
  });
  const runs = [score('ppl', 1), score('taylor', -1)].map((each): PanelRun => {
    return { ...RUNS[0], id: each.criterion, digest: { ...RUNS[0].digest, score: each } };
  });
  const plan = { ...planOf([]), protected: [], locked: [] };
  return { ...EMPTY, runs, plan, model: { ...EMPTY.model, blocks } };
}

/** A report of these runs. */
async function openReport(page: Page, runs: readonly PanelRun[]): Promise<void> {
  const asset = (name: string): string => readFileSync(pageFile(name), 'utf8');
  const html = reportHtml(
    runs.map(({ digest }) => digest),
    { script: asset('report.js'), style: asset('report.css') },
  );
  await page.setContent(html);
  await page.locator('.importance .target').first().waitFor({ state: 'attached' });
}

const edges = (page: Page, selector: string): Promise<{ left: number; right: number }[]> =>
  page.evaluate(`[...document.querySelectorAll('${selector}')].map((element) => {
    const { left, right } = element.getBoundingClientRect();
    return { left, right };
  })`);

/** Pixels by which the page is too wide. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describeBrowser('layout of the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('a bar, its target and its place among the ranks are one below the other, at every width and depth', async function () {
    this.timeout(120_000);
    const panel = await openPanel(browser(), scored(4));
    let sequence = 0;
    for (const blocks of DEPTHS) {
      const { runs, model, plan } = scored(blocks);
      await panel.post(update(++sequence, { runs, model, plan }));
      for (const width of WIDTHS) {
        await panel.page.setViewportSize({ width, height: 900 });
        await settled(panel);
        const found = await places(panel.page);
        const what = `${blocks} blocks, ${width} px`;
        assert.equal(found.length, blocks, what);
        for (const [block, { bar, left, right, rank }] of found.entries()) {
          const away = Math.abs(bar - (left + right) / 2);
          assert.ok(away < 0.5, `${what}: bar ${block} is ${away} px from the middle of its target`);
          assert.ok(left < bar && bar < right, `${what}: bar ${block} is in the target of another`);
          assert.ok(Math.abs(bar - rank) < 0.5, `${what}: rank ${block} at ${rank}, bar at ${bar}`);
        }
      }
    }
    await panel.close();
  });

  it('a click in the middle of a bar takes that block, and the focus ring is around it', async () => {
    for (const [blocks, width] of [
      [30, 1280],
      [30, 402],
      [128, 1400],
      [12, 300],
    ] as const) {
      const panel = await openPanel(browser(), scored(blocks), { width });
      const expected: number[] = [];
      for (const block of [0, 1, Math.floor(blocks / 2), blocks - 2, blocks - 1]) {
        const bar = panel.page.locator('.bars-kept > *').nth(block);
        await bar.scrollIntoViewIfNeeded();
        const box = (await bar.boundingBox())!;
        await panel.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
        expected.push(block);
        const ring = await panel.page.evaluate<{ key: string; left: number; right: number }>(
          `(({ dataset: { key }, ...rest }, { left, right }) => ({ key, left, right }))(document.activeElement, document.activeElement.getBoundingClientRect())`,
        );
        assert.equal(ring.key, String(block));
        assert.ok(
          ring.left <= box.x && box.x + box.width <= ring.right,
          `${blocks}: ring of ${block} is around its bar`,
        );
      }
      const toggled = panel.received('plan/toggle').map((message) => message.block);
      assert.deepEqual(toggled, expected, `${blocks} blocks, ${width} px`);
      await panel.close();
    }
  });

  it('the charts of a report line up, and its cards have one width', async () => {
    const page = await browser().newPage();
    for (const width of full ? [300, 402, 900, 1280, 1400] : [300, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await openReport(page, scored(30).runs);
      await page.waitForFunction(`document.querySelectorAll('.importance .charts svg').length === 2`);
      for (const [block, { bar, rank }] of (await places(page)).entries())
        assert.ok(Math.abs(bar - rank) < 0.5, `${width} px: rank ${block} at ${rank}, bar at ${bar}`);
      await openReport(page, RUNS);
      const [first, ...others] = await edges(page, '.importance, .measured, #records');
      assert.equal(others.length, 2);
      for (const other of others) assert.deepEqual(other, first, `${width} px`);
      assert.equal(await overflow(page), 0, `${width} px`);
    }
    await page.close();
  });

  /** Tops of all that a click must not move: everything down to the table of costs, in which the plan is a line. */
  const tops = ({ page }: Panel): Promise<Record<string, number>> =>
    page.evaluate(`Object.fromEntries([...document.querySelectorAll(
      '.plan, .plan-way, .verdict, .stepper, .dock, .block-map, .next, .figures, .plan-actions, .plan-note, .cards, .card, .card > .summary, .card .legend, .importance .charts svg')].filter((element) => !element.matches('.runs'))
      .map((element, i) => [i + ' ' + element.getAttribute('class').replace(' is-warning', ''), element.getBoundingClientRect().top + scrollY]))`);

  for (const width of full ? [1280, 700, 402, 300] : [1280, 402]) {
    it(`nothing moves while a click's perplexity is computed and when it is there, at ${width} px`, async () => {
      const base: PanelState = {
        ...FULL,
        whatIf: { ...FULL.whatIf, removed: [], ppl: FULL.whatIf.full },
        plan: planOf([]),
      };
      const panel = await openPanel(browser(), base, { width });
      let sequence = 0;
      let before = await tops(panel);
      assert.ok(Object.keys(before).length > 12);
      let known = base.whatIf;
      for (const removed of [[14], [4, 14, 16], [4, 13, 14, 16, 17, 18, 20, 22], []]) {
        for (const whatIf of [
          { ...known, status: 'waiting' as const, failure: null },
          { ...known, status: 'computing' as const },
          { ...known, status: 'done' as const, removed, ppl: 31.25 + 9.1 ** removed.length, seconds: 0.84 },
        ]) {
          const warning = removed.includes(13) ? WARNING : null;
          await panel.post(update(++sequence, { plan: planOf(removed, { warning }), whatIf }));
          await settled(panel);
          const now = await tops(panel);
          assert.deepEqual(now, before, `without ${removed.join()}: ${whatIf.status}`);
          before = now;
          known = whatIf;
        }
      }
      await panel.close();
    });
  }

  it('has the head and all bars in its first frame, and moves nothing when the other cards come', async () => {
    const panel = await Webview.open<HostMessage, PanelMessage>(browser(), {
      name: 'panel',
      inlineStyles: true,
      width: 1280,
      receive: () => undefined,
    });
    const places = `Object.fromEntries([...document.querySelectorAll('h1, .dock, .figures, .figures > *, .card.importance, .importance .target')]
      .map((each, i) => { const { x, y, width } = each.getBoundingClientRect(); return [i + ' ' + each.getAttribute('class'), [x, y, width]]; }))`;
    const first = await panel.page.evaluate<{ bars: number; cards: number; places: object }>(`(async () => {
      dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(opening(FULL))} }));
      await new Promise((drawn) => requestAnimationFrame(drawn));
      const count = (selector) => document.querySelectorAll(selector).length;
      return { bars: count('.importance .target'), cards: count('.card'), places: ${places} };
    })()`);
    assert.deepEqual([first.bars, first.cards], [FULL.model.blocks, 1]);
    await panel.page.locator('.card.runs table').waitFor();
    await settled(panel);
    assert.deepEqual(await panel.page.evaluate(places), first.places);
    await panel.close();
  });

  it('is as wide as the window, with runs of long names in every list', async () => {
    const long = 'a prompt of many words that nobody would call short, in a model with a long name of its own';
    const runs = RUNS.map((run) => ({ ...run, title: `${long} ${run.title}` }));
    const state: PanelState = {
      ...FULL,
      runs,
      prompts: [long.repeat(3), ...FULL.prompts],
      writing: null, // the history’s entry is shown
      columns: FULL.columns.map((column) => ({ ...column, label: `${column.label} ${long}` })),
    };
    for (const width of [300, 402, 640]) {
      const panel = await openPanel(browser(), state, { width });
      assert.equal(await overflow(panel.page), 0, `${width} px`);
      const lists = await edges(panel.page, 'vscode-dropdown');
      assert.ok(lists.length >= 4);
      for (const { right } of lists) assert.ok(right <= width, `a list ends at ${right} of ${width} px`);
      await panel.close();
    }
  });

  it('says two numbers as a sentence instead of drawing an empty plot around them', async () => {
    const runs = RUNS.filter(({ digest }) => !digest.curve && !digest.retrained);
    const panel = await openPanel(browser(), { ...FULL, runs });
    const card = panel.page.locator('.curve');
    await card
      .getByText(/Perplexity on calibration.txt: 30.52 for the original, 47.61 with 3 blocks removed\./)
      .waitFor();
    assert.equal(await card.locator('.charts svg').count(), 0);
    await card.getByRole('button', { name: 'Draw Curve by perplexity' }).click();
    assert.equal(panel.received('start/curve').length, 1);
    await panel.post(update(1, { runs: RUNS.filter(({ digest }) => !digest.curve) }));
    await settled(panel);
    const points = await panel.page.evaluate<string[]>(
      `[...document.querySelectorAll('.curve .target')].map((target) => target.getAttribute('aria-label'))`,
    );
    assert.deepEqual(
      points.map((point) => /^[^:]+: \d+ removed, perplexity [\d.]+/.exec(point)?.[0]),
      [
        'Original: 0 removed, perplexity 30.52',
        'adapter-a, retrained: 3 removed, perplexity 35.71',
        'This plan: 3 removed, perplexity 47.61',
      ],
    );
    await panel.close();
  });

  it('says in a sentence that a training has no step yet, or was stopped before its first', async () => {
    const live = {
      status: 'running' as const,
      title: 'adapter-b',
      total: 6,
      steps: [],
      evaluations: [{ step: 0, ppl: 57.57 }],
    };
    const panel = await openPanel(browser(), { ...EMPTY, training: live });
    const card = panel.page.locator('.training');
    await card
      .getByText(/^Running: adapter-b\. The held-out perplexity was 57\.57 at the start\. The first step/)
      .waitFor();
    assert.equal(await card.locator('.charts svg').count(), 0);
    await panel.post(update(1, { training: { ...live, status: 'cancelled' } }));
    await card.getByText(/The training stopped at step 0 of 6\./).waitFor();
    assert.equal(await card.locator('.charts svg').count(), 0);
    assert.equal(await card.locator('.empty-action').count(), 1, 'a way on');
    await panel.post(update(2, { training: { ...live, steps: trainingSteps(1) } }));
    await card.locator('.charts svg').first().waitFor();
    await panel.close();
  });

  it('logs what is thrown, and not the browser’s notices of sizes', async () => {
    const panel = await openPanel(browser(), EMPTY);
    const raise = (init: string): Promise<unknown> =>
      panel.page.evaluate(`void window.dispatchEvent(new ErrorEvent('error', ${init}))`);
    await raise(`{ message: 'ResizeObserver loop completed with undelivered notifications.', error: null }`);
    await raise(`{ message: 'Script error.', error: null }`);
    await raise(`{ message: 'Uncaught Error: broken', error: new Error('broken') }`);
    await panel.page.evaluate(`void window.dispatchEvent(
      new PromiseRejectionEvent('unhandledrejection', { promise: Promise.resolve(), reason: 'a promise' }))`);
    await settled(panel);
    const faults = panel.received('fault').map(({ message }) => message.split('\n')[0]);
    assert.deepEqual(faults, ['Script error.', 'Error: broken', 'a promise']);
    await panel.close();
  });
});
