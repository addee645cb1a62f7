/** The page of before and after in a browser: it has no program, and is readable in dark and light. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BeforeAfter, beforeAfter } from '../../../src/engine/records/before-after/before-after';
import type { Row } from '../../../src/engine/records/before-after/rows';
import type { Measure } from '../../../src/engine/records/before-after/facts';
import { beforeAfterHtml, type PageParts } from '../../../src/engine/records/before-after/html';
import { frontierOf } from '../../../src/jobs/digest/frontier';
import type { RunDigest } from '../../../src/protocol/panel';
import { temporaryFolder } from '../../support/temporary';
import { describeBrowser } from '../support/browser';
import { checkAccessibility } from '../support/accessibility';
import { buildPages, reportStyle, THEMES } from '../support/page';
import { picture } from '../support/picture';
import themes from '../support/themes.json' with { type: 'json' };
import { PROBED, RUNS, tasksRun } from './recorded';
import { SIZES } from './sizes';

describeBrowser('page of before and after', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  for (const colorScheme of ['dark', 'light'] as const) {
    it(`is readable in ${colorScheme}`, async () => {
      const probed = { ...tasksRun, tasks: { ...tasksRun.tasks!, ...PROBED, files: [], questions: [] } };
      const digests: RunDigest[] = [tasksRun, probed, ...RUNS.map(({ digest }) => digest)];
      const found = beforeAfter(digests)!;
      const file = join(temporaryFolder(), 'before-after.html');
      writeFileSync(file, beforeAfterHtml(found, reportStyle()));
      const page = await browser().newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(pathToFileURL(file).href);
      assert.equal(await page.locator('h1').innerText(), 'HuggingFaceTB/SmolLM2-135M + adapter-a');
      const numbers = (await page.locator('table').innerText()).replace(/\s+/g, ' ');
      assert.match(
        numbers,
        /Accuracy, mean of the tasks 20,465 items of .* 49\.3 % 46\.1 % −3\.3 points ± 0\.9 48\.0 % −1\.3 points ± 0\.9/,
      );
      assert.match(numbers, /Probe: copying 32 questions that a seed makes; .* 75\.0 % 25\.0 % −50\.0 points ± 17\.6/);
      assert.match(numbers, /Probe: sums .*; the original cannot do this either 28\.0 % 22\.0 % (–|Parameters|Probe)/);
      assert.match(numbers, /Perplexity calibration\.txt; float32 on cpu, Coppice \S+ – – 35\.71/);
      assert.match(
        (await page.locator('main').textContent()) ?? '',
        /coppice eval HuggingFaceTB\/SmolLM2-135M --remove 14,17,18/,
      );
      await checkAccessibility(page, colorScheme);
      await picture(page, `before-after-${colorScheme}`);
      await page.close();
    });
  }

  for (const colorScheme of ['dark', 'light'] as const) {
    it(`has the sizes of the original against perplexity (${colorScheme})`, async () => {
      const sizes = frontierOf(JSON.parse(JSON.stringify(SIZES)))!;
      const file = join(temporaryFolder(), 'sizes.html');
      writeFileSync(file, beforeAfterHtml({ ...DECISION, sizes }, reportStyle()));
      const page = await browser().newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(pathToFileURL(file).href);
      const card = page.locator('section', { has: page.locator('.sizes-chart') });
      const words = (await card.innerText()).replace(/\s+/g, ' ');
      assert.match(
        words,
        /^Blocks or bits Perplexity on 64 rows of wiki\.test\.txt\. The best that fits into 102\.0 MB/,
      );
      assert.match(
        words,
        /q4_k_m without 2 blocks, healed 100\.2 MB 74\.1 the best that fits, no smaller file is better/,
      );
      assert.match(words, /original, as stored 270\.6 MB 64/);
      assert.doesNotMatch(await card.locator('table').innerText(), /q8_0 without/, 'files that a smaller one beats');
      assert.equal(await card.locator('circle').count(), SIZES.points.length);
      await checkAccessibility(page, colorScheme);
      await picture(card, `before-after-sizes-${colorScheme}`);
      await page.close();
    });
  }

  for (const colorScheme of ['dark', 'light'] as const) {
    it(`says why it has bits per byte of models with different vocabularies (${colorScheme})`, async () => {
      const rows = [row('bits', 'Bits per byte', 1.25, 1.5, '', ROWS), ...DECISION.rows.slice(3)];
      const file = join(temporaryFolder(), 'vocabularies.html');
      writeFileSync(file, beforeAfterHtml({ ...DECISION, rows, otherVocabularies: true }, reportStyle()));
      const page = await browser().newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(pathToFileURL(file).href);
      assert.match(await page.locator('.figures').innerText(), /Bits per byte\s+1\.5\s+1\.2× of 1\.25/);
      const numbers = page.locator('section', { has: page.locator('table') });
      assert.match(await numbers.innerText(), /Their vocabularies differ, .*: bits per byte of the same text do\./);
      assert.doesNotMatch(await page.locator('table').innerText(), /perplexity/i);
      await checkAccessibility(page, colorScheme);
      await picture(page, `before-after-vocabularies-${colorScheme}`);
      await page.close();
    });
  }

  for (const theme of THEMES) {
    it(`decides in ${theme}, at every width`, async () => {
      const { bodyClass, variables } = themes[theme];
      const inline = Object.entries(variables).map(([name, value]) => `${name}: ${value}`);
      const html = beforeAfterHtml(DECISION, reportStyle(), PARTS)
        .replace('<html lang="en">', `<html lang="en" style="${inline.join('; ').replaceAll('"', '&quot;')}">`)
        .replace('<body>', `<body class="${bodyClass}">`);
      const file = join(temporaryFolder(), 'decision.html');
      writeFileSync(file, html);
      const page = await browser().newPage({ viewport: { width: 1100, height: 900 }, bypassCSP: true });
      await page.goto(pathToFileURL(file).href);
      assert.equal(
        (await page.getByLabel('Verdict').innerText()).replace(/\s+/g, ' '),
        '✕ Misses the goal: 116 MB of at most 120 MB, perplexity 1.34× of at most 1.3× Change Goal…',
      );
      const action = page.getByRole('link', { name: 'Measure What Is Missing…' });
      assert.equal(await action.getAttribute('href'), 'command:coppice.compareWithOriginal?x');
      assert.equal(await page.locator('details').getAttribute('open'), null, 'command lines are folded');
      assert.match(await page.locator('.repetition.is-high').innerText(), /51 %: it repeats itself/);
      await checkAccessibility(page, theme);
      await picture(page, `decision-${theme}`);
      if (theme === 'dark') {
        await page.setViewportSize({ width: 420, height: 900 });
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= 420, `${width} px wide`);
        await picture(page, 'decision-narrow');
      }
      await page.close();
    });
  }
});

const row = (
  measure: Measure,
  name: string,
  before: number | null,
  after: number,
  unit = '',
  of = 'the files',
): Row => ({
  measure,
  name,
  cells: [
    before === null ? null : { value: before, text: `${before}${unit}`, change: '' },
    { value: after, text: `${after}${unit}`, change: before === null ? '' : `${(after / before).toFixed(2)}×` },
  ],
  of,
});
const ROWS = 'prose.txt (5,120 tokens); float32 on cpu, Coppice 0.1.0';
const TURNS = 'in turns; prompts of 128 tokens, 64 new tokens, 5 runs; float32 on cpu, Coppice 0.1.0';
const written = (
  prompt: string,
  original: string,
  result: string,
  repetition: number,
): BeforeAfter['samples'][number] => ({
  prompt,
  of: 'up to 64 tokens, greedy; float32 on cpu, Coppice 0.1.0',
  texts: [
    { text: original, repetition: 0.02 },
    { text: result, repetition },
  ],
});

const DECISION: BeforeAfter = {
  subject: 'SmolLM2-24-healed',
  judged: 1,
  models: ['SmolLM2-135M', 'SmolLM2-24-healed'],
  rows: [
    row('ppl', 'Perplexity', 24.1, 32.3, '', ROWS),
    row('kl', 'KL divergence from the original', null, 0.29, ' nats', ROWS),
    row('top1', 'Same next token', null, 71, ' %', ROWS),
    row('parameters', 'Parameters', 134_515_008, 113_274_432),
    row('bytes', 'Size', 269.1, 226.5, ' MB'),
    row('shipped', 'Size as it ships', 269.1, 116.2, ' MB', 'exported as SmolLM2-24-q8_0.gguf'),
    row('prefill', 'Prefill speed', 412, 489, ' tokens/s', TURNS),
    row('decode', 'Decoding speed', 47.2, 58.1, ' tokens/s', TURNS),
  ],
  samples: [
    written(
      'The Leaning Tower of Pisa is known for',
      ' its unique architecture and its iconic tilt. The tower was built in the 12th century and is one of the most famous landmarks in Italy.',
      ' its lean. It is the tower of the tower of the tower of the tower of the tower of the tower of the tower.',
      0.51,
    ),
    written(
      'Once upon a time, there was',
      ' a little girl named Lily who loved to read.',
      ' a man who had a dog, and the dog was old.',
      0.04,
    ),
  ],
  ran: [{ file: 'SmolLM2-24-q8_0.gguf', programs: 'llama.cpp 3.22.1 (16 of 16 tokens the same)' }],
  missing: [
    {
      kind: 'texts',
      what: '1 of 3 sample texts of SmolLM2-24-healed (the same prompt for all)',
      command: 'coppice generate SmolLM2-24-healed --prompt TEXT --record FILE.json',
    },
    {
      kind: 'accuracy',
      what: 'accuracy of SmolLM2-24-healed',
      command: 'coppice tasks SmolLM2-135M SmolLM2-24-healed --data DIR --record FILE.json',
      optional: true,
    },
  ],
};
const PARTS: PageParts = {
  verdict: { meets: 'no', text: 'Misses the goal: 116 MB of at most 120 MB, perplexity 1.34× of at most 1.3×' },
  goal: { label: 'Change Goal…', address: 'command:coppice.setGoal?x' },
  measure: { label: 'Measure What Is Missing…', address: 'command:coppice.compareWithOriginal?x' },
  links: [
    { label: 'Export HTML…', address: 'command:coppice.showBeforeAfter?h' },
    { label: 'Export Markdown…', address: 'command:coppice.showBeforeAfter?m' },
  ],
};
