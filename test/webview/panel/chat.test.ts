/** A chat of several turns in the results panel: what instruct models get, and how a conversation goes on. */
import assert from 'node:assert/strict';
import type { LiveSamples, PanelState } from '../../../src/protocol/panel';
import { describeBrowser } from '../support/browser';
import { buildPages, TWO_THEMES } from '../support/page';
import { picture } from '../support/picture';
import { button, openPanel, settled, update } from './open';
import { EMPTY, FULL, TEXTS } from './recorded';

const INSTRUCT: PanelState = { ...EMPTY, instruct: true };
const QUESTION = 'Write a short story about a dog.';
const ANSWERED: LiveSamples = {
  ...TEXTS,
  chat: true,
  system: 'Be short.',
  prompt: 'And then?',
  earlier: TEXTS.columns.map((label) => [
    { role: 'user', content: QUESTION },
    { role: 'assistant', content: `A dog ran, says ${label}.` },
  ]),
};

describeBrowser('chats in the results panel', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  it('begins with a question and the chat template for a model that answers, and with a text for others', async () => {
    const panel = await openPanel(browser(), INSTRUCT);
    const system = panel.page.locator('vscode-text-field', { hasText: 'System prompt' });
    await system.locator('input').fill('Be short.');
    await button(panel, 'Generate').click();
    const settings = { maxNewTokens: 64, chat: true, sampling: null, system: 'Be short.' };
    assert.deepEqual(panel.received('samples/write')[0], {
      type: 'samples/write',
      prompt: QUESTION,
      columns: ['original', 'plan'],
      settings,
    });
    await panel.page.locator('vscode-checkbox', { hasText: 'Chat template' }).click();
    await settled(panel);
    assert.equal(await system.isVisible(), false);
    await button(panel, 'Generate').click();
    const [, text] = panel.received('samples/write');
    assert.equal(text.prompt, EMPTY.prompts[0], 'an example of the other kind');
    assert.deepEqual(text.settings, { maxNewTokens: 64, chat: false, sampling: null });
    await panel.close();
    const base = await openPanel(browser(), { ...EMPTY, times: { text: 'about 10 s' } });
    await base.page.getByText('write from one prompt. 64 tokens of one model: about 10 s.').waitFor();
    assert.equal(await base.page.locator('.prompt-row textarea').inputValue(), EMPTY.prompts[0]);
    assert.equal(await base.page.locator('vscode-text-field', { hasText: 'System prompt' }).isVisible(), false);
    await base.close();
  });

  it('shows the turns of each model, sends one reply to all, and begins again', async () => {
    const panel = await openPanel(browser(), INSTRUCT);
    await button(panel, 'Generate').click();
    await panel.post(update(1, { writing: ANSWERED }));
    await settled(panel);
    const first = panel.page.locator('.sample').first().locator('.turn');
    assert.deepEqual(await first.locator('.turn-who').allInnerTexts(), ['You', 'Original', 'You', 'Original']);
    assert.deepEqual((await first.locator('.turn-text').allInnerTexts()).slice(0, 3), [
      QUESTION,
      'A dog ran, says Original.',
      'And then?',
    ]);
    await panel.page.getByRole('button', { name: 'Copy this text' }).first().click();
    assert.match(
      panel.received('clipboard')[0].text,
      /^You: Write.*\n\nOriginal: A dog ran.*\n\nYou: And then\?\n\nOriginal: ,/,
    );
    const reply = panel.page.locator('.reply input');
    assert.notEqual(await button(panel, 'Send').getAttribute('disabled'), null, 'there is nothing to send');
    await reply.fill('Go on.');
    await reply.press('Enter');
    await settled(panel);
    const { prompt } = panel.received('samples/reply')[0];
    assert.deepEqual([prompt, await reply.inputValue()], ['Go on.', '']);
    await panel.post(update(2, { writing: { ...ANSWERED, status: 'running' } }));
    await settled(panel);
    await reply.fill('Too soon');
    await reply.press('Enter');
    assert.equal(panel.received('samples/reply').length, 1, 'one turn at a time');
    await panel.post(update(3, { writing: ANSWERED }));
    await button(panel, 'New Chat').click();
    assert.equal(panel.received('samples/clear').length, 1);
    await panel.post(update(4, { writing: null }));
    await settled(panel);
    assert.equal(await panel.page.locator('.sample, .reply:visible').count(), 0);
    await panel.close();
  });

  it('says that the context is full, and what to do', async () => {
    const full = ANSWERED.texts.map((text) => ({ ...text, stopped: 'context' as const }));
    const panel = await openPanel(browser(), { ...INSTRUCT, writing: { ...ANSWERED, texts: full } });
    await panel.page.getByText('The context window is full. Start a new chat.').waitFor();
    await panel.page.locator('.reply input').fill('More?');
    assert.notEqual(await button(panel, 'Send').getAttribute('disabled'), null);
    await panel.close();
  });

  it('lets a text go on without a word, and keeps it one text', async () => {
    const earlier = TEXTS.columns.map(() => [
      { role: 'user' as const, content: 'Once' },
      { role: 'assistant' as const, content: ' upon' },
    ]);
    const panel = await openPanel(browser(), { ...EMPTY, writing: { ...TEXTS, prompt: ' a time', earlier } });
    assert.match(await panel.page.locator('.sample-text').first().innerText(), /^Once upon a time, there was/);
    await button(panel, 'Continue').click();
    assert.equal(panel.received('samples/reply')[0].prompt, '');
    await panel.close();
  });

  it('is in the history with its turns', async () => {
    const run = FULL.runs.find(({ digest }) => digest.samples)!;
    const { system, earlier } = ANSWERED;
    const samples = { ...run.digest.samples!, chat: true as const, system, earlier };
    const runs = [{ ...run, digest: { ...run.digest, samples } }];
    const panel = await openPanel(browser(), { ...EMPTY, runs });
    await panel.page.getByText(/chat template; system prompt “Be short.”/).waitFor();
    assert.equal(await panel.page.locator('.sample').first().locator('.turn').count(), 4);
    assert.equal(await panel.page.locator('.reply').isVisible(), false, 'it is over');
    await panel.close();
  });

  it('offers the models by what they have to do with this one, by keys alone', async () => {
    const columns = [
      ...EMPTY.columns,
      { id: 'checkpoint:small', label: 'small', detail: '/small', group: 'made' as const, related: true as const },
      { id: 'checkpoint:other', label: 'other', detail: '/other', group: 'other' as const },
    ];
    const panel = await openPanel(browser(), { ...EMPTY, columns });
    const { page } = panel;
    await button(panel, 'Add Model…').focus();
    await page.keyboard.press('Enter');
    const groups = page.locator('.menu [role="group"]');
    const names = await Promise.all((await groups.all()).map((group) => group.getAttribute('aria-label')));
    assert.deepEqual(names, ['This model', 'Made from it', 'Other models']);
    await page.keyboard.press('s');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.evaluate('document.activeElement.ariaLabel'), 'other');
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Add Model…');
    assert.deepEqual(await page.locator('.samples .chip').allInnerTexts(), ['Original', 'Without 14, 17–18', 'small']);
    await button(panel, 'Remove Without 14, 17–18').click();
    await button(panel, 'Generate').click();
    assert.deepEqual(panel.received('samples/write')[0].columns, ['original', 'checkpoint:small']);
    await panel.close();
  });

  it('has three columns from 800 px, two from 560, and one below', async () => {
    for (const [width, columns] of [
      [800, 3],
      [560, 2],
      [540, 1],
    ]) {
      const panel = await openPanel(browser(), FULL, { width });
      const boxes = await Promise.all((await panel.page.locator('.sample').all()).map((each) => each.boundingBox()));
      const lefts = boxes.map((box) => Math.round(box!.x));
      assert.equal(new Set(lefts).size, columns, `${width} px`);
      await panel.close();
    }
  });

  for (const theme of TWO_THEMES) {
    it(`has no accessibility violation in ${theme}: a chat, an open menu, a run with details`, async () => {
      const state = { ...FULL, instruct: true, writing: ANSWERED };
      const kept = { view: { openRuns: [FULL.runs[3].id] } };
      const panel = await openPanel(browser(), state, { theme, kept });
      await button(panel, 'Add Model…').click();
      await settled(panel);
      await panel.checkAccessibility('.card.samples, .card.runs');
      await picture(panel.page, `panel-${theme}-chat`);
      await panel.close();
    });
  }
});
