/**
 * The results panel as a user meets it, on the sample model and with the real sidecar: score, look at the curve, click
 * blocks away and see what that costs, retrain and watch the loss come down, then read three models side by side.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import * as vscode from 'vscode';
import { clearWorkspace, coppice, EXTENSION_ID, inWorkspace, resetSettings, run } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

const REMOVED = [4, 5, 6];
const STEPS = 12;
const PROMPT = 'Lily and her dog went to the beach.';
/** Scoring, the curve and retraining each take seconds on an idle machine. */
const PATIENCE_MS = 90_000;

describe('the story of the results panel', function () {
  this.timeout(2 * PATIENCE_MS);
  let window: Window;
  let frame: Frame;
  let checkpoint: string;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    // Room for the charts, as a user gives it who looks at them.
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    checkpoint = inWorkspace('stories');
    const sample = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample');
    cpSync(sample, checkpoint, { recursive: true });
    await (await coppice()).library.rescan();
  });
  after(async () => {
    await window.tidy();
    await clearWorkspace();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
    await window.disconnect();
  });

  it('opens with what can be done first, and scores', async () => {
    await run('openResults', { checkpoint });
    frame = await window.frameWith('.card.importance');
    await frame.getByText('No block has a score yet.').waitFor();
    await window.screenshot('panel-1-empty');
    await frame
      .locator('.dock')
      .getByRole('button', { name: /^Score Blocks/ })
      .click();
    await window.enter('Shortened LLaMA');
    await window.enter('Bundled sample text');
    await bar(4).waitFor({ timeout: PATIENCE_MS });
    assert.match((await bar(4).getAttribute('aria-label'))!, /perplexity without it [\d.]+/);
    await scrolledTo(frame.locator('.card.importance'), 'panel-2-scored');
  });

  it('draws the curve', async () => {
    await frame.getByRole('button', { name: /^Draw Curve by / }).click();
    await until('a curve', async () => (await points()).length > 4, PATIENCE_MS);
    assert.ok((await points()).every((label) => /perplexity [\d.,]+/.test(label)));
  });

  it('takes blocks out with clicks in the chart, and says what that costs', async () => {
    for (const block of REMOVED) {
      await bar(block).click();
      await frame.locator(`.importance .target[data-key="${block}"][aria-checked="false"]`).waitFor();
    }
    assert.deepEqual(await planned(), REMOVED);
    const figure = frame.locator('.figure-box').filter({ hasText: /× of/ });
    await figure.waitFor({ timeout: PATIENCE_MS });
    const [, factor] = /([\d.]+)\s*× of/.exec(await figure.innerText())!;
    assert.ok(Number(factor) > 1.05 && Number(factor) < 2, `${factor} times the perplexity`);
    await scrolledTo(frame.locator('.card.curve'), 'panel-3-what-if');
  });

  it('draws the loss while it retrains, and what that brought back', async () => {
    const card = frame.locator('.card.training');
    const retrained = run('retrainLora', {
      checkpoint,
      plan: true,
      data: 'bundled',
      steps: STEPS,
      settings: { heal: 'none', batch: 4, length: 96, lr: 2e-3, heldOut: 6 },
      out: inWorkspace('stories-adapter'),
    });
    const seen = new Set<number>();
    await until(
      'the loss grows step by step',
      async () => {
        const [, step] = /step (\d+) of 12/.exec(await card.innerText()) ?? [];
        if (step !== undefined && !seen.has(Number(step))) {
          seen.add(Number(step));
          if (seen.size === 3) await scrolledTo(card, 'panel-4-training');
        }
        return seen.size >= 3;
      },
      PATIENCE_MS,
    );
    await retrained;
    assert.ok(existsSync(inWorkspace('stories-adapter', 'adapter_model.safetensors')));
    // Its perplexity on the same rows is a point of the curve, below that of the plan.
    await until('the point of the retrained model', async () => (await ofRetrained()) !== undefined, PATIENCE_MS);
    const label = (await points()).find((each) => each.includes('stories-adapter'))!;
    assert.match(label, /3 blocks removed|4, 5, 6|4–6/);
    const before = (await points()).map(perplexityOf)[REMOVED.length];
    assert.ok((await ofRetrained())! < before, `${await ofRetrained()} after retraining, ${before} before`);
    await scrolledTo(frame.locator('.card.curve'), 'panel-5-retrained');
  });

  it('lets the original, the plan and the retrained model write side by side', async () => {
    const card = frame.locator('.card.samples');
    await card.getByRole('textbox', { name: 'Prompt' }).fill(PROMPT);
    await card.getByRole('button', { name: 'Add Model…' }).click();
    await card.getByRole('menuitemcheckbox', { name: 'stories-adapter' }).click();
    await card.getByRole('menuitemcheckbox', { name: 'stories-adapter' }).press('Escape');
    await card.locator('vscode-button', { hasText: 'Generate' }).click();
    const texts = card.locator('.sample');
    await until(
      'three complete texts',
      async () => (await texts.filter({ hasText: /tokens\/s.*(max tokens reached|ended)/ }).count()) === 3,
      PATIENCE_MS,
    );
    const written = await texts.locator('.sample-text').allInnerTexts();
    for (const text of written) {
      assert.ok(text.startsWith(PROMPT), text);
      assert.ok(text.length > PROMPT.length + 40, text);
    }
    assert.equal(new Set(written).size, 3, 'three models write the same');
    await scrolledTo(card, 'panel-6-samples');
  });

  it('keeps a record of each run, in the workspace', async () => {
    assert.ok(readdirSync(inWorkspace('.coppice/runs')).length >= 5);
    await until('every kind of run', async () => {
      const text = await frame.locator('.card.runs').innerText();
      return ['Scored blocks by', 'Perplexity curve', 'Retrained', 'Sample text'].every((words) =>
        text.includes(words),
      );
    });
  });

  it('is there again after the sidecar was restarted, and computes on', async () => {
    await run('restartSidecar');
    await bar(6).click(); // stays, after all
    await until('the plan is without it', async () => (await planned()).join() === '4,5');
    await frame.locator('.figure-box').filter({ hasText: /× of/ }).waitFor({ timeout: PATIENCE_MS });
  });

  const bar = (block: number): Locator => frame.locator(`.importance .target[data-key="${block}"]`);

  /** What each point of the curve says of itself. */
  async function points(): Promise<string[]> {
    const targets = await frame.locator('.curve .target').all();
    return Promise.all(targets.map(async (target) => (await target.getAttribute('aria-label')) ?? ''));
  }

  async function ofRetrained(): Promise<number | undefined> {
    const label = (await points()).find((each) => each.includes('stories-adapter'));
    return label === undefined ? undefined : perplexityOf(label);
  }

  const perplexityOf = (label: string): number => Number(/perplexity ([\d.,]+)/.exec(label)?.[1].replace(/,/g, ''));

  async function planned(): Promise<readonly number[]> {
    const { library, plans } = await coppice();
    const { identity, architecture } = await library.load(checkpoint);
    return plans.removed({ path: checkpoint, identity, blocks: architecture!.layers.length });
  }

  async function scrolledTo(place: Locator, picture: string): Promise<void> {
    await place.scrollIntoViewIfNeeded();
    await window.screenshot(picture);
  }
});
