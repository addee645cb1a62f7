/** `npm run docs:reference`: writes the pages of the reference, and removes those that are no longer made. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { REFERENCE, referencePages } from './pages';

const folder = resolve(import.meta.dirname, '../..', REFERENCE);
const pages = await referencePages();
rmSync(folder, { recursive: true, force: true });
for (const { file, text } of pages) {
  const path = resolve(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`${pages.length} pages: ${REFERENCE}`);
