/** A translation covers every text of the pages: with a made-up bundle, no English is left in the panel and the editor. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { l10n, translateBy } from '../../src/l10n';
import type { PanelState } from '../../src/protocol/panel';
import { bundleKey, textsIn } from '../support/l10n-texts';
import { temporaryFolder } from '../support/temporary';
import { writeTinyCheckpoint } from '../support/tiny-models';
import { sourcesIn, textOf } from '../unit/house/repository';
import { openPanel, settled } from './panel/open';
import { EMPTY, FULL, planOf, RUNS, TEXTS, trainingSteps } from './panel/recorded';
import { describeBrowser } from './support/browser';
import { type EditorPage, openFile } from './support/open-editor';
import { buildPages } from './support/page';

/** Every text of the pages, in brackets. */
const BUNDLE = Object.fromEntries(
  sourcesIn('webview')
    .flatMap((file) => textsIn(file, textOf(file)).texts)
    .map((text) => [bundleKey(text), `⟦${text.message}⟧`]),
);

/** Names of formats and units, and dates, which the browser writes. */
const SAME_EVERYWHERE = /\b(SVG|PNG|CSV|JSON|NaN|safetensors|[kMGT]?B|[A-Z][a-z]{2} \d{1,2}|[AP]M)\b/g;

/** All texts of elements and attributes, but for those that a model writes. */
const shownTexts = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`(() => {
    const texts = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (walk.currentNode.parentElement.closest('script, style, .sample-text')) continue;
      texts.push(walk.currentNode.textContent);
    }
    for (const element of document.body.querySelectorAll('*'))
      for (const name of ['aria-label', 'title', 'placeholder']) texts.push(element.getAttribute(name) ?? '');
    return texts;
  })()`);

/** What is left of a text without translations and data. @param data longest first */
function untranslated(text: string, data: readonly string[]): string {
  let rest = text;
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/g, ' ');
  }
  for (const each of data) rest = rest.replaceAll(each, ' ');
  return rest.replace(SAME_EVERYWHERE, ' ');
}

/** Strings of the host's message, but for single words, which may be identifiers. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return /^[a-z]*$/i.test(value) ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

async function requireTranslated(page: Page, data: readonly string[]): Promise<void> {
  const longestFirst = [...new Set(data)].sort((a, b) => b.length - a.length);
  const texts = await shownTexts(page);
  assert.ok(texts.some((text) => text.includes('⟦')));
  const left = texts.filter((text) => /[a-z]{2,}/i.test(untranslated(text, longestFirst)));
  assert.deepEqual([...new Set(left)], []);
}

/** Data of an editor page: messages of the host, cells of its tables, and the syntax of a filter. */
async function dataOf({ log, page }: EditorPage): Promise<string[]> {
  const cells = await page.locator('.table-body [role=gridcell]').allTextContents();
  const told = log.flatMap(({ from, message }) => (from === 'host' ? stringsOf(message) : []));
  return [...told, ...cells.filter((cell) => cell !== ''), 'q_proj   block:12   part:ffn   dtype:bf16'];
}

const failure = { kind: 'user', what: 'What 1', why: 'Why 1', action: 'Action 1' } as const;
const BUSY: PanelState = {
  ...FULL,
  trusted: false,
  failure,
  writing: null,
  kin: {
    parent: {
      name: 'big-1',
      removed: [4],
      there: { path: '/big', blocks: 40, parameters: 2e8, parametersRead: 2e8, ppl: 18 },
    },
    original: null,
    children: [{ name: 'small-1', path: '/small', removed: [3], kind: 'prune', retrained: ['adapter-s'], ppl: 25 }],
  },
  plan: planOf([2], { warning: 'has warning 1' }),
  training: { status: 'failed', title: 'adapter-b', total: 60, steps: trainingSteps(10), evaluations: [], failure },
  jobs: [
    {
      id: 'a',
      kind: 'score',
      word: 'word 1',
      state: 'running',
      progress: { label: 'label 1', done: 1, total: 9, unit: 'u', secondsLeft: 80 },
    },
    { id: 'b', kind: 'retrain', word: 'word 2', state: 'queued' },
  ],
  comparison: {
    titles: ['title 1', 'title 2'],
    rows: [{ group: 'settings', name: 'name 1', values: ['8', '16'], differs: true }],
  },
  unreadable: [{ id: 'broken.json', why: 'why 2' }],
};
const FAULTY: PanelState = {
  ...EMPTY,
  text: { ...EMPTY.text!, fault: 'fault 1' },
  columns: [{ id: 'checkpoint:other', label: 'other-1', detail: 'detail 1', group: 'other' }],
  training: { status: 'running', title: 'adapter-b', total: 6, steps: [], evaluations: [{ step: 0, ppl: 57 }] },
  writing: {
    ...TEXTS,
    status: 'running',
    texts: TEXTS.texts.map((text) => ({ ...text, tokens: 0, stopped: null })),
  },
};

describeBrowser('translation of the pages', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
    assert.ok(Object.keys(BUNDLE).length > 150);
  });

  const kept = { view: { tables: ['importance', 'curve', 'training'], earlierPlans: true, markDifferences: true } };
  for (const [name, state] of Object.entries({ full: FULL, busy: BUSY, empty: EMPTY, faulty: FAULTY }))
    it(`covers the ${name} panel`, async () => {
      const panel = await openPanel(browser(), state, { bundle: BUNDLE, kept });
      const target = panel.page.locator('.importance .target').first();
      if ((await target.count()) > 0) await target.focus(); // its tip
      await settled(panel);
      await requireTranslated(panel.page, [...stringsOf(state), 'cpu', ...RUNS.map(({ title }) => title)]);
      await panel.close();
    });

  it('covers the editor, with what the host tells it', async () => {
    translateBy((message, ...args) => `⟦${message.replace(/\{(\d)\}/g, (_, i) => String(args[Number(i)]))}⟧`);
    try {
      const folder = join(temporaryFolder(), 'toy');
      mkdirSync(folder);
      writeTinyCheckpoint(folder, 'llama-gqa-tied', { tokenizer: true });
      const file = join(folder, 'model.safetensors');
      const editor = await openFile(browser(), file, { bundle: BUNDLE });
      const { page } = editor;
      const rows = page.locator('.table-body .table-row');
      await rows.nth(3).click();
      await page.locator('.result vscode-button').click();
      await page.locator('.histogram').waitFor();
      await requireTranslated(page, await dataOf(editor));
      await editor.close();
      const broken = join(folder, 'broken.safetensors');
      writeFileSync(broken, 'version 1');
      const damaged = await openFile(browser(), broken, { bundle: BUNDLE });
      await requireTranslated(damaged.page, await dataOf(damaged));
      await damaged.close();
    } finally {
      translateBy((message, ...args) => message.replace(/\{(\d+)\}/g, (_, i) => String(args[Number(i)])));
    }
    assert.equal(l10n.t('{0} of {1}', 1, 2), '1 of 2');
  });
});
