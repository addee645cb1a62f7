/** A results panel in a browser, with a host on record. */
import type { Browser, Locator } from 'playwright-core';
import type { HostMessage, PanelMessage, PanelState } from '../../../src/protocol/panel';
import { type Theme, Webview } from '../support/page';
import { opening } from './recorded';

export type Panel = Webview<HostMessage, PanelMessage>;

export async function openPanel(
  browser: Browser,
  state: PanelState,
  options: { theme?: Theme; width?: number; kept?: unknown; reducedMotion?: 'reduce' } = {},
): Promise<Panel> {
  const { theme, width, kept, reducedMotion } = options;
  const panel: Panel = await Webview.open<HostMessage, PanelMessage>(browser, {
    ...{ name: 'panel', inlineStyles: true, theme, width, state: kept },
    receive: () => undefined,
  });
  if (reducedMotion) await panel.page.emulateMedia({ reducedMotion });
  await panel.post(opening(state));
  await panel.page.locator('.card').first().waitFor();
  await settled(panel);
  return panel;
}

/** Drawing takes a frame, and another one where the width of a chart was not known. */
export const settled = ({ page }: Panel): Promise<void> => page.waitForTimeout(60);

export const update = (sequence: number, changes: Partial<PanelState>): HostMessage => ({
  sequence,
  type: 'update',
  changes,
});

export const button = ({ page }: Panel, name: string | RegExp): Locator =>
  page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });

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
