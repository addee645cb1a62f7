/**
 * A second window of VS Code beside the one of the tests, with the extension and without tests. It needs the window in a
 * browser that takes the place of the desktop's: there, the second page is the second window, with an extension host of its own.
 */
import type { Page, Route } from 'playwright-core';
import * as vscode from 'vscode';
import { eventually, until } from '../../support/until';
import { EXTENSION_ID } from './coppice';
import type { Window } from './window';

/** Whether there can be a second window. */
export const hasSecondWindow = vscode.env.uiKind === vscode.UIKind.Web;

/** On the same folder, as "Open Folder" of a remote window opens it. */
export const onSameFolder = (window: Window): Promise<Window> =>
  opened(window, async () => {
    const page = await window.page.context().newPage();
    await page.goto(window.page.url());
    return page;
  });

/** By the command that a desktop has for it, which makes another workspace of the same folders. */
export const byDuplicating = (window: Window): Promise<Window> =>
  opened(window, async () => {
    const opening = window.page.context().waitForEvent('page');
    await vscode.commands.executeCommand('workbench.action.duplicateWorkspaceInNewWindow');
    const page = await opening;
    await page.waitForURL(/workspace=/);
    await page.goto(page.url()); // the first document may have come before it could be changed
    return page;
  });

async function opened(window: Window, open: () => Promise<Page>): Promise<Window> {
  const context = window.page.context();
  const { origin } = new URL(window.page.url());
  await context.route((at) => at.origin === origin && at.pathname === '/', withExtension);
  const second = window.at(await open());
  try {
    await showView(second.page);
  } catch (error) {
    await second.screenshot('failed-second-window');
    await second.page.close();
    throw error;
  } finally {
    await context.unrouteAll();
  }
  return second;
}

async function showView(page: Page): Promise<void> {
  const tab = page.locator('.activitybar').getByRole('tab', { name: 'Coppice' });
  await tab.waitFor();
  await until('the view is shown', async () => {
    const jobs = page.locator('.pane-header:visible', { hasText: 'Jobs' });
    if (await eventually(async () => (await jobs.count()) > 0, 1000)) return true;
    await tab.click(); // a second click would hide it
    return false;
  });
}

/** Puts the extension under development into the page's own configuration. */
async function withExtension(route: Route): Promise<void> {
  const { extensionUri } = vscode.extensions.getExtension(EXTENSION_ID)!;
  const extension = {
    scheme: 'vscode-remote',
    authority: new URL(route.request().url()).host,
    path: extensionUri.path,
  };
  const response = await route.fetch();
  const html = await response.text();
  const body = html.replace(/(id="vscode-workbench-web-configuration" data-settings=")([^"]*)/, (_all, head, text) => {
    const known = JSON.parse(plain(text as string)) as object;
    return `${head}${escaped(JSON.stringify({ ...known, developmentOptions: { extensions: [extension] } }))}`;
  });
  await route.fulfill({ response, body });
}

const plain = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
