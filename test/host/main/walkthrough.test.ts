/** The walkthrough: its steps, each of which completes by itself when the user does it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, EXTENSION_ID, inWorkspace, resetSettings, run, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** What an image says, and nothing of how it is written. */
const wordsOf = (svg: string): string =>
  svg
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

const STEPS = ['open', 'goal', 'plan', 'prune', 'compare', 'export'] as const;

describe('the walkthrough', () => {
  let window: Window;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    // What other tests have done counts too.
    for (const step of STEPS) await vscode.commands.executeCommand('setContext', `coppice.did.${step}`, false);
    await vscode.commands.executeCommand('resetGettingStartedProgress');
  });
  after(async () => {
    await window.tidy();
    await clearWorkspace();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await window.disconnect();
  });

  const done = (): Promise<number> =>
    window.page.locator('.getting-started-step .codicon-getting-started-step-checked').count();

  /** The words of the pictures that are shown; a frame may go while it is looked at. */
  const pictures = async (): Promise<string[]> => {
    const found = window.page.frames().map(async (frame) => {
      const pictures = frame.locator('svg');
      return (await pictures.count()) === 0 ? '' : wordsOf(await pictures.first().innerHTML({ timeout: 500 }));
    });
    return (await Promise.allSettled(found)).map((each) => (each.status === 'fulfilled' ? each.value : ''));
  };

  it('has its steps, none of them done', async () => {
    await run('openWalkthrough');
    await window.page.locator('.getting-started-step', { hasText: 'Open a model' }).waitFor();
    assert.equal(await window.page.locator('.getting-started-step').count(), STEPS.length);
    assert.equal(await done(), 0);
  });

  it('completes each step as it is done', async () => {
    const { extensionUri } = vscode.extensions.getExtension(EXTENSION_ID)!;
    const checkpoint = vscode.Uri.joinPath(extensionUri, 'media', 'sample').fsPath;
    const shorter = inWorkspace('shorter');
    const does: Readonly<Record<(typeof STEPS)[number], () => Promise<unknown>>> = {
      // What is found in the workspace needs no opening.
      open: async () => {
        writeModel('found');
        await (await coppice()).library.rescan();
      },
      goal: () => run('setGoal', { checkpoint, format: 'safetensors', maxRatio: 3 }),
      plan: async () => {
        await run('scoreBlocks', { checkpoint, criterion: 'magnitude' });
        await run('suggestBlocks', { checkpoint, criterion: 'magnitude', count: 2 });
      },
      prune: () => run('pruneCheckpoint', { checkpoint, out: shorter, heal: false }),
      // What the page lacks is measured elsewhere.
      compare: () => run('compareWithOriginal', { checkpoint: shorter, original: checkpoint, parts: [] }),
      export: () =>
        run('exportModel', {
          checkpoint: shorter,
          format: 'gguf',
          type: ['q8_0'],
          target: 'cpu',
          out: inWorkspace('shorter.gguf'),
        }),
    };
    for (const [place, step] of STEPS.entries()) {
      await does[step]();
      await run('openWalkthrough'); // a page may have come before it
      await until(`“${step}” is done`, async () => (await done()) === place + 1);
    }
    await run('resetPlan', { checkpoint });
    await run('setGoal', { checkpoint, none: true });
    await vscode.commands.executeCommand('workbench.action.closePanel');
    await vscode.commands.executeCommand('workbench.action.closeSidebar'); // narrow pages have no pictures
  });

  it('has a picture for each', async () => {
    const folder = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/walkthrough');
    const titles = window.page.locator('.getting-started-step .step-title');
    for (const [place, step] of STEPS.entries()) {
      await titles.nth(place).click();
      const words = wordsOf(readFileSync(join(folder, `${step}.svg`), 'utf8'));
      await until(`the picture of “${step}”`, async () => (await pictures()).includes(words));
      await window.screenshot(`walkthrough-${place + 1}-${step}`);
    }
    assert.equal((await coppice()).sidecar.jobs.length, 0);
  });
});
