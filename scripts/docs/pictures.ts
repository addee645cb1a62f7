/**
 * `npm run docs:pictures`: takes the pictures of the documents into media/readme, and lists the texts that they show. Those of windows
 * are screenshots of tests (CONTRIBUTING.md says which); the picture of the report is taken here, of a demo.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
// @ts-expect-error -- plain JavaScript, shared with the host tests' runner
import { installVSCode } from '../../test/host/support/install-vscode.mjs';
import { messagesBehind, type Picture, PICTURES } from '../../test/support/pictures';
import { visibleTexts } from '../../test/support/visible-texts';

const root = resolve(import.meta.dirname, '../..');
const screenshots = join(root, 'test/out/screenshots');
const folder = join(root, 'media/readme');

/** The screenshot of each picture. */
const SCREENSHOTS: Readonly<Record<string, string>> = {
  'before-after.png': 'ship-SmolLM2-135M-Instruct-5-page-light-modern',
  'panel.png': 'ship-SmolLM2-135M-Instruct-3-planned',
  'plan.png': 'ship-SmolLM2-135M-Instruct-4-healed',
  'healing.png': 'healing-4-card-light',
};

const listed = existsSync(join(root, PICTURES))
  ? (JSON.parse(readFileSync(join(root, PICTURES), 'utf8')) as Record<string, Picture>)
  : {};

for (const [name, screenshot] of Object.entries(SCREENSHOTS)) {
  const path = join(screenshots, `${screenshot}.png`);
  if (!existsSync(path)) {
    console.log(`${name}: left as it is, there is no ${path}`);
    continue;
  }
  copyFileSync(path, join(folder, name));
  list(name, JSON.parse(readFileSync(`${path}.json`, 'utf8')) as string[]);
}
list('report.png', await takeReport(join(folder, 'report.png')));
const sorted = Object.fromEntries(Object.entries(listed).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(root, PICTURES), `${JSON.stringify(sorted, null, 2)}\n`);

function list(name: string, shown: readonly string[]): void {
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
  const texts = messagesBehind(shown);
  listed[name] = { sha256, texts };
  console.log(`${name}: ${texts.length} texts of the interface`);
}

/** The top of the report of a demo. */
async function takeReport(file: string): Promise<string[]> {
  const parent = mkdtempSync(join(tmpdir(), 'coppice-report-'));
  const browser = await chromium.launch({
    executablePath: join((installVSCode as () => string)(), 'chromium'),
    args: ['--no-sandbox'],
  });
  try {
    const out = join(parent, 'demo');
    execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), 'demo', '--out', out, '-q'], { stdio: 'ignore' });
    const page = await browser.newPage({ viewport: { width: 1100, height: 1390 } });
    await page.goto(pathToFileURL(join(out, 'report.html')).href);
    await page.screenshot({ path: file, animations: 'disabled' });
    return await visibleTexts(page);
  } finally {
    await browser.close();
    rmSync(parent, { recursive: true, force: true });
  }
}
