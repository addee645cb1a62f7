/** The checkpoint editor's page in a browser, with the session that serves it in VS Code. */
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { EditorSession } from '../../../src/editors/editor-session';
import { inspectFile } from '../../../src/editors/inspection';
import type { FromEditorPage, ModelAction, ToEditorPage } from '../../../src/protocol/editor';
import type { TensorStatistics } from '../../../src/protocol/short';
import { type Theme, Webview } from './page';

export type Statistics = (tensor: string, signal: AbortSignal) => Promise<TensorStatistics>;
/** How the page is opened. */
export interface Options {
  readonly theme?: Theme;
  readonly state?: unknown;
  readonly width?: number;
  readonly bundle?: Readonly<Record<string, string>>;
  readonly statistics?: Statistics;
}
/** The page, with the texts that it copied and its session in the host. */
export type EditorPage = Webview<ToEditorPage, FromEditorPage> & {
  readonly copied: string[];
  /** What was asked for with the model. */
  readonly acted: ModelAction[];
  readonly session: EditorSession;
};

export const STATISTICS: TensorStatistics = {
  elements: 1024,
  min: -0.5,
  max: 0.5,
  mean: 0.001,
  standardDeviation: 0.12,
  zeros: 3,
  nan: 2,
  infinite: 0,
  histogram: Array.from({ length: 64 }, (_, i) => Math.round(1000 * Math.exp(-(((i - 32) / 10) ** 2)))),
};

/** Opens the page of a file. */
export async function openFile(browser: Browser, file: string, options: Options = {}): Promise<EditorPage> {
  const copied: string[] = [];
  const acted: ModelAction[] = [];
  const failures: unknown[] = [];
  const session = new EditorSession(
    {
      post: (message) => void webview.then((page) => page.post(message)),
      copy: (what) => copied.push(what),
      openText: () => undefined,
      act: (action) => acted.push(action),
      statistics: (tensor, _onProgress, signal) =>
        (options.statistics ?? (() => Promise.resolve(STATISTICS)))(tensor, signal),
      unexpected: (error) => failures.push(error),
    },
    () => inspectFile(file),
  );
  const { theme, state, width, bundle } = options;
  const webview = Webview.open<ToEditorPage, FromEditorPage>(browser, {
    name: 'editor',
    receive: (message) => void session.receive(message).catch((error: unknown) => failures.push(error)),
    theme,
    state,
    width,
    bundle,
  });
  const page = await webview;
  await page.page.locator('h1').waitFor();
  assert.deepEqual(failures, []);
  return Object.assign(page, { copied, acted, session });
}
