/** Try Width Pruning… and Compare Size Against Perplexity… as a user meets them: questions, and the card of the result. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { FrontierResult } from '../../../src/jobs/results/frontier';
import type { VersusResult } from '../../../src/jobs/results/versus';
import { coppice, inWorkspace, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import type { Window } from '../support/window';

describe('comparing with other ways to a smaller model', function () {
  this.timeout(180_000);
  let staged: Staged;
  let window: Window;
  let checkpoint: string;

  before(async () => {
    staged = await stageSample();
    ({ window, checkpoint } = staged);
  });
  after(() => unstage(staged));

  const box = () => window.page.locator('.quick-input-widget:visible');
  /** Waits for a question, and takes the first answer that has these words. */
  const answer = async (question: string, words: string): Promise<void> => {
    await box().locator(`input[placeholder*="${question}"]`).first().waitFor();
    const input = box().locator('input').first();
    await input.fill(words);
    await input.press('Enter');
  };

  it('asks for size, text and measures, and shows models of the size of the plan', async () => {
    await run('suggestBlocks', { checkpoint, criterion: 'magnitude', count: 2 });
    const running = vscode.commands.executeCommand<VersusResult>('coppice.compareWithWidth', {
      checkpoint,
      methods: ['taylor', 'flap'],
    });
    await answer('Select the sizes', 'As large as the plan');
    await answer('Select the text', 'Bundled');
    await answer('Select what to measure', 'Perplexity alone');
    await answer('Keep what the methods found', 'Also keep');
    const { models, sizes } = await running;
    assert.deepEqual(
      models.map(({ method, count }) => [method, count]),
      [
        ['whole', 0],
        ['plan', 2],
        ['taylor', 2],
        ['flap', 2],
      ],
    );
    assert.ok(Math.abs(models[3].parameters! - sizes[0].parameters) < 0.01 * sizes[0].parameters);
    const { library } = await coppice();
    await library.rescan();
    assert.deepEqual(library.widths(), [inWorkspace('stories-widths', 'flap-2.width.safetensors')]);
    assert.equal(library.entries().length, 1, 'a width is no checkpoint');
    await run('openResults', { checkpoint });
    const frame = await window.frameWith('.card.versus');
    await frame.locator('.card.versus .models tbody tr', { hasText: 'FLAP' }).waitFor();
    await frame.locator('.card.versus').scrollIntoViewIfNeeded();
    await window.screenshot('comparing-1-card');
  });

  it('asks for a size and a text, and shows what fits best', async () => {
    const running = vscode.commands.executeCommand<FrontierResult>('coppice.compareSizes', {
      checkpoint,
      types: ['q8_0', 'q4_0'],
      settings: { limit: 2, samples: 2, length: 32, tokens: 1024 },
    });
    await answer('Select what to compare', 'What fits into a size');
    const input = box().locator('input').first();
    await box().getByText('Maximum size of the file').waitFor();
    await input.fill('2.5MB');
    await input.press('Enter');
    await answer('Select the text', 'Bundled');
    const { points, fit } = await running;
    assert.deepEqual(
      points.map(({ type, count }) => [type, count > 0]),
      [
        ['q8_0', false],
        ['q4_0', false],
        ['q8_0', true],
      ],
    );
    assert.equal(fit!.bytes, 2_500_000);
    assert.equal(points[fit!.point!].fits, true);
    await run('openResults', { checkpoint });
    const frame = await window.frameWith('.card.frontier .below tbody tr');
    const card = frame.locator('.card.frontier');
    await card.locator('.summary', { hasText: 'Into 2.5 MB fits best' }).waitFor();
    await card.scrollIntoViewIfNeeded();
    await window.screenshot('comparing-2-sizes');
  });
});
