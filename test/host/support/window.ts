/** The window that the tests run in, seen from outside: the workbench's page, for clicks and screenshots. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Frame, type Page } from 'playwright-core';
import * as vscode from 'vscode';
import { eventually, PATIENCE_MS, until } from '../../support/until';
import { visibleTexts } from '../../support/visible-texts';

/** What only a window of tests shows, and no picture: the title of a development host, and the keyboard of a browser. */
const ONLY_HERE = '.command-center .search-label, [id="status.workbench.keyboardLayout"] { visibility: hidden; }';

export class Window {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  static async connect(): Promise<Window> {
    const address = `http://127.0.0.1:${process.env.COPPICE_HOST_PORT}`;
    // Electron lacks a call that Playwright's defaults make.
    const browser = await chromium.connectOverCDP(address, { noDefaults: true });
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      if ((await page.locator('.monaco-workbench').count()) === 0) continue;
      page.setDefaultTimeout(PATIENCE_MS);
      return new Window(browser, page);
    }
    throw new Error('no workbench among the pages');
  }

  /** A window that another page shows. */
  at(page: Page): Window {
    page.setDefaultTimeout(PATIENCE_MS);
    return new Window(this.browser, page);
  }

  /** Leaves the window as it is. */
  async disconnect(): Promise<void> {
    await this.browser.close();
  }

  /** Saved below test/out/screenshots, which is not in Git, with the texts that it shows in a file beside it. */
  async screenshot(name: string): Promise<string> {
    const path = join(process.env.COPPICE_HOST_SCREENSHOTS!, `${name}.png`);
    await this.page.screenshot({ path, animations: 'disabled', style: ONLY_HERE });
    writeFileSync(`${path}.json`, JSON.stringify(await visibleTexts(this.page)));
    return path;
  }

  /** Nothing but the view: no editor, no panel, no notification of what was before. */
  async tidy(): Promise<void> {
    for (const command of ['closeAllEditors', 'closePanel']) {
      await vscode.commands.executeCommand(`workbench.action.${command}`);
    }
    await vscode.commands.executeCommand('notifications.clearAll');
  }

  /** Drags the border of the side bar to where its lines have the room that users give them. */
  async widenSideBar(width = 480): Promise<void> {
    const bar = await this.page.locator('.part.sidebar').boundingBox();
    assert.ok(bar);
    const [border, height] = [bar.x + bar.width, bar.y + bar.height / 4];
    await this.page.mouse.move(border, height);
    await this.page.mouse.down();
    await this.page.mouse.move(bar.x + width, height, { steps: 4 });
    await this.page.mouse.up();
  }

  /** Runs a command as users do, by the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.page.locator('.quick-input-widget input').fill(`>${title}`);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
  }

  /**
   * Waits for the question that shows `text`, and takes its default. A key that comes before the box has the focus is
   * lost, as a user would see: it is pressed again while the question is there.
   */
  async enter(text: string | RegExp): Promise<void> {
    const box = this.page.locator('.quick-input-widget:visible');
    await box.getByText(text).first().waitFor();
    // The step stands in it, “Score Blocks (1/2)”, unless later answers decide how many there are; then the question tells.
    const title = async (timeout: number): Promise<string> => {
      const words = await box.locator('.quick-input-title').innerText({ timeout });
      return `${words} ${await box.locator('input').first().getAttribute('placeholder', { timeout })}`;
    };
    const asked = await title(PATIENCE_MS);
    // Where a window takes longer to answer, the question may still be there.
    const gone = async (): Promise<boolean> =>
      (await title(200).catch(async () => ((await box.count()) === 0 ? '' : asked))) !== asked;
    let pressed = 0;
    await until(
      () => `Enter is taken by “${asked}”, pressed ${pressed} times`,
      async () => {
        if (await gone()) return true;
        if (!(await eventually(async () => (await box.locator('input:focus').count()) > 0, 1000))) {
          // Something else has taken the focus: a user clicks into the box.
          await box
            .locator('input')
            .first()
            .click({ timeout: 500 })
            .catch(() => undefined);
          return false;
        }
        pressed++;
        await this.page.keyboard.press('Enter');
        return until('', gone, 2000).then(
          () => true,
          () => false,
        );
      },
    );
  }

  /** Waits for the question that shows `text`. @returns all that its box says */
  async question(text: string | RegExp): Promise<string> {
    const box = this.page.locator('.quick-input-widget:visible');
    await box.getByText(text).first().waitFor();
    return box.innerText();
  }

  /** Waits for the list that has a line with `text`, and chooses that line. */
  async pick(text: string): Promise<void> {
    const line = this.page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: text }).first();
    await line.waitFor();
    await until(`“${text}” is chosen`, async () => {
      if ((await line.count()) === 0) return true;
      // Where the pointer was, the text of a line may have opened above this one.
      await this.page.mouse.move(0, 0);
      await line.click({ timeout: 500 }).catch(() => undefined);
      return until('', async () => (await line.count()) === 0, 2000).then(
        () => true,
        () => false,
      );
    });
  }

  /** Waits for the question, and answers it with this text. */
  async answer(question: string | RegExp, text: string): Promise<void> {
    const box = this.page.locator('.quick-input-widget:visible');
    await box.getByText(question).first().waitFor();
    await box.locator('input').first().fill(text);
    await this.enter(question);
  }

  /**
   * Clicks the box of a tree's line, and waits for what that does. A click that comes while the line is being drawn again
   * is lost, as a user would see: it is repeated while nothing has happened.
   */
  async tick(line: string, done: () => Promise<boolean>): Promise<void> {
    const box = this.row(line).locator('.custom-view-tree-node-item-checkbox').first();
    await until(`a click on the box of “${line}” is taken`, async () => {
      if (await done()) return true;
      await box.click();
      return until('', done, 2000).then(
        () => true,
        () => false,
      );
    });
  }

  /** Chooses from the menu that is open. A click that comes as soon as a menu is there is lost: it is repeated. */
  async choose(name: string): Promise<void> {
    const item = this.page.getByRole('menuitem', { name });
    await item.waitFor();
    await until(`“${name}” is taken`, async () => {
      if ((await item.count()) === 0) return true;
      await item.click({ timeout: 500 }).catch(() => undefined);
      return false;
    });
  }

  /** What there is to see that may say why a test failed: questions, notifications, the status bar. */
  async visibleText(): Promise<string[]> {
    const parts = ['.quick-input-widget:visible', '.notification-toast', '.statusbar-item[id*="coppice"]'];
    const texts = await Promise.all(parts.map((part) => this.page.locator(part).allInnerTexts()));
    return texts.flatMap((found, i) => found.map((text) => `${parts[i]}: ${text.replace(/\s+/g, ' ')}`));
  }

  /** A notification, by a part of its text. */
  toast(text: string | RegExp) {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** A row of a list or tree that is shown, by a part of its text; not of the view "Jobs", whose lines name models too. */
  row(text: string | RegExp) {
    return this.page.locator('.monaco-list-row:visible:not([aria-label="Jobs"] .monaco-list-row)', { hasText: text });
  }

  /** Selects the lines of the view "Jobs". */
  readonly jobRows = '[aria-label="Jobs"] .monaco-list-row:visible';

  /**
   * Clicks an action of a line of the view "Jobs", which is there while the mouse is over it, and waits for what that does. A
   * click that comes while the line is being drawn again is lost, as a user would see: it is repeated.
   */
  async actOnJob(line: string | RegExp, name: string, done: () => Promise<boolean>): Promise<void> {
    await until(`“${name}” of a job is taken`, async () => {
      if (await done()) return true;
      const row = this.jobRow(line).first();
      await row.hover({ timeout: 1000 }).catch(() => undefined);
      await row
        .getByRole('button', { name })
        .click({ timeout: 1000 })
        .catch(() => undefined);
      return until('', done, 2000).then(
        () => true,
        () => false,
      );
    });
  }

  /** A line of the view "Jobs", by a part of its text. */
  jobRow(text: string | RegExp) {
    return this.page.locator(this.jobRows, { hasText: text });
  }

  /** The frame of a webview that holds `selector`, with this text in it. */
  async frameWith(selector: string, hasText: string | RegExp = ''): Promise<Frame> {
    let found: Frame | undefined;
    await until(`a frame with ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        if (
          (await frame
            .locator(selector, { hasText })
            .count()
            .catch(() => 0)) > 0
        )
          found = frame;
      }
      return found !== undefined;
    });
    assert.ok(found);
    return found;
  }
}
