/**
 * `npm run docs:reference`: writes the pages of the reference, removes those that are no longer made, and writes the tables of other
 * pages that are made from kept records.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MEASURED, withMeasured } from './measured/tables';
import { REFERENCE, referencePages } from './pages';

const folder = resolve(import.meta.dirname, '../..', REFERENCE);
const pages = await referencePages();
rmSync(folder, { recursive: true, force: true });
for (const { file, text } of pages) {
  const path = resolve(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
for (const file of MEASURED) {
  const path = resolve(import.meta.dirname, '../..', file);
  writeFileSync(path, await withMeasured(readFileSync(path, 'utf8')));
}
console.log(`${pages.length} pages: ${REFERENCE}`);
