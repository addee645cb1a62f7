/** The packed extension, installed into a clean VS Code: it is whole, fast to start, and computes. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { ScoreResult } from '../../../src/jobs/results/score';
import { EXTENSION_ID, run } from '../support/coppice';
import { loadedAtStart } from '../../support/activation';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** Bytes of code that VS Code reads to activate the extension. Their time depends on what runs beside, so it is shown only. */
const MOST_CODE = 700_000;

describe('the installed package', () => {
  const extension = (): vscode.Extension<unknown> => vscode.extensions.getExtension(EXTENSION_ID)!;
  let window: Window;
  before(async () => {
    window = await Window.connect();
  });
  after(() => window.disconnect());

  it('lies in the folder of extensions, and is for this platform', () => {
    assert.ok(extension(), 'it is not installed');
    assert.equal(realpathSync(dirname(extension().extensionPath)), realpathSync(process.env.COPPICE_HOST_EXTENSIONS!));
    const manifest = readFileSync(join(extension().extensionPath, '.vsixmanifest'), 'utf8');
    assert.match(manifest, new RegExp(`TargetPlatform="${process.platform}-${process.arch}"`));
  });

  it('is activated by its view, and opens the model that it brings', async () => {
    assert.equal(extension().isActive, false);
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await until('it is active', () => extension().isActive);
    await extension().activate(); // throws what went wrong
    await window.page.locator('.welcome-view').getByRole('button', { name: 'Open Sample Model' }).click();
    await window.row('Block 0').waitFor();
    await window.screenshot('vsix-sample');
  });

  it('computes, with the onnxruntime that it brings', async () => {
    const checkpoint = join(extension().extensionPath, 'media', 'sample');
    const { blocks } = await run<ScoreResult>('scoreBlocks', {
      checkpoint,
      criterion: 'ppl',
      samples: 2,
      length: 16,
      device: 'cpu',
    });
    assert.ok(blocks && blocks.length > 0);
  });

  it('has a page for those who install it, with everything on it to be seen', async () => {
    await vscode.commands.executeCommand('extension.open', EXTENSION_ID);
    const page = await window.frameWith('h2:has-text("Privacy")');
    const headings = await page.locator('h2').allInnerTexts();
    for (const heading of [
      'What it does to a real model',
      'Recipes',
      'On a cluster',
      'Agents',
      'Requirements and platforms',
      'Limits',
      'Privacy',
      'Supported files',
      'Important settings',
    ]) {
      assert.ok(headings.includes(heading), heading);
    }
    // What Coppice is and what to do first stand before every figure.
    assert.match(await page.locator('h1 + p').innerText(), /^Makes a language model shorter/);
    assert.ok((await page.locator('pre').first().locator('xpath=preceding::h2').count()) > 0);
    // VS Code takes the address off every picture that is not on the web: the figures are a table.
    const figures = page.locator('table', { hasText: 'retrained' });
    assert.equal(await figures.count(), 1);
    assert.equal(await page.locator('pre').count(), 2); // what is written in a recipe and in a setting
    assert.equal(await page.locator('img:not([src^="https:"])').count(), 0);
    await window.screenshot('vsix-page');
    await figures.first().scrollIntoViewIfNeeded();
    await window.screenshot('vsix-page-2');
    await page.locator('h2', { hasText: 'Important settings' }).scrollIntoViewIfNeeded();
    await window.screenshot('vsix-page-3');
  });

  it('has the same page as a file, whose pictures and links lead somewhere', () => {
    const folder = extension().extensionPath;
    const name = readdirSync(folder).find((each) => each.toLowerCase() === 'readme.md')!;
    const text = readFileSync(join(folder, name), 'utf8');
    assert.match(text, /^# Coppice\n\nMakes a language model shorter/);
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
    const inFolder = targets.filter((target) => !/^(https:|#)/.test(target));
    assert.deepEqual(
      inFolder.filter((target) => !existsSync(join(folder, target))),
      [],
    );
  });

  it('reads little code to be activated', () => {
    const { load, activate } = activationTimes();
    console.log(`      loaded in ${load.toFixed(0)} ms, activated in ${activate.toFixed(0)} ms`);
    const { main } = extension().packageJSON as { readonly main: string };
    const files = loadedAtStart(join(extension().extensionPath, main));
    const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    console.log(`      ${files.length} files, ${(bytes / 1000).toFixed(0)} kB`);
    assert.ok(bytes < MOST_CODE, `${bytes} bytes`);
  });
});

/** Milliseconds, by the marks of the extension host: the code of the extension read, and `activate()` run. */
function activationTimes(): { readonly load: number; readonly activate: number } {
  const { MonacoPerformanceMarks } = globalThis as {
    MonacoPerformanceMarks?: { getMarks(): { name: string; startTime: number }[] };
  };
  const marks = new Map(MonacoPerformanceMarks?.getMarks().map(({ name, startTime }) => [name, startTime]));
  const between = (what: string): number =>
    marks.get(`code/extHost/did${what}/${EXTENSION_ID}`)! - marks.get(`code/extHost/will${what}/${EXTENSION_ID}`)!;
  const [load, activate] = [between('LoadExtensionCode'), between('ActivateExtension')];
  assert.ok(load >= 0 && activate >= 0, 'VS Code leaves no marks any more');
  return { load, activate };
}
