/** All pages of the reference, as prettier writes them. */
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { cliPages } from './cli';
import { criteriaPage } from './criteria';
import { filePages } from './files';
import { indexPage } from './index-page';
import { editorPages } from './manifest';
import { formatsPage, modelsPage } from './models';
import type { Page } from './page';
import { environmentPage, exitCodesPage } from './process';
import { resultPages } from './results';
import { tasksPage } from './tasks';
import { toolsPage } from './tools';

const root = resolve(import.meta.dirname, '../..');

/** Where they are. */
export const REFERENCE = 'docs/reference';

const MADE = '<!-- Made from the code by `npm run docs:reference`: change it there. -->';

/** In a fixed order. The same code gives the same pages on every machine. */
export async function referencePages(): Promise<Page[]> {
  const pages = [
    indexPage(),
    ...cliPages(),
    ...resultPages(),
    ...editorPages(),
    ...filePages(),
    ...[toolsPage(), criteriaPage(), modelsPage(), formatsPage(), tasksPage()],
    ...[exitCodesPage(), environmentPage()],
  ];
  const filepath = resolve(root, REFERENCE, 'index.md');
  const settings = { ...(await resolveConfig(filepath)), filepath };
  return Promise.all(
    pages.map(async ({ file, text }) => ({ file, text: await format(`${MADE}\n\n${text}\n`, settings) })),
  );
}
