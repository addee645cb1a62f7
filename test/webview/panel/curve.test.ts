/** The perplexity curve: its points and its slider set the plan, guides tell what a plan costs, and labels cover nothing. */
import assert from 'node:assert/strict';
import type { CurveDigest, PanelRun, PanelState } from '../../../src/protocol/panel';
import { full } from '../../support/shared';
import { describeBrowser } from '../support/browser';
import { buildPages, TWO_THEMES } from '../support/page';
import { picture } from '../support/picture';
import { button, choose, openPanel, type Panel, settled, update } from './open';
import { FULL, JOURNEY, planOf, RUNS } from './recorded';

const [CURVE] = RUNS.flatMap(({ digest }) => digest.curve ?? []);
const WHOLE = FULL.whatIf.full as number;
const ratioOf = ({ ppl }: CurveDigest['points'][number]): number => (ppl as number) / WHOLE;
const withGoal = (maxRatio: number): PanelState => ({
  ...FULL,
  journey: { ...JOURNEY, goal: { format: 'gguf', maxRatio } },
});
const runsWith = (points: CurveDigest['points'], criterion = 'ppl'): PanelRun[] =>
  [{ ...RUNS.find(({ digest }) => digest.curve)!, id: criterion }].map((run) => ({
    ...run,
    digest: { ...run.digest, curve: { ...run.digest.curve!, criterion, points } },
  }));

const slider = ({ page }: Panel) => page.locator('.curve-range');
const spoken = async (panel: Panel): Promise<string> => (await slider(panel).getAttribute('aria-valuetext'))!;
const words = ({ page }: Panel): Promise<string> => page.locator('.curve-words').innerText();
const setsOf = (panel: Panel) => panel.received('plan/set');

interface Shape {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The boxes of the labels, and points along all curves, guides and symbols, in pixels of the window. */
const drawing = ({
  page,
}: Panel): Promise<{ labels: (Shape & { text: string })[]; ink: [number, number, string][]; area: Shape }> =>
  page.evaluate(`(() => {
    const svg = document.querySelector('.curve .charts svg');
    const boxOf = (e) => { const { left, right, top, bottom } = e.getBoundingClientRect(); return { left, right, top, bottom }; };
    const labels = [...svg.querySelectorAll('.chart-labels text')].map((e) => ({ text: e.textContent, ...boxOf(e) }));
    const ink = [...svg.querySelectorAll('path')]
      .filter((path) => !path.closest('defs') && !path.closest('.curve-ring') && path.getTotalLength() > 0)
      .flatMap((path) => {
        const matrix = path.getScreenCTM();
        const length = path.getTotalLength();
        return Array.from({ length: Math.ceil(length / 2) }, (_, i) => {
          const { x, y } = path.getPointAtLength(2 * i).matrixTransform(matrix);
          return [x, y, path.getAttribute('stroke') ?? path.parentElement.getAttribute('stroke') ?? 'symbol'];
        });
      });
    return { labels, ink, area: boxOf(svg) };
  })()`);

/** Fails if a label covers a line, a symbol or another label, or leaves the chart. */
async function assertFreeLabels(panel: Panel, what: string): Promise<string[]> {
  const { labels, ink, area } = await drawing(panel);
  assert.ok(ink.length > 100, `${what}: lines were looked at`);
  for (const { text, left, right, top, bottom } of labels) {
    const inside = left >= area.left && right <= area.right && top >= area.top && bottom <= area.bottom;
    assert.ok(inside, `${what}: “${text}” leaves the chart`);
    // Letters fill the middle of their line.
    const covered = ink.find(([x, y]) => x > left && x < right && y > top + 2 && y < bottom - 2);
    assert.equal(covered, undefined, `${what}: “${text}” covers a line`);
    const other = labels.find(
      (each) => each.text !== text && each.left < right && left < each.right && each.top < bottom && top < each.bottom,
    );
    assert.equal(other, undefined, `${what}: “${text}” covers “${other?.text}”`);
  }
  return labels.map(({ text }) => text);
}

describeBrowser('the perplexity curve', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('follows the plan, and sets it once for every position that it is left at', async () => {
    const panel = await openPanel(browser(), { ...FULL, plan: planOf([]) });
    assert.equal(await slider(panel).inputValue(), '0');
    assert.equal(await slider(panel).getAttribute('max'), String(CURVE.points.at(-1)!.count));
    // Three keys at once, as when one is held down.
    await panel.page.evaluate(`(() => {
      const range = document.querySelector('.curve-range');
      range.dispatchEvent(new KeyboardEvent('keydown'));
      for (let i = 0; i < 3; i++) {
        range.stepUp();
        range.dispatchEvent(new Event('input'));
        range.dispatchEvent(new Event('change'));
      }
    })()`);
    assert.match(await spoken(panel), /^3 blocks removed, perplexity [\d.]+, 1\.\d+×, 247\.8 MB$/);
    await panel.page.waitForFunction('document.querySelector(".curve-ring").getAttribute("visibility") === "visible"');
    await expectSets(panel, 1);
    const { removed } = CURVE.points.find(({ count }) => count === 3)!;
    assert.deepEqual(setsOf(panel)[0], { type: 'plan/set', removed, criterion: CURVE.criterion });
    await panel.post(update(1, { plan: planOf(removed) }));
    await settled(panel);
    assert.equal(await slider(panel).inputValue(), '3');
    assert.match(await words(panel), /^3 blocks removed · perplexity .* · next goes block \d+$/);
    // Undone in one step, as any change of the plan.
    await panel.post(update(2, { plan: planOf([]) }));
    await settled(panel);
    assert.equal(await slider(panel).inputValue(), '0');
    await slider(panel).press('ArrowRight');
    await expectSets(panel, 2);
    assert.deepEqual(setsOf(panel)[1].removed, CURVE.points.find(({ count }) => count === 1)!.removed);
    await slider(panel).press('Home');
    await panel.post(update(3, { plan: planOf([]) }));
    await settled(panel);
    assert.equal(setsOf(panel).length, 2, 'the plan was there already');
    await panel.close();
  });

  it('sends nothing while the pointer drags it, and its thumb lies below the point', async () => {
    const panel = await openPanel(browser(), { ...FULL, plan: planOf([]) });
    await slider(panel).scrollIntoViewIfNeeded();
    const place = (await slider(panel).boundingBox())!;
    const steps = CURVE.points.at(-1)!.count;
    const at = (count: number): number => place.x + 7 + ((place.width - 14) * count) / steps;
    const point = await panel.page.locator('.curve .target[data-key$="-5-5"]').boundingBox();
    assert.ok(Math.abs(point!.x + point!.width / 2 - at(5)) < 1.5, 'the thumb would be below the fifth point');
    await panel.page.mouse.move(at(0), place.y + place.height / 2);
    await panel.page.mouse.down();
    for (const count of [1, 2, 3, 4, 5]) {
      await panel.page.mouse.move(at(count), place.y + place.height / 2, { steps: 3 });
      await settled(panel);
    }
    assert.equal(await slider(panel).inputValue(), '5');
    await panel.post(update(1, { plan: planOf([]) }));
    await settled(panel);
    assert.equal(await slider(panel).inputValue(), '5', 'the plan does not move it meanwhile');
    assert.equal(setsOf(panel).length, 0);
    await panel.page.mouse.up();
    await expectSets(panel, 1);
    assert.deepEqual(setsOf(panel)[0].removed, CURVE.points.find(({ count }) => count === 5)!.removed);
    await panel.close();
  });

  it('says when the plan is not on the curve, and does not move the page', async () => {
    const panel = await openPanel(browser(), FULL);
    assert.equal(await words(panel), 'The plan is not on this curve.');
    assert.match(await spoken(panel), /^3 blocks\. The plan is not on this curve\.$/);
    const height = (): Promise<number> =>
      panel.page.evaluate(`document.querySelector('.card.curve').getBoundingClientRect().height`);
    const before = await height();
    await panel.post(update(1, { plan: planOf(CURVE.points[6].removed) }));
    await settled(panel);
    assert.match(await spoken(panel), /^6 blocks removed, /);
    assert.equal(await height(), before);
    // Its point was measured: the plan need not wait for the number.
    const label = `plan ${(CURVE.points[6].ppl as number).toPrecision(4)}`;
    assert.ok((await assertFreeLabels(panel, 'a plan of the curve')).includes(label));
    await panel.close();
  });

  it('moves on another curve when that is chosen', async () => {
    const points = CURVE.points.map((point) => ({ ...point, removed: point.removed.map((block) => block + 1) }));
    const runs = [...runsWith(CURVE.points), ...runsWith(points, 'taylor')];
    const panel = await openPanel(browser(), { ...FULL, runs, plan: planOf(points[2].removed) });
    assert.match(await spoken(panel), /^2 blocks removed/, 'on the curve that has the plan');
    await choose(panel, 'curve', 'Curve', 'Perplexity');
    await settled(panel);
    assert.equal(await words(panel), 'The plan is not on this curve.');
    await slider(panel).press('ArrowRight');
    await expectSets(panel, 1);
    assert.equal(setsOf(panel)[0].criterion, 'ppl');
    await panel.close();
  });

  it('takes the next point where a curve has gaps', async () => {
    const runs = runsWith(CURVE.points.filter(({ count }) => count % 3 === 0));
    const panel = await openPanel(browser(), { ...FULL, runs, plan: planOf([]) });
    await slider(panel).press('ArrowRight');
    await expectSets(panel, 1);
    assert.equal(setsOf(panel)[0].removed.length, 3);
    await panel.close();
  });

  it('draws the limits of the goal and of usual ratios inside the range, and takes the largest plan within', async () => {
    const panel = await openPanel(browser(), withGoal(1.3));
    const labels = await assertFreeLabels(panel, 'with a goal');
    for (const label of ['goal 1.3×', '1.5×']) assert.ok(labels.includes(label), `${label} in ${labels.join()}`);
    const largest = CURVE.points.filter((point) => point.count > 0 && ratioOf(point) <= 1.3).at(-1)!;
    await button(panel, 'Largest within 1.3×').click();
    assert.deepEqual(setsOf(panel), [{ type: 'plan/set', removed: largest.removed, criterion: CURVE.criterion }]);
    await panel.post(update(1, { plan: planOf(largest.removed) }));
    await settled(panel);
    assert.equal(await panel.page.locator('.curve-most[disabled]').count(), 1, 'it is the plan');
    const first = ratioOf(CURVE.points.find(({ count }) => count === 1)!);
    await panel.post(update(2, { journey: withGoal(1 + (first - 1) / 2).journey }));
    await settled(panel);
    assert.match(await panel.page.locator('.curve-most').innerText(), /^No plan of this curve is within 1\.\d+×$/);
    await panel.post(update(3, { journey: JOURNEY }));
    await settled(panel);
    assert.equal(await panel.page.locator('.curve-most').isVisible(), false);
    assert.ok((await assertFreeLabels(panel, 'without a goal')).includes('1.25×'));
    await panel.close();
  });

  it('measures the goal against the original, and says nothing where that is not known', async () => {
    const original = { name: 'o', path: '/o', identity: 'o', blocks: 30, parametersRead: 1e8, bytes: 2e8 };
    const family = { ...FULL.kin, original: { ...original, ppl: WHOLE * 0.9 } };
    const panel = await openPanel(browser(), { ...withGoal(1.3), kin: family });
    const largest = CURVE.points.filter((point) => point.count > 0 && ratioOf(point) <= 1.3 * 0.9).at(-1)!;
    await button(panel, 'Largest within 1.3×').click();
    assert.deepEqual(setsOf(panel)[0].removed, largest.removed);
    await panel.post(update(1, { kin: { ...family, original: { ...original, ppl: null } } }));
    await settled(panel);
    assert.equal(await panel.page.locator('.curve-most').isVisible(), false);
    await panel.close();
  });

  it('says which block goes next, and what a point weighs', async () => {
    const panel = await openPanel(browser(), FULL);
    const tip = (await panel.page.locator('.curve .target[data-key$="-2-2"]').getAttribute('aria-label'))!;
    const [next] = CURVE.points[3].removed.filter((block) => !CURVE.points[2].removed.includes(block));
    assert.match(
      tip,
      /2 removed, perplexity .*× the original’s\), 127\.4M parameters, 254\.9 MB, estimated speed 1\.0/,
    );
    assert.ok(tip.endsWith(`next goes block ${next}`), tip);
    await panel.page.locator('.curve .target[data-key$="-2-2"]').focus();
    assert.match(
      await panel.page.locator('.curve .tooltip').innerText(),
      /Click or press Enter to make this the plan$/,
    );
    await panel.close();
  });

  it('covers nothing with a label, with the plan near the curve and near the axes, at every width', async () => {
    const panel = await openPanel(browser(), withGoal(1.3));
    const beside = (count: number, factor: number): Partial<PanelState> => {
      const removed = Array.from({ length: count }, (_, k) => 4 + k);
      const ppl = (CURVE.points.find((point) => point.count === count)!.ppl as number) * factor;
      return { plan: planOf(removed), whatIf: { ...FULL.whatIf, removed, ppl } };
    };
    const last = CURVE.points.at(-1)!.count;
    let sequence = 0;
    for (const width of full ? [300, 520, 1100, 1600] : [300, 1100]) {
      await panel.page.setViewportSize({ width, height: 900 });
      for (const [count, factor] of [
        [1, 1.01],
        [1, 1.6],
        [3, 1.02],
        [6, 0.97],
        [last, 1.01],
        [last, 0.6],
      ]) {
        await panel.post(update(++sequence, beside(count, factor)));
        await settled(panel);
        const labels = await assertFreeLabels(panel, `${width} px, ${count} blocks, ${factor}`);
        assert.ok(
          labels.some((label) => label.startsWith('plan ')),
          `${width} px: the plan has its label`,
        );
      }
    }
    await panel.close();
  });

  for (const theme of TWO_THEMES) {
    it(`is readable in ${theme}`, async () => {
      const [narrow, wide] = [402, 1280];
      const panel = await openPanel(browser(), withGoal(1.3), { theme, width: wide });
      for (const width of [wide, narrow]) {
        await panel.page.setViewportSize({ width, height: 900 });
        const { removed, ppl } = CURVE.points[width === wide ? 5 : 3];
        const changes = { plan: planOf(removed), whatIf: { ...FULL.whatIf, removed, ppl } };
        await panel.post(update(width === wide ? 1 : 2, changes));
        await settled(panel);
        await picture(panel.page.locator('.card.curve'), `curve-${theme}-${width}`);
      }
      await panel.checkAccessibility('.card.curve');
      await panel.close();
    });
  }
});

/** Waits for the n-th plan, and a moment for one too many. */
async function expectSets(panel: Panel, count: number): Promise<void> {
  for (let waits = 0; setsOf(panel).length < count && waits < 200; waits++) await panel.page.waitForTimeout(50);
  await settled(panel);
  assert.equal(setsOf(panel).length, count);
}
