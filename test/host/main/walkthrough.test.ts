/** The walkthrough: its steps, each of which completes by itself when the user does it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
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

const STEPS = ['open', 'score', 'suggest', 'prune', 'heal', 'generate', 'recipe', 'agent'] as const;

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
    const does: Readonly<Record<(typeof STEPS)[number], () => Promise<unknown>>> = {
      // What is found in the workspace needs no opening.
      open: async () => {
        writeModel('found');
        await (await coppice()).library.rescan();
      },
      score: () => run('scoreBlocks', { checkpoint, criterion: 'magnitude' }),
      suggest: () => run('suggestBlocks', { checkpoint, count: 2 }),
      prune: () => run('pruneCheckpoint', { checkpoint, out: inWorkspace('shorter'), heal: false }),
      heal: () => run('heal', { checkpoint, patch: inWorkspace('healed.safetensors'), tokens: 256, device: 'cpu' }),
      generate: () => run('generateText', { checkpoint, prompt: 'Once upon a time', maxNewTokens: 4, device: 'cpu' }),
      recipe: async () => {
        const recipe = inWorkspace('scores.coppice.json');
        const scores = { job: 'score', options: { criterion: 'magnitude' } };
        writeFileSync(recipe, JSON.stringify({ coppice: 1, model: checkpoint, steps: { scores } }));
        await run('runRecipe', { recipe });
      },
      // Its event comes with the command, whether or not this VS Code has a chat to open.
      agent: async () => {
        await vscode.commands.executeCommand('workbench.action.chat.open').then(undefined, () => undefined);
      },
    };
    for (const [place, step] of STEPS.entries()) {
      await does[step]();
      await until(`“${step}” is done`, async () => (await done()) === place + 1);
    }
    await run('resetPlan', { checkpoint });
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
