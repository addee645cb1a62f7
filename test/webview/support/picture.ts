/** Pictures of pages for people to look at. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { takesPictures } from '../../support/pictures';

const folder = resolve(import.meta.dirname, '../../out/screenshots');

/** A picture of a whole page, or of a part of it, below test/out/screenshots, which is not in Git. */
export async function picture(of: Page | Locator, name: string): Promise<void> {
  if (!takesPictures) return;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await ('goto' in of ? of.screenshot({ path, fullPage: true }) : of.screenshot({ path }));
}
