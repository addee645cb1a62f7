/** A headless browser for webview tests: the one that the host tests install. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
// @ts-expect-error -- plain JavaScript, shared with the host tests' runner
import { installVSCode } from '../../host/support/install-vscode.mjs';

let executable: string | undefined;
let missing: string | undefined;
try {
  executable = join((installVSCode as () => string)(), 'chromium');
  if (!existsSync(executable)) throw new Error(`there is no ${executable}`);
} catch (error) {
  missing = error instanceof Error ? error.message : String(error);
}

/**
 * A group of tests that needs a browser, which `browser` gives to its tests.
 * @param args more words of its command line
 */
export function describeBrowser(
  title: string,
  body: (browser: () => Browser) => void,
  args: readonly string[] = [],
): void {
  if (executable === undefined) {
    it.skip(`${title} (no browser can be had: ${missing})`);
    return;
  }
  describe(title, function () {
    this.timeout(60_000);
    let running: Browser | undefined;
    before(async () => {
      // Some machines run tests as root, whom the sandbox refuses.
      running = await chromium.launch({ executablePath: executable, args: ['--no-sandbox', ...args] });
    });
    after(() => running?.close());
    body(() => running!);
  });
}
