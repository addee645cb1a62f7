/**
 * Forecasting a draft as a user does it, on the sample model and with the real sidecar: from the palette's questions to the card, and
 * from the goal of the same text, faster, to its answer. Costs are given where the answer depends on them.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import * as vscode from 'vscode';
import type { DraftResult } from '../../../src/jobs/results/draft';
import { subjectOf } from '../../../src/state/subject';
import { until } from '../../support/until';
import {
  clearWorkspace,
  coppice,
  EXTENSION_ID,
  forgetAnswers,
  inWorkspace,
  resetSettings,
  run,
} from '../support/coppice';
import { Window } from '../support/window';

/** Writing, reading and timing take seconds on an idle machine. */
const PATIENCE_MS = 90_000;
const PROMPTS = ['Once upon a time', 'The little dog', 'Tom and Lily went', 'One day, a girl', 'In the park'];

describe('the story of a draft', function () {
  this.timeout(3 * PATIENCE_MS);
  let window: Window;
  let checkpoint: string;
  let frame: Frame;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    await forgetAnswers();
    checkpoint = inWorkspace('stories');
    const sample = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample');
    cpSync(sample, checkpoint, { recursive: true });
    writeFileSync(inWorkspace('prompts.txt'), PROMPTS.join('\n'));
    writeFileSync(inWorkspace('cheap.json'), JSON.stringify({ rows: [1, 16], v: [1, 1.2], c: 0.1 }));
    writeFileSync(inWorkspace('dear.json'), JSON.stringify({ rows: [1, 16], v: [1, 1.2], c: 0.95 }));
    await (await coppice()).library.rescan();
    await vscode.commands.executeCommand('workbench.view.extension.coppice');
  });
  after(async () => {
    await resetSettings();
    await forgetAnswers();
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });

  const given = (costs: string) => ({
    ...{ checkpoint, for: 'genai', prompts: inWorkspace('prompts.txt'), alone: true, heldOut: 1, maxNewTokens: 12 },
    costs: inWorkspace(costs),
  });
  const card = async (): Promise<string> => (await frame.locator('.card.draft').innerText()).replace(/\s+/g, ' ');
  const journey = async () => {
    const { tree, library } = await coppice();
    return tree.journey(subjectOf(checkpoint, await library.load(checkpoint))!);
  };

  it('asks for the program, prompts and drafts, and shows what its own measurement says', async () => {
    const asked = vscode.commands.executeCommand('coppice.forecastDraft', { checkpoint, maxNewTokens: 12 });
    await window.question('onnxruntime-genai');
    await window.screenshot('draft-1-program');
    await window.pick('onnxruntime-genai');
    await window.question('prompts.txt');
    await window.screenshot('draft-2-prompts');
    await window.pick('prompts.txt');
    await window.question('The model itself in fewer bits');
    await window.screenshot('draft-3-drafts');
    await window.pick('The model itself in fewer bits');
    await asked;
    frame = await window.frameWith('.card.draft .target');
    const words = await card();
    assert.match(
      words,
      /stories for onnxruntime-genai: \d+ tokens that the model writes for 5 prompts of prompts\.txt, 1 of them/,
    );
    assert.match(words, /measured in onnxruntime [\d.]+, medians of \d+/);
    assert.match(words, /q8_0 \(the model itself in fewer bits/);
    assert.match(
      await run<string>('copyCliCommand'),
      /^coppice draft \S+stories --for genai --prompts \S+prompts\.txt/,
    );
  });

  it('asks for costs of a program that Coppice does not start by itself', async () => {
    const asked = vscode.commands.executeCommand('coppice.forecastDraft', {
      ...{ checkpoint, for: 'transformers', prompts: inWorkspace('prompts.txt'), alone: true },
    });
    const question = await window.question('A file of costs…');
    assert.match(question, /Starts transformers from the node_modules or the Python of that folder/);
    await window.screenshot('draft-4-costs');
    await window.page.keyboard.press('Escape');
    await asked;
    await assert.rejects(run('forecastDraft', { ...given('gone.json'), for: 'llama.cpp' }), { what: /gone\.json/ });
  });

  it('answers the goal of the same text, faster', async () => {
    const asked = vscode.commands.executeCommand('coppice.setGoal', { checkpoint });
    await window.question('The same text, faster');
    await window.screenshot('draft-5-goal');
    await window.pick('The same text, faster');
    await asked;
    assert.deepEqual((await journey()).next, { action: 'draft' });
    const pays = await run<DraftResult>('forecastDraft', given('cheap.json'));
    assert.equal(pays.verdict, 'pays');
    await until('the panel knows the forecast', async () => (await journey()).faster?.state === 'pays');
    await run('openResults', { checkpoint });
    frame = await window.frameWith('.verdict', 'A draft makes it faster');
    await frame.locator('.next').getByRole('button', { name: 'Write Pair…' }).waitFor();
    await window.screenshot('draft-6-pays');
    const refused = await run<DraftResult>('forecastDraft', given('dear.json'));
    assert.equal(refused.verdict, 'refused');
    frame = await window.frameWith('.verdict', 'No draft pays');
    await window.screenshot('draft-7-refused');
    await run('setGoal', { checkpoint, none: true });
    assert.equal((await journey()).faster, undefined);
  });

  it('writes the pair of a forecast from its card, and copies the code that runs it', async () => {
    // As a user runs it: the card shows what came of it.
    await vscode.commands.executeCommand('coppice.forecastDraft', given('cheap.json'));
    frame = await window.frameWith('.card.draft .below', '(as given)');
    await frame.locator('.card.draft').getByRole('button', { name: 'Write Pair…' }).click();
    const question = await window.question('The new folder');
    assert.match(question, /The model and the draft q[48]_0, for onnxruntime-genai/);
    await window.screenshot('draft-9-output');
    await window.enter('The new folder');
    const done = window.toast('Wrote the pair stories-pair');
    await done.waitFor({ timeout: PATIENCE_MS });
    await window.screenshot('draft-10-written');
    const folder = inWorkspace('stories-pair');
    assert.ok(existsSync(join(folder, 'genai_config.json')) && existsSync(join(folder, 'draft')));
    await done.getByRole('button', { name: 'Copy Code' }).click();
    await until('the code is copied', async () => (await vscode.env.clipboard.readText()).includes('og.Model('));
    assert.ok((await vscode.env.clipboard.readText()).includes(`og.Model(${JSON.stringify(folder)})`));
    frame = await window.frameWith('.card.draft', 'Written to stories-pair.');
    await frame.locator('.card.draft').getByRole('button', { name: 'Copy Code' }).waitFor();
    assert.equal(await frame.locator('.card.draft').getByRole('button', { name: 'Write Pair…' }).count(), 0);
    await window.screenshot('draft-11-pair');
    await assert.rejects(run('forecastDraft', { checkpoint, run: 'gone.json' }), { what: /cannot be acted on/ });
    rmSync(folder, { recursive: true });
    const [written] = (await coppice()).records.digests;
    assert.equal(written.draft?.written, 'stories-pair');
  });

  it('tries the blocks of the plan as a draft', async () => {
    const { plans, library } = await coppice();
    plans.set(subjectOf(checkpoint, await library.load(checkpoint))!, [5, 6]);
    const asked = vscode.commands.executeCommand('coppice.forecastDraft', {
      ...given('cheap.json'),
      alone: undefined,
    });
    await window.question('without blocks 5–6, as planned');
    await window.screenshot('draft-8-plan');
    await window.pick('Also the model without blocks 5–6, as planned');
    await asked;
    frame = await window.frameWith('.card.draft tbody', 'without');
    assert.match(await card(), /without [^(]*5/);
    plans.set(subjectOf(checkpoint, await library.load(checkpoint))!, []);
  });

  it('lists the runs in the view “Jobs”', async () => {
    await window.jobRow('Forecast drafts for stories').first().waitFor();
    const { jobs } = await coppice();
    const told = (await jobs.getChildren()).map((node) => jobs.getTreeItem(node));
    const found = told.filter(({ label }) => label === 'Forecast drafts for stories');
    assert.ok(found.some(({ description }) => String(description).includes('no draft pays')));
  });
});
