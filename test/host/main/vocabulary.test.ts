/**
 * Trimming a vocabulary as a user does it, on the sample model and with the real sidecar: from the line of the model to the report,
 * from its line between what stays and what goes to the file, with a limit that the first attempt breaks.
 */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import * as vscode from 'vscode';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import { parseRecipe } from '../../../src/recipes/read';
import { subjectOf } from '../../../src/state/subject';
import { readRecord } from '../../../src/engine/records/record';
import type { VocabularyResult } from '../../../src/jobs/results/vocabulary';
import {
  checkpointLine,
  clearWorkspace,
  coppice,
  EXTENSION_ID,
  forgetAnswers,
  inWorkspace,
  lines,
  resetSettings,
  run,
} from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** Counting and measuring take seconds on an idle machine. */
const PATIENCE_MS = 90_000;

describe('the story of a vocabulary', function () {
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
    copyFileSync(join(sample, 'calibration.txt'), inWorkspace('chats.txt'));
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

  const vocabularyLine = async (path: string) =>
    (await lines((await checkpointLine(path)).node)).find(({ node }) => node.kind === 'vocabulary')!;
  const written = (): string | undefined =>
    readdirSync(inWorkspace()).find((name) => /^stories-\d+-tokens$/.test(name));
  const slider = () => frame.locator('.vocabulary').getByRole('slider');

  it('has a line below the model that says how much of it the vocabulary is', async () => {
    const { item } = await vocabularyLine(checkpoint);
    assert.equal(item.label, 'Vocabulary: 2,048 tokens');
    assert.match(String(item.description), /^10 % of the parameters$/);
    assert.equal(item.contextValue, 'vocabulary');
  });

  it('asks for texts, counts them, and shows the card', async () => {
    const { tree } = await coppice();
    await tree.reveal(checkpoint, { expand: true });
    const row = window.row('Vocabulary: 2,048 tokens');
    await row.hover();
    await row.getByRole('button', { name: 'Trim Vocabulary…' }).click();
    await window.question('Texts of this workspace…');
    await window.screenshot('vocabulary-1-texts');
    await window.pick('Texts of this workspace…');
    await window.question('chats.txt');
    await window.screenshot('vocabulary-2-files');
    await window.enter('chats.txt');
    await window.enter('Only what the texts use');
    frame = await window.frameWith('.card.vocabulary .threshold');
    await slider().waitFor({ timeout: PATIENCE_MS });
    const words = (await frame.locator('.card.vocabulary').innerText()).replace(/\s+/g, ' ');
    assert.match(words, /Tokens that stay 1,408 69 % of 2,048/);
    assert.match(words, /Not worth it here: trimming the vocabulary saves only 3\.1 % of the parameters/);
    assert.match(words, /Bits per byte [\d.]+ from [\d.]+, \+[\d.]+ %/);
    assert.equal(written(), undefined, 'nothing is written by a report');
    assert.match(await run<string>('copyCliCommand'), /^coppice vocabulary \S+stories --texts \S+chats\.txt/);
  });

  for (const theme of ['Default Dark Modern', 'Default Light Modern']) {
    it(`is readable in ${theme}`, async () => {
      const settings = vscode.workspace.getConfiguration('workbench');
      await settings.update('colorTheme', theme, vscode.ConfigurationTarget.Global);
      await frame.locator('.card.vocabulary').scrollIntoViewIfNeeded();
      await window.screenshot(`vocabulary-3-card-${theme.includes('Dark') ? 'dark' : 'light'}`);
      await settings.update('colorTheme', undefined, vscode.ConfigurationTarget.Global);
    });
  }

  it('moves the line by keys, and writes with its count once the user allows what that costs', async () => {
    await slider().focus();
    await window.page.keyboard.press('ArrowRight');
    await until('the line is at 2', async () => (await slider().getAttribute('aria-valuenow')) === '2');
    await frame.getByRole('button', { name: 'Trim with This Threshold…' }).click();
    const question = await window.question('1,152 of 2,048 tokens stay');
    assert.match(question, /The new folder/);
    await window.screenshot('vocabulary-4-output');
    await window.enter('1,152 of 2,048 tokens stay');
    const refused = window.toast('stories-1152-tokens was not written');
    await refused.waitFor({ timeout: PATIENCE_MS });
    assert.match(
      await refused.innerText(),
      /more bits per byte.* times as many tokens/is,
      'both limits are told at once',
    );
    await window.screenshot('vocabulary-5-refused');
    assert.ok(!existsSync(inWorkspace('stories-1152-tokens')));
    await refused.getByRole('button', { name: 'Write Anyway' }).click();
    const done = window.toast('Kept 1,152 of 2,048 tokens');
    await done.waitFor({ timeout: PATIENCE_MS });
    await window.screenshot('vocabulary-6-written');
    await done.getByRole('button', { name: 'Show Card' }).click();
    await frame.locator('.vocabulary').getByText('Written to stories-1152-tokens.').waitFor();
    assert.equal(await slider().count(), 0, 'what is written has no line to move');
    const { kind, settings, results } = await readRecord(inWorkspace('stories-1152-tokens', 'coppice.json'));
    assert.deepEqual([kind, settings.min, results.kept], ['vocabulary', 2, 1152]);
  });

  it('shows the trimmed model below the original, with its vocabulary', async () => {
    const out = inWorkspace(written()!);
    const { item } = await vocabularyLine(out);
    assert.equal(item.label, 'Vocabulary: 1,152 of 2,048 tokens');
    const { item: model } = await checkpointLine(out);
    assert.match(String(model.description), /^vocabulary trimmed · /);
    const names = (await lines((await checkpointLine(checkpoint)).node)).map(({ item: each }) => each.label);
    assert.ok(names.includes('stories-1152-tokens'), JSON.stringify(names));
    await window.row(/^\s*stories-1152-tokens/).waitFor();
    await window.screenshot('vocabulary-7-tree');
  });

  it('stands beside its original by bits per byte on the page of before and after', async () => {
    const out = inWorkspace(written()!);
    const rows = async () => (await run<BeforeAfter>('showBeforeAfter', { checkpoint: out })).rows;
    const texts = async (measure: string) =>
      (await rows()).find((row) => row.measure === measure)?.cells.map((cell) => cell?.text);
    assert.deepEqual(await texts('vocabulary'), ['2,048', '1,152']);
    assert.equal((await texts('bits'))?.length, 2, 'they are known of the trimming');
    assert.equal(await texts('ppl'), undefined);
    await window.frameWith('td, th', 'Tokens of the vocabulary');
    await window.screenshot('vocabulary-8-before-after');
    await run('compareWithOriginal', { checkpoint: out, parts: ['perplexity'] });
    assert.equal(await texts('ppl'), undefined, 'perplexities of tokens do not compare');
  });

  it('writes a GGUF file of a GGUF file, asked nothing by a caller that says all', async () => {
    const gguf = inWorkspace('stories.gguf');
    await run('exportModel', { checkpoint, format: 'gguf', type: [], out: gguf });
    const out = inWorkspace('fewer.gguf');
    const given = { checkpoint: gguf, texts: [inWorkspace('chats.txt')], maxBitsGrowth: 1, out };
    const result = await run<VocabularyResult>('trimVocabulary', given);
    assert.deepEqual([result.written, result.kept], [out, 1408]);
    assert.equal((await vocabularyLine(out)).item.label, 'Vocabulary: 1,408 of 2,048 tokens');
    await assert.rejects(run('trimVocabulary', { ...given, maxBitsGrowth: 0.01, out: inWorkspace('never.gguf') }), {
      what: 'never.gguf was not written',
    });
    await assert.rejects(run('trimVocabulary', { checkpoint, run: 'gone.json' }), { what: /cannot be acted on/ });
  });

  it('shows its way to a goal’s size beside blocks and bits, and drafts a recipe that takes several', async () => {
    const asked = vscode.commands.executeCommand('coppice.setGoal', { checkpoint });
    await window.pick('GGUF');
    await window.pick('q8_0');
    const limit = await window.question('Maximum size of the exported files.');
    assert.match(limit, /With the 1,408 of 2,048 tokens that your texts need: 2\.8 MB\./);
    await window.page.keyboard.press('Escape');
    await asked;
    await run('setGoal', { checkpoint, format: 'gguf', type: 'q8_0', size: '2.2MB', perplexity: '1.3' });
    await run('openResults', { checkpoint });
    frame = await window.frameWith('.ways tbody', 'New Recipe…');
    const rows = (await frame.locator('.ways tbody tr').allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
    assert.match(
      rows[0],
      /^Fewer tokens 1,408 of 2,048 tokens about 2\.8 MB , too large \+[\d.]+ %, on held-out pieces/,
    );
    assert.match(
      rows[1],
      /^Fewer blocks without \d of 12 blocks about 2\.\d MB , (small enough|too large) not measured/,
    );
    assert.match(rows[2], /^Fewer bits q\d_\w+ about [12]\.\d MB , small enough not measured/);
    assert.match(rows[3], /^Together 1,408 tokens, without \d of 12 blocks, q8_0 about 2\.\d MB , small enough/);
    await window.screenshot('vocabulary-9-ways');
    await frame.locator('.ways').getByRole('button', { name: 'New Recipe…' }).click();
    const recipe = inWorkspace('stories.coppice.json');
    await until('the recipe is there', () => existsSync(recipe));
    await window.screenshot('vocabulary-10-recipe');
    const { steps } = parseRecipe(readFileSync(recipe, 'utf8'), recipe).recipe!;
    assert.deepEqual(
      steps.map(({ job }) => job).slice(0, 3),
      ['vocabulary', 'score', 'prune'],
      'the vocabulary comes first',
    );
    const [{ options }] = steps;
    assert.deepEqual(options.texts, ['./chats.txt']);
    assert.ok(Number(options.maxBitsGrowth) > 0.03, 'the user has seen what it costs');
    assert.match(readFileSync(recipe, 'utf8'), /"format": "gguf", "type": \[?"q8_0"/);
  });

  it('takes the plan for the blocks along, and goes on with them', async () => {
    const { plans, tree, library } = await coppice();
    const original = await library.load(checkpoint);
    const subject = subjectOf(checkpoint, original)!;
    plans.set(subject, [3, 7]);
    const out = inWorkspace('planned');
    await run('trimVocabulary', { checkpoint, texts: [inWorkspace('chats.txt')], maxBitsGrowth: 1, out });
    const trimmed = subjectOf(out, await library.load(out))!;
    assert.deepEqual(plans.removed(trimmed), [3, 7]);
    plans.set(subject, []);
    const journey = () => tree.journey(trimmed);
    assert.deepEqual((await journey()).next, { action: 'prune' });
    plans.set(trimmed, []);
    assert.deepEqual((await journey()).goal?.maxBytes, 2_200_000, 'the family has one goal');
  });

  it('lists both runs in the view “Jobs”, with what they did', async () => {
    await window.jobRow('Counted the vocabulary of stories').first().waitFor();
    const { jobs } = await coppice();
    const told = (await jobs.getChildren()).map((node) => jobs.getTreeItem(node));
    const trimmed = told.filter(({ label }) => label === 'Trimmed the vocabulary of stories');
    assert.ok(trimmed.some(({ description }) => String(description).includes('1,152 of 2,048 tokens')));
  });
});
