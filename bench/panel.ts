/**
 * Panel: how long the results panel takes to show a model for the first time, with 128 blocks and 200 runs, and to redraw
 * after a toggle, with 40 and with 128 blocks; and the size of its bundles.
 *
 *   npm run bench -- panel [--toggles 20] [--openings 10]
 *
 * In the headless browser of the webview tests, on a recorded afternoon of work. A redraw is from the message of the host to
 * the end of the layout, which is what the page's program and the browser's style and layout take together; painting is not
 * in it. The first paint is what the page's program takes to start, and then from the host's first message until the frame
 * is painted that has the header and the bars of all blocks; what VS Code takes to make the webview is not in it. The cards
 * below come in the frames after it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import type { HostMessage, PanelMessage, PanelState } from '../src/protocol/panel';
// @ts-expect-error -- plain JavaScript, shared with the host tests' runner
import { installVSCode } from '../test/host/support/install-vscode.mjs';
import { FULL, opening, planOf } from '../test/webview/panel/recorded';
import { buildPages, pageFile, Webview } from '../test/webview/support/page';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { printFacts } from './support/numbers';
import { noteRatio } from './support/ratios';

const GOAL_MS = 50;
const FIRST_PAINT_GOAL_MS = 150;
const RUNS = 200;
const FIRST = 3;

const { values } = parseArgs({
  options: { toggles: { type: 'string', default: '20' }, openings: { type: 'string', default: '10' } },
});
const toggles = Number(values.toggles);
const openings = Number(values.openings);

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

/** The state with so many runs: the recorded ones again and again. */
function manyRuns(state: PanelState): PanelState {
  const runs = Array.from({ length: RUNS }, (_, i) => {
    const run = state.runs[i % state.runs.length];
    return { ...run, id: `${i}-${run.id}` };
  });
  return { ...state, runs };
}

/** Runs in the page: milliseconds of its program's start, and from the first message to the end of the painted frame. */
const openIn = (message: HostMessage): string => `(async () => {
  const [page] = performance.getEntriesByType('navigation');
  const loaded = Math.max(...performance.getEntriesByType('resource').map(({ responseEnd }) => responseEnd));
  const start = performance.now();
  dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(message)} }));
  await new Promise((drawn) => requestAnimationFrame(drawn)); // the page draws in this frame
  const bars = document.querySelectorAll('.importance .target').length;
  const { port1, port2 } = new MessageChannel();
  await new Promise((painted) => {
    port1.onmessage = painted; // it comes after the frame
    port2.postMessage('');
  });
  const paint = performance.now() - start;
  while (!document.querySelector('.card.runs table')) await new Promise((drawn) => requestAnimationFrame(drawn));
  return { boot: page.domContentLoadedEventEnd - loaded, paint, whole: performance.now() - start, bars };
})()`;

/** Milliseconds of an opening: until the first frame, and until all cards stand. */
interface Opening {
  readonly first: number;
  readonly whole: number;
}

async function open(blocks: number): Promise<Opening> {
  const panel = await Webview.open<HostMessage, PanelMessage>(browser, {
    name: 'panel',
    inlineStyles: true,
    width: 1280,
    receive: () => undefined,
  });
  const message = opening(manyRuns(stateOf(blocks)));
  const { boot, paint, whole, bars } = await panel.page.evaluate<{
    boot: number;
    paint: number;
    whole: number;
    bars: number;
  }>(openIn(message));
  if (bars < blocks) throw new Error(`the first frame has ${bars} of ${blocks} bars`);
  if (panel.errors.length > 0) throw new Error(panel.errors.join('\n'));
  await panel.page.close();
  return { first: boot + paint, whole: boot + whole };
}

printMachine();
buildPages();
const browser = await chromium.launch({
  executablePath: join((installVSCode as () => string)(), 'chromium'),
  args: ['--no-sandbox'],
});
const facts: [string, string][] = [];
try {
  const opened: Opening[] = [];
  for (let i = 0; i < openings + 1; i++) opened.push(await open(128));
  opened.shift(); // it also warms the browser
  const first = opened.map((each) => each.first);
  const whole = opened.map((each) => each.whole);
  const [usual, longest] = [median(first), Math.max(...first)];
  noteRatio(`first paint of 128 blocks, against the goal of ${FIRST_PAINT_GOAL_MS} ms`, usual / FIRST_PAINT_GOAL_MS);
  facts.push(
    [
      `first paint, 128 blocks, ${RUNS} runs`,
      `${usual.toFixed(0)} ms, at most ${longest.toFixed(0)} ms (goal: ${FIRST_PAINT_GOAL_MS} ms)`,
    ],
    ['all cards', `${median(whole).toFixed(0)} ms, at most ${Math.max(...whole).toFixed(0)} ms`],
  );
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
    noteRatio(`redrawing ${blocks} blocks, against the goal of ${GOAL_MS} ms`, middle / GOAL_MS);
    facts.push([`${blocks} blocks`, `${middle.toFixed(0)} ms, at most ${most.toFixed(0)} ms (goal: ${GOAL_MS} ms)`]);
    await panel.page.close();
  }
} finally {
  await browser.close();
}
for (const name of ['panel', 'editor', 'report']) {
  const files = ['js', 'css'].map((kind) => readFileSync(pageFile(`${name}.${kind}`)));
  const [size, packed] = [files, files.map((file) => brotliCompressSync(file))].map((all) =>
    all.reduce((sum, { length }) => sum + length, 0),
  );
  facts.push([`${name} bundle`, `${(size / 1e3).toFixed(0)} kB, ${(packed / 1e3).toFixed(0)} kB compressed`]);
}
printFacts(facts);
