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

/** Those that run, by the words of their command lines. They end with the tests. */
const running = new Map<string, Promise<Browser>>();
after(async () => {
  for (const browser of running.values()) await (await browser).close();
});

function browserWith(args: readonly string[]): Promise<Browser> {
  const words = args.join(' ');
  // Some machines run tests as root, whom the sandbox refuses.
  const launch = (): Promise<Browser> =>
    chromium.launch({ executablePath: executable, args: ['--no-sandbox', ...args] });
  if (!running.has(words)) running.set(words, launch());
  return running.get(words)!;
}

/**
 * A group of tests that needs a browser, which `browser` gives to its tests. Pages of one group share nothing with another's.
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
    let browser: Browser | undefined;
    before(async () => {
      browser = await browserWith(args);
    });
    after(async () => {
      for (const left of browser?.contexts() ?? []) await left.close(); // of a test that failed
    });
    body(() => browser!);
  });
}
