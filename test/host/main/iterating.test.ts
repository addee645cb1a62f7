/** Pruning iteratively as a user meets it: questions with an estimate of time, then a limit for Suggest Blocks. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { join } from 'node:path';
import type { IterateResult } from '../../../src/jobs/results/iterate';
import { coppice, run } from '../support/coppice';
import { type Staged, stageSample, unstage } from '../support/sample';
import type { Window } from '../support/window';

const PATIENCE_MS = 90_000;

describe('pruning iteratively', function () {
  this.timeout(2 * PATIENCE_MS);
  let staged: Staged;
  let window: Window;
  let checkpoint: string;

  before(async () => {
    staged = await stageSample();
    ({ window, checkpoint } = staged);
  });
  after(() => unstage(staged));

  const box = () => window.page.locator('.quick-input-widget:visible');
  const asks = (text: string) => box().locator(`input[placeholder*="${text}"]`).first().waitFor();

  it('asks what it needs, says how long it takes, and shows the shorter checkpoint', async () => {
    const running = vscode.commands.executeCommand<IterateResult>('coppice.iterate', {
      checkpoint,
      criterion: 'ppl',
      count: 1,
      oneShot: false,
    });
    await asks('Select how to heal after every block');
    const rows = await box().locator('.quick-input-list .monaco-list-row').allInnerTexts();
    assert.match(rows.join(' ').replace(/\s+/g, ' '), /LoRA\) ?50 steps a round · \S.*Do not heal/);
    await window.screenshot('iterating-1-method');
    const input = box().locator('input').first();
    await input.fill('Do not heal');
    await input.press('Enter');
    await box().locator('.quick-input-message').getByText('Press Enter to start').waitFor();
    await window.page.keyboard.press('Enter');
    const { rounds, out, removed } = await running;
    assert.deepEqual([rounds.length, removed], [1, [rounds[0].block]]);
    assert.ok(existsSync(join(out, 'coppice.json')) && !existsSync(`${out}.iterate`));
    assert.ok((await coppice()).library.entries().some(({ path }) => path === out));
  });

  it('a limit of the divergence chooses as many blocks as keep to it', async () => {
    const { removed } = await run<{ removed: number[] }>('suggestBlocks', {
      checkpoint,
      criterion: 'kl',
      maxKl: 0.4,
    });
    assert.ok(removed.length > 0);
    const { removed: more } = await run<{ removed: number[] }>('suggestBlocks', {
      checkpoint,
      criterion: 'kl',
      count: removed.length + 1,
    });
    assert.ok(removed.every((block) => more.includes(block)));
  });
});
