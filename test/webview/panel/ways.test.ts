/** The ways to the goal's size in the head of the panel: what each takes and costs, and the buttons that take it. */
import assert from 'node:assert/strict';
import type { ShipGoal } from '../../../src/protocol/journey';
import type { PanelState } from '../../../src/protocol/panel';
import type { SizeWays } from '../../../src/protocol/size-ways';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { openPanel, type Panel, settled, update } from './open';
import { EMPTY, JOURNEY, NOTHING } from './recorded';

const GOAL: ShipGoal = { format: 'gguf', maxBytes: 80e6 };
/** Of Gemma 3 270M and the texts of a help desk. */
const WAYS: SizeWays = {
  ...{ limit: 80e6, bytes: 253_113_024 },
  vocabulary: {
    ...{ run: 'report.json', min: 1, kept: 37_376, of: 262_144, coverage: 0.983 },
    ...{ bytes: 92_691_029, fits: false, cost: { growth: 0.068, text: 'questions.jsonl' } },
  },
  blocks: { count: 6, of: 18, bytes: 228e6, fits: false, cost: null },
  bits: { type: 'q4_0', bytes: 241_410_752, fits: false, cost: null },
  together: { kept: 37_376, count: 5, bytes: 79.2e6, fits: true },
};
const stateOf = (ways: SizeWays | null, met: boolean | null = false): PanelState => ({
  ...EMPTY,
  ways,
  journey: {
    ...JOURNEY,
    goal: GOAL,
    verdict: { ...JOURNEY.verdict, bytes: { value: 253e6, limit: 80e6, met }, ratio: NOTHING },
  },
});
const rows = async ({ page }: Panel): Promise<string[]> =>
  (await page.locator('.ways tbody tr').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());

describeBrowser('ways to the size of the goal', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('stand side by side, with their sizes and what they cost', async () => {
    const panel = await openPanel(browser(), stateOf(WAYS), { width: 1100 });
    assert.deepEqual(await rows(panel), [
      'Fewer tokens 37,376 of 262,144 tokens about 92.7 MB , too large +6.8 %, on questions.jsonl Trim Vocabulary…',
      'Fewer blocks without 6 of 18 blocks about 228.0 MB , too large not measured: a curve does Suggest Blocks…',
      'Fewer bits q4_0 about 241.4 MB , too large not measured: an export and a comparison do Set Goal…',
      'Together 37,376 tokens, without 5 of 18 blocks about 79.2 MB , small enough the recipe measures it New Recipe…',
    ]);
    const text = (await panel.page.locator('.ways').innerText()).replace(/\s+/g, ' ');
    assert.match(text, /^Ways to 80\.0 MB As the goal asks, the model has 253\.1 MB with all its tokens and blocks\./);
    assert.match(text, /Compare bits per byte of the same text only/);
    await panel.checkAccessibility('.ways');
    await picture(panel.page, 'ways-dark');
    await panel.close();
    const light = await openPanel(browser(), stateOf(WAYS), { width: 1100, theme: 'light' });
    await picture(light.page, 'ways-light');
    await light.checkAccessibility('.ways');
    await light.close();
  });

  it('start what takes them', async () => {
    const panel = await openPanel(browser(), stateOf(WAYS), { width: 1100 });
    const press = (name: string): Promise<void> => panel.page.locator('.ways').getByRole('button', { name }).click();
    await press('Trim Vocabulary…');
    assert.deepEqual(panel.received('start/vocabulary'), [{ type: 'start/vocabulary', run: 'report.json', min: 1 }]);
    await press('Suggest Blocks…');
    await press('Set Goal…');
    assert.deepEqual(panel.received('start'), [
      { type: 'start', action: 'suggest' },
      { type: 'start', action: 'goal' },
    ]);
    await press('New Recipe…');
    assert.deepEqual(panel.received('start/recipe'), [{ type: 'start/recipe', run: 'report.json', min: 1 }]);
    await panel.post(update(1, { ways: { ...WAYS, vocabulary: null } }));
    await settled(panel);
    assert.match(
      (await rows(panel))[0],
      /^Fewer tokens not known: no text of the application was counted – – Trim Voc/,
    );
    await press('Trim Vocabulary…');
    assert.deepEqual(panel.received('start').at(-1), { type: 'start', action: 'vocabulary' });
    await press('New Recipe…');
    assert.deepEqual(panel.received('start/recipe').at(-1), { type: 'start/recipe' });
    await panel.post(update(2, { trusted: false }));
    await settled(panel);
    const off = await panel.page.locator('.ways vscode-button[disabled]').count();
    assert.equal(off, 4, 'nothing starts without trust');
    await panel.close();
  });

  it('say what is known where the cost of a least count is not', async () => {
    const some = { ...WAYS.vocabulary!, min: 5, fits: true, cost: null, coverage: 0.9 };
    const ways: SizeWays = {
      ...{ ...WAYS, vocabulary: some, together: null, bits: null },
      blocks: { ...WAYS.blocks, fits: true, cost: { growth: 0.41, text: 'sherlock.txt' } },
    };
    const panel = await openPanel(browser(), stateOf(ways));
    assert.equal((await rows(panel)).length, 2);
    assert.match((await rows(panel))[0], /not measured for this count: 90 % of the held-out tokens stay/);
    assert.match((await rows(panel))[1], /small enough \+41 %, on sherlock\.txt/);
    assert.equal(
      await panel.page.locator('.ways tbody td span[title]').first().getAttribute('title'),
      'Tokens that the texts use at least 5 times',
    );
    await panel.close();
  });

  it('are folded once the size is met, and not there without a size or where the whole model fits', async () => {
    const panel = await openPanel(browser(), stateOf(WAYS, true));
    assert.equal(await panel.page.locator('details.ways').getAttribute('open'), null);
    await panel.page.locator('.ways summary').click();
    await panel.post(update(1, { times: { score: 'about 1:00' } }));
    await settled(panel);
    assert.equal(await panel.page.locator('details.ways').getAttribute('open'), '', 'it stays as the user has it');
    await panel.post(update(2, { ways: null }));
    await settled(panel);
    assert.equal(await panel.page.locator('details.ways').isVisible(), false);
    await panel.close();
  });
});
