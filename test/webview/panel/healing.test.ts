/** The card of a healing: its numbers and rows, bars of every kept block, older healings, and what it offers. */
import assert from 'node:assert/strict';
import type { HealDigest, PanelRun, PanelState, RunDigest } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { choose, lastFile, openPanel, type Panel, settled, update, exportAs } from './open';
import { EMPTY, FULL, healRun, planOf, RUNS } from './recorded';

const healed = healRun.heal!;
const runOf = (id: string, changes: Partial<HealDigest> = {}, started = healRun.started): PanelRun => ({
  id,
  title: 'heal',
  changed: [],
  digest: { ...healRun, started, heal: { ...healed, ...changes } },
});
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });

/** As in older records, whose rows have the name of their text. */
const unkeyed = (digest: RunDigest): RunDigest => ({
  ...digest,
  retrained: digest.retrained?.map(({ rowsKey: _, ...each }) => each),
});

const words = async ({ page }: Panel): Promise<string> =>
  (await page.locator('.healing').innerText()).replace(/\s+/g, ' ');

/** Heights of the bars of a class, by their order. */
const heights = ({ page }: Panel, name: string): Promise<number[]> =>
  page.evaluate<number[]>(
    `[...document.querySelectorAll('.healing .${name} rect, .healing .${name} path')].map((bar) => bar.getBBox().height)`,
  );

describeBrowser('card of a healing', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('has the numbers before and after, and says of which rows, model and precision', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a')));
    const text = await words(panel);
    for (const part of [
      /KL divergence from the original 0\.254 from 0\.573/,
      /Perplexity 118\.7 from 156\.3/,
      /Same next token 62 % from 50 %/,
      /Time 41\.3 s refit, 30,720 tokens/,
      /HuggingFaceTB\/SmolLM2-135M without 13–18/,
      /16 rows of sherlock\.txt, not fitted/,
      /float32 on cpu/,
      /from 118\.71 to 118\.74/,
    ])
      assert.match(text, part);
    assert.doesNotMatch(text, /plain weights were kept/);
    await panel.close();
  });

  it('draws two bars for each kept block that was corrected, and marks those that are gone', async () => {
    const panel = await openPanel(browser(), panelOf(runOf('a')));
    const [before, after] = [await heights(panel, 'bars-before'), await heights(panel, 'bars-after')];
    assert.equal(before.length, 12);
    assert.ok(after.every((height, i) => height > 0 && height < before[i]));
    assert.equal(await panel.page.locator('.healing .charts').getByText('✕').count(), 6);
    const labels = await panel.page.evaluate<string[]>(
      `[...document.querySelectorAll('.healing .target')].map((target) => target.getAttribute('aria-label'))`,
    );
    assert.match(labels[0], /^Block 12, error after the block: 1,302 → 807 \(−38 %\)$/);
    assert.match(labels[1], /^Block 19, error after its attention: .*, error after the block: /);
    await exportAs(panel, 'Healing', 'JSON');
    const rows = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    assert.equal(rows.length, 23);
    assert.deepEqual(rows[0], {
      Block: 12,
      Corrected: 'down_proj',
      'Error before': 4e7 / 30_720,
      'Error after': (4e7 * 0.62) / 30_720,
      'Remaining share': 0.62,
    });
    await panel.close();
  });

  it('says when nothing was held out, and when the plain weights were better', async () => {
    const panel = await openPanel(
      browser(),
      panelOf(runOf('a', { heldOut: undefined, fit: healed.heldOut, weights: 'plain' })),
    );
    assert.match(await words(panel), /16 rows of sherlock\.txt that healing was fitted on: expect worse elsewhere/);
    assert.match(await words(panel), /plain weights were kept/);
    await panel.close();
  });

  it('has no bars for a method without errors, and takes numbers that are not finite', async () => {
    const steps = healed.steps.map(({ block, tensor, removed }) => ({ block, tensor, removed, factor: 1.1 }));
    const heldOut = { ...healed.heldOut!, before: { ppl: 'Infinity', kl: 'NaN', top1: 0 } as const };
    const panel = await openPanel(browser(), panelOf(runOf('a', { method: 'scalar', steps, heldOut })));
    assert.match(await words(panel), /Perplexity 118\.7 from ∞/);
    assert.equal(await panel.page.locator('.healing .charts svg').count(), 0);
    assert.deepEqual(panel.errors, []);
    await panel.close();
  });

  it('shows an older healing when it is chosen, in the card or in the list of runs', async () => {
    const older = runOf('b', { seconds: 7.2 }, '2026-03-01T09:00:00.000Z');
    const panel = await openPanel(browser(), panelOf(runOf('a'), older));
    await choose(panel, 'healing', 'Run', /1 Mar|Mar 1|01 Mar/);
    await settled(panel);
    assert.match(await words(panel), /Time 7\.2 s/);
    await panel.close();
  });

  it('offers to heal the plan, if there is one', async () => {
    const panel = await openPanel(browser(), EMPTY);
    assert.match(await words(panel), /Healing corrects the kept blocks without training\./);
    assert.equal(await panel.page.locator('.healing vscode-button[disabled]').count(), 2);
    const times = { heal: 'about 1 h 17 min', healOnText: 'about 9:00' };
    await panel.post(update(1, { plan: planOf([14]), times }));
    await settled(panel);
    const promise = /takes about 1 h 17 min, most of it to write text; with a text of yours about 9:00\./;
    assert.match(await words(panel), promise, 'no promise without its time');
    await panel.page.locator('.healing').getByRole('button', { name: 'Heal…' }).click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'heal' });
    await panel.close();
  });

  const MEASURED = { ...FULL.text!, rowsKey: 'rows-a' };
  const evaluated = (id: string, removed: number[], ppl: number, rowsKey = 'rows-a'): PanelRun => {
    const label = `without ${removed.join('-')}.patch.safetensors`;
    const retrained = [{ label, healed: true as const, removed, ppl, text: 'calibration.txt', rowsKey }];
    return { id, title: id, changed: [], digest: { ...healRun, kind: 'eval', removed, heal: undefined, retrained } };
  };
  const onCurve = ({ page }: Panel): Promise<string[]> =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('.curve .target')].map((target) => target.getAttribute('aria-label'))`,
    );

  it('offers nothing for a model that cannot be healed, and says why in a line', async () => {
    const noHealing = 'gemma3_text cannot be healed: this family has a norm behind it. Retrain instead.';
    for (const runs of [[], [runOf('a')]]) {
      const state = { ...EMPTY, runs, model: { ...EMPTY.model, noHealing }, plan: planOf([4, 5]) };
      const panel = await openPanel(browser(), state);
      assert.equal(
        await panel.page
          .locator('.healing')
          .getByRole('button', { name: /^(Heal…|Measure Healed)/ })
          .count(),
        0,
      );
      if (runs.length === 0) assert.ok((await words(panel)).includes(noHealing));
      await panel.close();
    }
  });

  it('measures the plan with healing on a click, and shows it beside the plain perplexity and on the curve', async () => {
    const whatIf = { ...FULL.whatIf, removed: [14, 17], ppl: 50, rowsKey: 'rows-a' };
    const state = { ...FULL, runs: [], plan: planOf([14, 17]), text: MEASURED, whatIf };
    const panel = await openPanel(browser(), state);
    const box = panel.page.locator('.figure-box.healed');
    const offer = panel.page.locator('.healing').getByRole('button', { name: 'Measure Healed Plan' });
    assert.equal(await box.isVisible(), false, 'no figure without a number');
    await panel.page.locator('.healing').getByText('about 10 s').waitFor();
    await offer.click();
    assert.equal(panel.received('start/healed').length, 1);
    const job = { id: '1', kind: 'heal' as const, word: 'Healing', state: 'running' as const };
    await panel.post(update(1, { jobs: [job] }));
    await settled(panel);
    assert.match(await box.innerText(), /Computing…/);
    assert.notEqual(await offer.getAttribute('disabled'), null);
    const runs = [
      evaluated('rows', [14, 17], 45, 'rows-b'),
      evaluated('plan', [14, 17], 41),
      evaluated('other', [14], 39),
    ];
    await panel.post(update(2, { jobs: [], runs }));
    await settled(panel);
    assert.match((await box.innerText()).replace(/\s+/g, ' '), /Perplexity with healing 41 0\.82× of the plain plan’s/);
    const labels = await onCurve(panel);
    assert.ok(labels.some((label) => label.startsWith('without 14-17, healed: 2 removed, perplexity 41 ')));
    assert.ok(!labels.some((label) => label.includes('perplexity 45')), 'of other rows');
    await panel.post(update(3, { plan: planOf([14, 16]) }));
    await settled(panel);
    assert.equal(await box.isVisible(), false);
    assert.equal(await offer.getAttribute('disabled'), null);
    const vain: PanelRun = runOf('vain', { removed: [14, 16], weights: 'plain' });
    await panel.post(update(4, { runs: [vain, ...runs] }));
    await settled(panel);
    assert.match(await box.innerText(), /healing was no better/);
    await panel.post(update(5, { plan: planOf([]) }));
    await settled(panel);
    assert.equal(await box.isVisible(), false);
    await panel.close();
  });

  it('takes a healed checkpoint that was written for a point too', async () => {
    const child = {
      name: 'short-healed',
      path: '/models/short-healed',
      removed: [14, 17],
      kind: 'prune',
      retrained: [],
    };
    const children = [
      { ...child, healed: true as const, ppl: 42 },
      { ...child, name: 'short', path: '/models/short', ppl: 50 },
    ];
    const whatIf = { ...FULL.whatIf, removed: [14, 17], ppl: 50, rowsKey: 'rows-a' };
    const family = { parent: null, original: null, children };
    const panel = await openPanel(browser(), {
      ...FULL,
      runs: [],
      plan: planOf([14, 17]),
      text: MEASURED,
      whatIf,
      kin: family,
    });
    assert.match((await panel.page.locator('.figure-box.healed').innerText()).replace(/\s+/g, ' '), /42 0\.84×/);
    const labels = await onCurve(panel);
    assert.deepEqual(
      labels.filter((label) => label.includes('healed')).map((label) => label.split(':')[0]),
      ['short-healed, healed'],
    );
    assert.ok(!labels.some((label) => label.startsWith('short:')));
    await panel.close();
  });

  for (const theme of ['dark', 'light', 'hc-dark'] as const) {
    it(`is readable in ${theme}`, async () => {
      const healedRun = evaluated('healed', [14, 17, 18], 31, 'text:calibration.txt');
      const runs = [{ ...healedRun, digest: unkeyed(healedRun.digest) }, ...RUNS];
      const panel = await openPanel(browser(), { ...FULL, runs }, { theme, width: 1280 });
      await picture(panel.page.locator('.healing'), `healing-${theme}`);
      await picture(panel.page, `panel-healing-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }
});
