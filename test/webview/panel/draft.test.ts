/** The card of drafts: its curves, the verdict, the table, and what it offers for the pair. */
import assert from 'node:assert/strict';
import { draftOf } from '../../../src/jobs/digest/draft';
import type { DraftResult } from '../../../src/jobs/results/draft';
import type { Faster, Journey } from '../../../src/protocol/journey';
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { draftResult, REFUSED } from '../../support/draft-results';
import { full } from '../../support/shared';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, exportAs, lastFile, openPanel, type Panel, settled, update } from './open';
import { EMPTY, FULL } from './recorded';

const runOf = (changes: Partial<DraftResult> = {}, c: number | null = 0.2, id = 'a'): PanelRun => {
  const { digest: other } = FULL.runs[0];
  const { kind: _, started, finished, model, versions } = other;
  const around = {
    kind: 'draft',
    started,
    finished,
    model,
    versions,
    removed: [],
    device: 'cpu',
    inputs: [],
    settings: [],
  };
  const draft = draftOf(JSON.parse(JSON.stringify(draftResult(changes, c))));
  return { id, title: 'draft · genai', changed: [], digest: { ...around, precision: 'float32', draft } };
};
const panelOf = (...runs: PanelRun[]): PanelState => ({ ...EMPTY, runs });

const card = ({ page }: Panel) => page.locator('.card.draft');
const words = async (panel: Panel): Promise<string> => (await card(panel).innerText()).replace(/\s+/g, ' ');
const targets = (panel: Panel) => card(panel).locator('.target');

describeBrowser('card of drafts', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('has the verdict, the best draft, what was read, and a row for each draft', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()), { width: 1280 });
    const text = await words(panel);
    for (const part of [
      /1\.66 × as fast, same text: 3\.61 tokens for each pass of the model, \+150 kB\./,
      /Times as fast 1\.66× 1\.66× where chosen/,
      /Tokens a pass 3\.61 at most 4 at once/,
      /Agrees 85 % 89 % in common/,
      /Pass of the draft 20 % of the model’s time/,
      /More weights \+150\.0 kB beside 1\.1 MB/,
      /for onnxruntime-genai 0\.18\.0: 512 tokens that the model writes for 12 prompts of prompts\.txt, 4 of them held out\. The model in f32\./,
      /Time of reading so many rows at once over that of one: 1: 1, 2: 1\.1, .* \(measured in onnxruntime 1\.30, medians of 9\)/,
      /A draft that is always right would give 1\.9×/,
      /q4_0 \(the model itself in fewer bits, the best\) 85 % 20 % 4 3\.61 1\.66× \(1\.51–1\.78\) 150\.0 kB/,
      /without 1 and 3 \(healed\) 32 % 16 % 1 1\.32 1\.05× 640\.0 kB/,
    ])
      assert.match(text, part);
    assert.doesNotMatch(text, /⚠|NaN|undefined/);
    await panel.checkAccessibility('.card.draft');
    await panel.close();
  });

  it('has a curve for each draft, whose points keys reach', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()));
    assert.equal(await targets(panel).count(), 12);
    assert.match(await words(panel), /q4_0 without 2, q4_0 without 1 and 3 The model alone/);
    await targets(panel).first().focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('ArrowRight');
    const told = await panel.page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`);
    assert.equal(
      told,
      'q4_0, at most 4 tokens at once, 1.66 times as fast as the model alone, 3.61 tokens a pass of the model, agrees on 85 %, ' +
        'a pass of it takes 20 % of the model’s, its best length',
    );
    assert.match(await card(panel).locator('.tooltip.is-shown').innerText(), /its best length/);
    await panel.page.keyboard.press('End');
    assert.match(
      await panel.page.evaluate<string>(`document.activeElement.getAttribute('aria-label')`),
      /^without 1 and 3, at most 8 tokens at once/,
    );
    await panel.close();
  });

  it('leads to the pair where it pays, and to code once that is written', async () => {
    const panel = await openPanel(browser(), panelOf(runOf()));
    const write = button(panel, 'Write Pair…');
    assert.equal(
      await card(panel).locator('vscode-button', { hasText: 'Write Pair…' }).getAttribute('appearance'),
      'primary',
    );
    await write.click();
    assert.deepEqual(panel.received('draft/write').at(-1), { type: 'draft/write', run: 'a' });
    assert.equal(await button(panel, 'Copy Code').count(), 0, 'nothing is written');
    await card(panel).getByRole('button', { name: 'Forecast a Draft…' }).click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'draft' });
    await panel.close();
    const verified = { by: 'onnxruntime-genai 0.18.0', texts: 4, textsEqual: 4, rounds: 60, forecastRounds: 60 };
    const written = await openPanel(browser(), panelOf(runOf({ verdict: 'written', out: '/models/pair', verified })));
    assert.equal(await button(written, 'Write Pair…').count(), 0);
    await button(written, 'Copy Code').click();
    assert.deepEqual(written.received('draft/code').at(-1), { type: 'draft/code', run: 'a' });
    assert.match(await words(written), /Written to pair\./);
    assert.match(
      await words(written),
      /onnxruntime-genai 0\.18\.0 ran the pair: 4 of 4 texts are the model’s own, in 60 passes of the model; 60 were forecast\./,
    );
    await written.close();
  });

  it('says why no draft pays, and lets the user write the best one all the same', async () => {
    const panel = await openPanel(browser(), panelOf(runOf(REFUSED)));
    assert.match(await words(panel), /⚠ No draft pays here: a pass of the best takes 0\.9/);
    const write = button(panel, 'Write Pair…');
    assert.equal(
      await card(panel).locator('vscode-button', { hasText: 'Write Pair…' }).getAttribute('appearance'),
      'secondary',
    );
    await write.click();
    assert.deepEqual(panel.received('draft/write').at(-1), { type: 'draft/write', run: 'a' });
    await panel.close();
    const none = { candidates: [], chosen: null, ...REFUSED, blame: 'vocabulary' } as const;
    const other = await openPanel(browser(), panelOf(runOf(none)));
    assert.equal(await button(other, 'Write Pair…').count(), 0, 'there is nothing to write');
    assert.match(await words(other), /No draft pays here/);
    assert.deepEqual(other.errors, []);
    await other.close();
  });

  it('shows tokens of a pass where no cost is known', async () => {
    const panel = await openPanel(browser(), panelOf(runOf({}, null)));
    const text = await words(panel);
    assert.match(text, /No cost is known, so tokens of a pass are shown\./);
    assert.match(text, /Tokens a pass of the model/);
    assert.doesNotMatch(text, /Times as fast \d/);
    assert.match(text, /Pass of the draft – not measured/);
    await panel.close();
  });

  it('offers a forecast while there is none, and exports its numbers', async () => {
    const empty = await openPanel(browser(), EMPTY);
    await card(empty).getByRole('button', { name: 'Forecast a Draft…' }).click();
    assert.deepEqual(empty.received('start').at(-1), { type: 'start', action: 'draft' });
    await empty.close();
    const panel = await openPanel(browser(), panelOf(runOf()));
    await exportAs(panel, 'Draft', 'JSON');
    const rows = JSON.parse(lastFile(panel).text) as Record<string, unknown>[];
    assert.equal(rows.length, 12);
    assert.deepEqual([rows[2].Draft, rows[2]['Tokens at once, at most'], rows[2]['Tokens a pass']], ['q4_0', 4, 3.61]);
    await panel.close();
  });

  it('answers the goal of the same text, faster, in the head of the panel', async () => {
    const head = async (panel: Panel): Promise<string> =>
      (await panel.page.locator('.verdict').innerText()).replace(/\s+/g, ' ').trim();
    const journey = (faster: Faster): Journey => ({
      ...{ ...EMPTY.journey, faster, next: { action: 'draft' } },
      steps: EMPTY.journey.steps.map(({ name }) => ({ name, state: 'unneeded' })),
    });
    const unknown: Faster = { state: 'unknown', speedup: null, program: '' };
    const panel = await openPanel(browser(), { ...EMPTY, journey: journey(unknown) }, { width: 1280 });
    assert.match(await panel.page.locator('.goal-chip').innerText(), /Goal: the same text, faster/);
    assert.match(await head(panel), /^Not forecast yet A forecast says beforehand/);
    const next = panel.page.locator('.next vscode-button').first();
    await next.click();
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'draft' });
    const known = { program: 'onnxruntime-genai', run: 'a' };
    await panel.post(update(1, { runs: [runOf()], journey: journey({ state: 'pays', speedup: 1.66, ...known }) }));
    await settled(panel);
    assert.match(
      await head(panel),
      /^A draft makes it faster 1\.66× by the forecast for onnxruntime-genai, same text$/,
    );
    assert.match(await next.innerText(), /Write Pair…/);
    await picture(panel.page.locator('body'), 'draft-goal');
    await next.click();
    assert.deepEqual(panel.received('draft/write').at(-1), { type: 'draft/write', run: 'a' });
    await panel.post(update(2, { journey: journey({ state: 'refused', speedup: 1.04, ...known }) }));
    await settled(panel);
    assert.match(await head(panel), /^No draft pays at most 1\.04× in onnxruntime-genai$/);
    assert.match(await next.innerText(), /Forecast a Draft…/);
    await panel.checkAccessibility('.plan, .dock');
    await panel.close();
  });

  it('draws the run that the user chose', async () => {
    const panel = await openPanel(browser(), panelOf(runOf(REFUSED, 0.2, 'b'), runOf()));
    assert.match(await words(panel), /⚠/);
    await panel.post({ sequence: 1, type: 'show', run: 'a' });
    await settled(panel);
    assert.doesNotMatch(await words(panel), /⚠/);
    await panel.close();
  });

  for (const theme of full ? (['dark', 'light', 'hc-dark'] as const) : (['hc-dark'] as const)) {
    it(`is readable in ${theme}`, async () => {
      const panel = await openPanel(browser(), panelOf(runOf()), { theme, width: 1280 });
      await targets(panel)
        .nth(theme === 'light' ? 8 : 2)
        .focus();
      await settled(panel);
      await picture(card(panel), `draft-${theme}`);
      assert.deepEqual(panel.errors, []);
      await panel.close();
    });
  }

  it('is readable where no draft pays, and on a narrow page', async () => {
    const panel = await openPanel(browser(), panelOf(runOf(REFUSED, null)), { theme: 'light', width: 480 });
    await picture(card(panel), 'draft-refused-narrow');
    await panel.checkAccessibility('.card.draft');
    await panel.close();
  });
});
