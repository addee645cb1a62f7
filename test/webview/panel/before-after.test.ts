/** The page of before and after in a browser: it has no program, and is readable in dark and light. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAfter } from '../../../src/engine/records/before-after/before-after';
import { beforeAfterHtml } from '../../../src/engine/records/before-after/html';
import type { RunDigest } from '../../../src/protocol/panel';
import { temporaryFolder } from '../../support/temporary';
import { describeBrowser } from '../support/browser';
import { buildPages } from '../support/page';
import { RUNS, tasksRun } from './recorded';

describeBrowser('page of before and after', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  for (const colorScheme of ['dark', 'light'] as const) {
    it(`is readable in ${colorScheme}`, async () => {
      const digests: RunDigest[] = [tasksRun, ...RUNS.map(({ digest }) => digest)];
      const found = beforeAfter(digests)!;
      const style = readFileSync(resolve(import.meta.dirname, '../../../dist/webview/report.css'), 'utf8');
      const file = join(temporaryFolder(), 'before-after.html');
      writeFileSync(file, beforeAfterHtml(found, style));
      const page = await browser().newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(pathToFileURL(file).href);
      assert.equal(await page.locator('h1').innerText(), 'HuggingFaceTB/SmolLM2-135M + adapter-a');
      const numbers = (await page.locator('table').innerText()).replace(/\s+/g, ' ');
      assert.match(
        numbers,
        /Accuracy, mean of the tasks 20,465 items of .* 49\.3 % 46\.1 % −3\.3 points ± 0\.9 48\.0 % −1\.3 points ± 0\.9/,
      );
      assert.match(numbers, /Perplexity calibration\.txt; float32 on cpu, Coppice \S+ – – 35\.709/);
      assert.match(
        await page.locator('main').innerText(),
        /coppice eval HuggingFaceTB\/SmolLM2-135M --remove 14,17,18/,
      );
      await page.screenshot({
        path: resolve(import.meta.dirname, `../../out/screenshots/before-after-${colorScheme}.png`),
        fullPage: true,
      });
      await page.close();
    });
  }
});
