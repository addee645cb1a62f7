/**
 * A webview as VS Code would show it: the same document and content security policy, a theme's variables, and a host
 * on the other side whose messages are logged. What the page asks for goes to `answer`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Disposable, Page } from 'playwright-core';
import { pageDocument } from '../../../src/editors/page-document';
import { built } from '../../support/built';
import { full } from '../../support/shared';
import { checkAccessibility } from './accessibility';
import themes from './themes.json' with { type: 'json' };

export type Theme = keyof typeof themes;
export const THEMES = Object.keys(themes) as Theme[];
/** For a part of a page that another test shows in every theme. */
export const TWO_THEMES: readonly Theme[] = full ? THEMES : ['dark', 'light'];

/** Builds the pages where they are not there yet; call it from a hook. */
export const buildPages = (): void => void built('editor', 'panel', 'report');

/** A script or a style sheet of the pages. */
export const pageFile = (name: string): string => join(built('editor', 'panel', 'report'), 'webview', name);

/** What the pages of reports and of before and after look like. */
export const reportStyle = (): string => readFileSync(pageFile('report.css'), 'utf8');

export interface WebviewOptions<From> {
  /** Name of the script in dist/webview. */
  readonly name: 'editor' | 'panel';
  /** Gets every message of the page, in order. */
  readonly receive: (message: From) => void;
  readonly theme?: Theme;
  /** What the page kept before. */
  readonly state?: unknown;
  readonly inlineStyles?: boolean;
  /** Translations, as VS Code has them; English when undefined. */
  readonly bundle?: Readonly<Record<string, string>>;
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: 'reduce';
}

/** A page of the browser in which one webview after the other is shown: the scripts are compiled once for all of them. */
interface Stage {
  readonly page: Page;
  /** What is shown in it; undefined between two. */
  shown?: Shown;
}

/** What a webview makes of what its page does. */
interface Shown {
  readonly html: string;
  readonly receive: (message: unknown) => void;
  readonly keep: (state: unknown) => void;
  readonly fail: (error: string) => void;
}

/** Pages that nothing is shown in. */
const free = new WeakMap<Browser, Stage[]>();

async function stageOf(browser: Browser): Promise<Stage> {
  for (let stage = free.get(browser)?.pop(); stage !== undefined; stage = free.get(browser)?.pop()) {
    if (!stage.page.isClosed()) return stage;
  }
  const page = await browser.newPage();
  const stage: Stage = { page };
  page.on('pageerror', (error) => stage.shown?.fail(error.message));
  page.on('console', (line) => line.type() === 'error' && stage.shown?.fail(line.text()));
  await page.exposeFunction('hostReceives', (message: unknown) => stage.shown?.receive(message));
  await page.exposeFunction('hostKeeps', (kept: unknown) => stage.shown?.keep(kept));
  await page.route('**/*', (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: stage.shown?.html ?? '' });
    if (/^\/[\w.-]+\.(js|css)$/.test(pathname)) return route.fulfill({ path: pageFile(pathname) });
    return route.fulfill({ status: 404, body: '' });
  });
  return stage;
}

/** A page in the browser, with its host's side. */
export class Webview<To, From extends { readonly type: string }> {
  /** Every message, in the order of their sending. */
  readonly log: { readonly from: 'host' | 'page'; readonly message: To | From }[] = [];
  /** What went wrong in the page: exceptions, console errors, violations of the policy. */
  readonly errors: string[] = [];
  state: unknown;
  /** What runs in the page before its script. */
  private readonly scripts: Disposable[] = [];

  private constructor(
    private readonly browser: Browser,
    private readonly stage: Stage,
    private readonly theme: Theme,
  ) {}

  get page(): Page {
    return this.stage.page;
  }

  static async open<To, From extends { readonly type: string }>(
    browser: Browser,
    options: WebviewOptions<From>,
  ): Promise<Webview<To, From>> {
    const { name, theme = 'dark', state, width = 1100, height = 900 } = options;
    const html = pageDocument({
      title: name,
      language: 'en',
      script: `/${name}.js`,
      styleSheet: `/${name}.css`,
      source: "'self'",
      nonce: '0123456789abcdef',
      inlineStyles: options.inlineStyles,
      bundle: options.bundle,
    });
    const stage = await stageOf(browser);
    const webview = new Webview<To, From>(browser, stage, theme);
    webview.state = state;
    stage.shown = {
      html,
      receive: (message) => {
        webview.log.push({ from: 'page', message: message as From });
        options.receive(message as From);
      },
      keep: (kept) => (webview.state = kept),
      fail: (error) => webview.errors.push(error),
    };
    const { page } = stage;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ reducedMotion: options.reducedMotion ?? null });
    // The loader of the tests wraps named functions, those that are sent to the page too.
    const given = `window.__webview = ${JSON.stringify({ state, theme: themes[theme] })};`;
    webview.scripts.push(await page.addInitScript({ content: given }));
    webview.scripts.push(await page.addInitScript({ path: join(import.meta.dirname, 'host-side.js') }));
    await page.goto(`http://${name}.test/`);
    return webview;
  }

  /** Sends the page a message. */
  async post(message: To): Promise<void> {
    this.log.push({ from: 'host', message });
    await this.page.evaluate(`window.postMessage(${JSON.stringify(message)}, '*')`);
  }

  /** Messages of the page of one type. */
  received<T extends From['type']>(type: T): Extract<From, { readonly type: T }>[] {
    type Wanted = Extract<From, { readonly type: T }>;
    return this.log.flatMap(({ from, message }) => {
      return from === 'page' && (message as From).type === type ? [message as Wanted] : [];
    });
  }

  /** Fails with every accessibility violation of the page as it is, or of what this selector finds. */
  checkAccessibility(within?: string): Promise<void> {
    return checkAccessibility(this.page, this.theme, within);
  }

  /** Fails on anything that went wrong in the page, which another webview may have then. */
  async close(): Promise<void> {
    const { page } = this.stage;
    await page.mouse.move(0, 0);
    for (const script of this.scripts) await script.dispose();
    await page.goto('about:blank');
    this.stage.shown = undefined;
    assert.deepEqual(this.errors, []);
    free.set(this.browser, [...(free.get(this.browser) ?? []), this.stage]);
  }
}
