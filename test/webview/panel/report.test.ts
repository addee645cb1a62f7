/** A report in a browser: it draws its charts under its own policy and needs nothing from elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { reportHtml } from '../../../src/engine/records/report';
import { checkAccessibility } from '../support/accessibility';
import { describeBrowser } from '../support/browser';
import { buildPages, pageFile } from '../support/page';
import { picture } from '../support/picture';
import { frontierOf } from '../../../src/jobs/digest/frontier';
import type { RunDigest } from '../../../src/protocol/panel';
import { RUNS } from './recorded';
import { SIZES } from './sizes';

const { cost: _, score: __, curve: ___, ...about } = RUNS[0].digest;
const frontier = frontierOf(JSON.parse(JSON.stringify(SIZES)));
const sizes: RunDigest = { ...about, kind: 'frontier', frontier };

describeBrowser('report', (browser) => {
  before(function () {
    this.timeout(60_000);
    buildPages();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`draws its charts in ${colorScheme}, alone`, async () => {
      const asset = (name: string): string => readFileSync(pageFile(name), 'utf8');
      const html = reportHtml([...RUNS.map(({ digest }) => digest), sizes], {
        script: asset('report.js'),
        style: asset('report.css'),
      });
      const page = await browser().newPage({ colorScheme });
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (line) => line.type() === 'error' && problems.push(line.text()));
      await page.route('**/*', (route) =>
        new URL(route.request().url()).pathname === '/'
          ? route.fulfill({ contentType: 'text/html', body: html })
          : (problems.push(route.request().url()), route.abort()),
      );
      await page.goto('http://report.test/');
      await page.locator('.importance .target').nth(29).waitFor({ state: 'attached' });
      await page.locator('.curve .target').first().waitFor({ state: 'attached' });
      await page
        .locator('.frontier .target')
        .nth(SIZES.points.length - 1)
        .waitFor({ state: 'attached' });
      await page.locator('.training .charts svg').first().waitFor();
      await page.locator('.healing .target').nth(11).waitFor({ state: 'attached' });
      assert.equal(await page.locator('.sample').count(), 2);
      assert.ok((await page.locator('#records tbody tr').count()) > 10);
      await checkAccessibility(page, colorScheme);
      await picture(page, `report-${colorScheme}`);
      await picture(page.locator('.card.frontier'), `report-sizes-${colorScheme}`);
      await page.close();
      assert.deepEqual(
        problems.filter((problem) => !problem.includes('favicon')),
        [],
      );
    });
  }
});
