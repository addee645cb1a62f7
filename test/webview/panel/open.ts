/** A results panel in a browser, with a host on record. */
import type { Browser, Locator } from 'playwright-core';
import type { HostMessage, PanelMessage, PanelState } from '../../../src/protocol/panel';
import { type Theme, Webview } from '../support/page';
import { opening } from './recorded';

/** What the page kept. */
interface Kept {
  readonly view?: object;
}

export type Panel = Webview<HostMessage, PanelMessage>;

export async function openPanel(
  browser: Browser,
  state: PanelState,
  options: {
    theme?: Theme;
    width?: number;
    kept?: unknown;
    /** Leaves More Measurements as it opens by itself; without it, all cards are there. */
    folded?: true;
    reducedMotion?: 'reduce';
    bundle?: Record<string, string>;
  } = {},
): Promise<Panel> {
  const { theme, width, kept, folded, reducedMotion, bundle } = options;
  const panel: Panel = await Webview.open<HostMessage, PanelMessage>(browser, {
    name: 'panel',
    inlineStyles: true,
    theme,
    width,
    state: folded ? kept : { ...(kept as object), view: { more: 'open', ...(kept as Kept | undefined)?.view } },
    bundle,
    reducedMotion,
    receive: () => undefined,
  });
  await panel.post(opening(state));
  await panel.page.locator('.card').first().waitFor();
  await settled(panel);
  return panel;
}

/**
 * Waits until the page is drawn: no element changes any more. Drawing takes a frame, and another one where the width of a
 * chart was not known; controls show their values a few frames later. What the page sent has arrived then, also what keys and the
 * mouse made it send, which comes after Playwright's own answer.
 */
export async function settled({ page }: Panel): Promise<void> {
  await page.evaluate(QUIET);
}

/** Resolves after ten frames in a row that change no element. */
const QUIET = `new Promise((done) => {
  let quiet = 0;
  const observer = new MutationObserver(() => (quiet = 0));
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  const frame = () => {
    if (++quiet < 10) return requestAnimationFrame(frame);
    observer.disconnect();
    done();
  };
  requestAnimationFrame(frame);
})`;

/** Replaces the number in a field, once it shows the one that it has. */
export async function enter(panel: Panel, label: string, text: string): Promise<void> {
  const input = panel.page.locator('vscode-text-field', { hasText: label }).locator('input');
  await input.waitFor();
  await settled(panel);
  await input.fill(text);
}

export const update = (sequence: number, changes: Partial<PanelState>): HostMessage => ({
  sequence,
  type: 'update',
  changes,
});

export const button = ({ page }: Panel, name: string | RegExp): Locator =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });

/** Exports a card through its menu. */
export async function exportAs({ page }: Panel, title: string, format: string): Promise<void> {
  await page.getByRole('button', { name: `Export “${title}”`, exact: true }).click();
  await page.getByRole('menuitem', { name: `Export “${title}” as ${format}`, exact: true }).click();
}

/** Chooses from a list under a visible label. */
export async function choose({ page }: Panel, card: string, label: string, option: string | RegExp): Promise<void> {
  const list = page.locator(`.${card} vscode-dropdown[aria-label="${label}"]`);
  await list.click();
  await list.locator('vscode-option').filter({ hasText: option }).click();
}

/** The text of the last file that was saved. */
export function lastFile(panel: Panel): { name: string; text: string } {
  const { name, content } = panel.received('file/save').at(-1)!;
  return { name, text: 'text' in content ? content.text : '' };
}
