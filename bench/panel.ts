/**
 * Panel: how long the results panel takes to redraw after a toggle, with 40 and with 128 blocks, and the size of its bundles.
 *
 *   npm run bench -- panel [--toggles 20]
 *
 * In the headless browser of the webview tests, on a recorded afternoon of work: from the message of the host to the end of
 * the layout, which is what the page's program and the browser's style and layout take together; painting is not in it.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { HostMessage, PanelMessage, PanelState } from '../src/protocol/panel';
// @ts-expect-error -- plain JavaScript, shared with the host tests' runner
import { installVSCode } from '../test/host/support/install-vscode.mjs';
import { FULL, opening, planOf } from '../test/webview/panel/recorded';
import { buildPages, Webview } from '../test/webview/support/page';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { printFacts } from './support/numbers';

const GOAL_MS = 50;
const FIRST = 3;

const { values } = parseArgs({ options: { toggles: { type: 'string', default: '20' } } });
const toggles = Number(values.toggles);

/** The recorded panel with other numbers of blocks: the scores come again and again. */
function stateOf(blocks: number): PanelState {
  const runs = FULL.runs.map((run) => {
    const { score } = run.digest;
    if (!score) return run;
    const many = Array.from({ length: blocks }, (_, index) => ({
      ...score.blocks[index % score.blocks.length],
      index,
    }));
    return { ...run, digest: { ...run.digest, score: { ...score, blocks: many } } };
  });
  return { ...FULL, model: { ...FULL.model, blocks }, runs };
}

/** Runs in the page: milliseconds of each redraw. */
const measure = (messages: readonly HostMessage[]): string => `(async () => {
  const times = [];
  for (const data of ${JSON.stringify(messages)}) {
    times.push(await new Promise((done) => {
      let start;
      requestAnimationFrame(() => { start = performance.now(); });
      dispatchEvent(new MessageEvent('message', { data })); // the page draws in the same frame
      requestAnimationFrame(() => { document.body.offsetHeight; done(performance.now() - start); });
    }));
  }
  return times;
})()`;

printMachine();
buildPages();
const browser = await chromium.launch({
  executablePath: join((installVSCode as () => string)(), 'chromium'),
  args: ['--no-sandbox'],
});
const facts: [string, string][] = [];
try {
  for (const blocks of [40, 128]) {
    const panel = await Webview.open<HostMessage, PanelMessage>(browser, {
      name: 'panel',
      inlineStyles: true,
      width: 1280,
      receive: () => undefined,
    });
    const state = stateOf(blocks);
    await panel.post(opening(state));
    await panel.page
      .locator(`.importance .target`)
      .nth(blocks - 1)
      .waitFor({ state: 'attached' });
    const messages = Array.from({ length: toggles + FIRST }, (_, i): HostMessage => {
      return { sequence: i + 1, type: 'update', changes: { plan: planOf([5 + (i % 20), 30]) } };
    });
    const times = (await panel.page.evaluate<number[]>(measure(messages))).slice(FIRST);
    if (panel.errors.length > 0) throw new Error(panel.errors.join('\n'));
    const [middle, most] = [median(times), Math.max(...times)];
    facts.push([`${blocks} blocks`, `${middle.toFixed(0)} ms, at most ${most.toFixed(0)} ms (goal: ${GOAL_MS} ms)`]);
    await panel.page.close();
  }
} finally {
  await browser.close();
}
for (const name of ['panel', 'editor', 'report']) {
  const files = ['js', 'css'].map((kind) =>
    readFileSync(resolve(import.meta.dirname, `../test/out/built/webview/${name}.${kind}`)),
  );
  const [size, packed] = [files, files.map((file) => brotliCompressSync(file))].map((all) =>
    all.reduce((sum, { length }) => sum + length, 0),
  );
  facts.push([`${name} bundle`, `${(size / 1e3).toFixed(0)} kB, ${(packed / 1e3).toFixed(0)} kB compressed`]);
}
printFacts(facts);
