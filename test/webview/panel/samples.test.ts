/** Samples and runs of the results panel: settings, history, seeds, comparisons. */
import assert from 'node:assert/strict';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { picture } from '../support/picture';
import { button, choose, enter, lastFile, openPanel, settled, update } from './open';
import { EMPTY, FULL, RUNS, TEXTS } from './recorded';

const sampled = RUNS.find(({ digest }) => digest.samples)!;
const WORDS = 'Sample text';
const withSettings = {
  ...sampled,
  digest: {
    ...sampled.digest,
    settings: [
      ['maxNewTokens', '32'],
      ['chat', 'true'],
      ['temperature', '0.6'],
      ['topP', '0.9'],
      ['seed', '77'],
    ] as const,
  },
};

describeBrowser('samples in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('writes with sampled settings and the chat template, and goes on to another seed', async () => {
    const panel = await openPanel(browser(), EMPTY);
    await panel.page.getByText('Greedy sampling always gives the same text for a prompt.').waitFor();
    assert.equal(await button(panel, 'Try Next Seed').isVisible(), false);
    await choose(panel, 'samples', 'Sampling', 'Random');
    await enter(panel, 'Temperature', '0.5');
    await enter(panel, 'Top p', '0.9');
    await enter(panel, 'Max tokens', '20');
    await enter(panel, 'Seed', '5');
    await choose(panel, 'samples', 'Draft', '4 bits');
    await panel.page.getByText(/its text stays its own\. Times are those of both\./).waitFor();
    await panel.page.locator('vscode-checkbox', { hasText: 'Chat template' }).click();
    await button(panel, 'Generate').click();
    const sampling = { temperature: 0.5, topP: 0.9, seed: 5 };
    const settings = { maxNewTokens: 20, chat: true, sampling, draft: 'int4' as const };
    assert.deepEqual(panel.received('samples/write').at(-1)!.settings, settings);
    await panel.post(update(1, { writing: TEXTS }));
    await button(panel, 'Regenerate').click();
    assert.deepEqual(panel.received('samples/write').at(-1)!.settings, settings, 'the same again');
    await button(panel, 'Try Next Seed').click();
    assert.equal(panel.received('samples/write').at(-1)!.settings.sampling!.seed, 6);
    await panel.page.getByText(/Seed 6 always gives the same text/).waitFor();
    await panel.close();
  });

  it('lets four models write at most', async () => {
    const columns = Array.from({ length: 6 }, (_, i) => ({
      id: `m${i}`,
      label: `model ${i}`,
      detail: '',
      group: 'own' as const,
      ...(i < 2 && { related: true as const }),
    }));
    const panel = await openPanel(browser(), { ...EMPTY, columns });
    const boxes = panel.page.getByRole('menuitemcheckbox');
    await button(panel, 'Add Model…').click();
    await boxes.nth(2).click();
    await boxes.nth(3).click();
    await panel.page.getByText('Up to 4 models.').waitFor();
    assert.equal(await boxes.nth(4).getAttribute('aria-disabled'), 'true');
    await boxes.nth(4).click({ force: true });
    await button(panel, 'Generate').click();
    assert.deepEqual(panel.received('samples/write')[0].columns, ['m0', 'm1', 'm2', 'm3']);
    await panel.close();
  });

  it('ticks nothing that has nothing to do with the checkpoint', async () => {
    const columns = [{ id: 'checkpoint:other', label: 'other', detail: '', group: 'other' as const }];
    const panel = await openPanel(browser(), { ...EMPTY, columns });
    await panel.page.getByText('This checkpoint has no tokenizer.json').waitFor();
    assert.notEqual(await button(panel, 'Generate').getAttribute('disabled'), null);
    await button(panel, 'Add Model…').click();
    await panel.page.getByRole('menuitemcheckbox', { name: 'other' }).click();
    await panel.page.keyboard.press('Escape');
    await button(panel, 'Generate').click();
    assert.deepEqual(panel.received('samples/write')[0].columns, ['checkpoint:other']);
    await panel.close();
  });

  it('says in a column why it failed, and what came of all', async () => {
    const [first, second] = TEXTS.texts;
    const failed = { ...second, text: '', tokens: 0, stopped: 'failed' as const, failure: 'model.safetensors is cut' };
    const writing = { ...TEXTS, columns: TEXTS.columns.slice(0, 2), texts: [first, failed] };
    const panel = await openPanel(browser(), EMPTY);
    await button(panel, 'Generate').click(); // so that the page knows the settings
    await panel.post(update(1, { writing }));
    await panel.page.locator('.sample', { hasText: '⚠ model.safetensors is cut' }).waitFor();
    await panel.page.locator('.samples [role="status"]', { hasText: '1 text generated, 1 failed' }).waitFor();
    await panel.page.getByText(/^Generated, 1 of 2 failed: greedy/).waitFor();
    await panel.close();
  });

  it('says how a text of the history was written, restores it, and exports one or all', async () => {
    const runs = RUNS.map((run) => (run === sampled ? withSettings : run));
    const panel = await openPanel(browser(), { ...FULL, runs });
    await choose(panel, 'samples', 'History', WORDS);
    await panel.page.getByText(/random, temperature 0.6, top p 0.9, seed 77; up to 32 tokens; chat template/).waitFor();
    await button(panel, 'Export these texts as JSON').click();
    const one = JSON.parse(lastFile(panel).text) as { settings: unknown; model: string; prompts: string[] };
    const settings = { maxNewTokens: 32, chat: true, sampling: { temperature: 0.6, topP: 0.9, seed: 77 } };
    assert.deepEqual([one.settings, one.model, one.prompts], [settings, FULL.model.name, ['Once upon a time']]);
    await button(panel, 'Export All: the whole history as JSON').click();
    const { name, text } = lastFile(panel);
    assert.equal(name, 'samples-history.json');
    assert.equal((JSON.parse(text) as unknown[]).length, 2, 'what was written last, and the run');
    await panel.page.locator('.prompt-row textarea').fill('Something else');
    await button(panel, 'Use These Settings').click();
    await button(panel, 'Regenerate').click();
    const asked = panel.received('samples/write').at(-1)!;
    assert.deepEqual(asked, {
      type: 'samples/write',
      prompt: 'Once upon a time',
      columns: ['original', 'plan'],
      settings,
    });
    await panel.close();
  });

  it('says beside texts and speeds what they were computed in, unless that is float32', async () => {
    const quantized = { ...sampled, digest: { ...sampled.digest, precision: 'int4' } };
    const panel = await openPanel(browser(), { ...FULL, runs: [quantized], writing: { ...TEXTS, precision: 'int8' } });
    const facts = panel.page.locator('.sample p.muted');
    assert.match(await facts.first().innerText(), /^int8 in blocks of 32 · \d+ tokens · /);
    await choose(panel, 'samples', 'History', WORDS);
    await panel.page
      .getByText(/^int4 in blocks of 32 · /)
      .first()
      .waitFor();
    const speeds = await panel.page.locator('.card.measured').innerText();
    assert.match(speeds, /int8 and int4: weights in blocks of 32\./);
    await panel.post(update(1, { writing: { ...TEXTS, precision: 'float32' }, runs: [] }));
    await settled(panel);
    assert.match(await facts.first().innerText(), /^\d+ tokens · /);
    await panel.close();
  });

  for (const theme of ['dark', 'light'] as const)
    it(`says beside a speed which draft it is with, and that of a run can be used again, in ${theme}`, async () => {
      const draft = { model: 'int8', drafted: 40, accepted: 30 };
      const { samples } = sampled.digest;
      const texts = samples!.texts.map((text) => ({ ...text, draft }));
      const settings = [...sampled.digest.settings, ['draft', 'int8'] as const];
      const run = { ...sampled, digest: { ...sampled.digest, samples: { ...samples!, texts }, settings } };
      const panel = await openPanel(browser(), { ...FULL, runs: [run], writing: null }, { theme });
      const facts = panel.page.locator('.sample p.muted').first();
      assert.match(await facts.innerText(), /tokens\/s · with draft int8, 75 % of its tokens stayed · /);
      await panel.page.getByText(/^Generated .*; draft int8/).waitFor();
      await button(panel, 'Use These Settings').click();
      await button(panel, 'Generate').click();
      assert.equal(panel.received('samples/write').at(-1)!.settings.draft, 'int8');
      await panel.checkAccessibility('.card.samples');
      await picture(panel.page.locator('.samples'), `samples-draft-${theme}`);
      await choose(panel, 'samples', 'Draft', 'None');
      await button(panel, 'Generate').click();
      assert.equal(panel.received('samples/write').at(-1)!.settings.draft, undefined);
      await panel.close();
    });

  it('says why a column could not go on', async () => {
    const [first, ...rest] = TEXTS.texts;
    const writing = { ...TEXTS, texts: [{ ...first, stopped: null, failure: 'the adapter has gone' }, ...rest] };
    const panel = await openPanel(browser(), { ...EMPTY, writing: { ...writing, status: 'failed' } });
    await panel.page.locator('.sample').first().getByText('⚠ the adapter has gone').waitFor();
    assert.equal(await panel.page.locator('.caret').count(), 0);
    await panel.close();
  });

  it('marks the plan among costs, and lists earlier plans on request', async () => {
    const cost = { ...RUNS[0].digest.cost![0], label: 'Without 3–9' };
    const runs = [...RUNS, { ...RUNS[1], id: 'x', digest: { ...RUNS[1].digest, cost: [cost] } }];
    const panel = await openPanel(browser(), { ...FULL, runs });
    assert.equal(await panel.page.locator('.measured tbody tr').count(), 3);
    assert.match(await panel.page.locator('.measured .is-plan').innerText(), /Without 14, 17–18\s*this plan/);
    await panel.page.locator('.measured vscode-checkbox').click();
    await panel.page.getByText('Without 3–9').waitFor();
    await panel.close();
  });
});

describeBrowser('runs in the results panel', (browser) => {
  before(buildPages);

  it('replaces a comparison by the next, and closes it', async () => {
    const panel = await openPanel(browser(), FULL);
    const rows = [{ group: 'settings' as const, name: 'rank', values: ['8', '16'], differs: true }];
    await panel.post(update(1, { comparison: { titles: ['a', 'b'], rows } }));
    await panel.post(update(2, { comparison: { titles: ['c', 'd'], rows } }));
    await panel.page.locator('.comparison').getByText('d', { exact: true }).waitFor();
    assert.equal(await panel.page.locator('.comparison table').count(), 1);
    await panel.page.locator('.runs vscode-checkbox').first().click();
    await settled(panel);
    await button(panel, 'Close the comparison').click();
    assert.equal(await panel.page.locator('.comparison table').count(), 0);
    await panel.post(update(3, { comparison: { titles: ['a', 'b'], rows } }));
    await panel.page.locator('.comparison table').waitFor();
    await panel.close();
  });

  it('shows one failure at a time', async () => {
    const failure = { kind: 'user' as const, what: 'One', why: 'first', action: 'Do.' };
    const panel = await openPanel(browser(), { ...EMPTY, failure });
    await panel.post(update(1, { plan: EMPTY.plan }));
    await panel.post(update(2, { failure: { ...failure, why: 'second' } }));
    await panel.page.getByText('One: second').waitFor();
    assert.equal(await button(panel, 'Dismiss').count(), 1);
    assert.equal(await panel.page.getByText('One: first').count(), 0);
    await panel.close();
  });

  it('opens a record, makes a model card, and names what cannot be read', async () => {
    const unreadable = [{ id: 'broken.json', why: 'it is no JSON' }];
    const panel = await openPanel(browser(), { ...FULL, unreadable });
    await panel.page.getByText('broken.json (it is no JSON)').waitFor();
    await button(panel, 'Open JSON of Retrained: adapter-a').first().click();
    assert.deepEqual(panel.received('runs/open'), [{ type: 'runs/open', id: RUNS[3].id }]);
    await panel.page.locator('.runs vscode-checkbox').first().click();
    await button(panel, /^Export Model Card…/).click();
    assert.deepEqual(panel.received('runs/card'), [{ type: 'runs/card', ids: [RUNS[0].id] }]);
    await panel.close();
  });

  it('saves a recipe of the ticked runs, or of all that lead to the plan', async () => {
    const panel = await openPanel(browser(), FULL);
    const save = button(panel, /^Save as Recipe…/);
    await save.click();
    await panel.page.locator('.runs vscode-checkbox').first().click();
    await save.focus();
    await panel.page.keyboard.press('Enter');
    await settled(panel);
    assert.deepEqual(
      panel.received('runs/recipe').map(({ ids }) => ids),
      [[], [RUNS[0].id]],
    );
    await panel.post(update(1, { runs: [] }));
    await settled(panel);
    assert.equal(await save.isVisible(), false, 'there is nothing to save');
    await panel.close();
  });
});
