/**
 * Pictures of pages for people to look at, below test/out/screenshots, which is not in Git. A run of all tests takes none, because a
 * machine that draws without a GPU needs seconds for each theme; `node test/run.mjs WORD` and test:full do.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';

const isWanted = process.env.COPPICE_TEST_PICTURES !== '0';
const folder = resolve(import.meta.dirname, '../../out/screenshots');

/** A picture of a whole page, or of a part of it. */
export async function picture(of: Page | Locator, name: string): Promise<void> {
  if (!isWanted) return;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await ('goto' in of ? of.screenshot({ path, fullPage: true }) : of.screenshot({ path }));
}
