/** Accessibility of a page, as axe-core finds it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { full } from '../../support/shared';
import type { Theme } from './page';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules that look at colours: what else is wrong is so in every theme. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

/** What axe-core finds, as far as it is looked at. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/**
 * Fails with every violation: of all rules in the dark theme, of those about colours in the others, unless in test:full.
 * @param within a selector of what is looked at: a card, where another test looks at the page around it. Axe takes seconds for a page
 */
export async function checkAccessibility(page: Page, theme: Theme, within?: string): Promise<void> {
  // What passes is not described, which takes as long as to look.
  const options = { resultTypes: ['violations'], ...(!full && theme !== 'dark' && { runOnly: COLOURS }) };
  await page.evaluate(AXE); // from outside, so that the page's policy need not allow it
  const violations = await page.evaluate<Violation[]>(
    `axe.run(${within === undefined ? 'document' : JSON.stringify(within)}, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
  );
  const found = violations.flatMap(({ id, impact, nodes }) =>
    nodes.map((node) => `${impact} ${id}: ${node.html} ${node.failureSummary}`),
  );
  assert.deepEqual(found, []);
}
