/** Dropping experts as a user does it: the question, with what the plan removes too, and the checkpoint that comes of both. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import * as vscode from 'vscode';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { expertBlocks } from '../../../src/engine/checkpoint/kept-experts';
import type { ExpertsResult } from '../../../src/jobs/results/experts';
import { subjectOf } from '../../../src/state/subject';
import { expertToy } from '../../support/expert-toy';
import { clearWorkspace, coppice, forgetAnswers, inWorkspace, resetSettings, writeText } from '../support/coppice';
import { Window } from '../support/window';

describe('dropping experts', function () {
  this.timeout(90_000);
  let window: Window;
  let checkpoint: string;
  let calibration: string;

  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    await forgetAnswers();
    checkpoint = inWorkspace('mixture');
    cpSync(expertToy(), checkpoint, { recursive: true });
    calibration = writeText('app.txt');
    await (await coppice()).library.rescan();
  });
  after(async () => {
    await resetSettings();
    await window.tidy();
    await clearWorkspace();
    await window.disconnect();
  });

  it('asks how many stay, says what that leaves without the blocks of the plan, and writes both', async () => {
    const { plans, library } = await coppice();
    plans.set(subjectOf(checkpoint, await library.load(checkpoint))!, [2]);
    const out = inWorkspace('fewer');
    const given = { checkpoint, calibration, out, samples: 2, length: 32 };
    const dropping = vscode.commands.executeCommand<ExpertsResult>('coppice.dropExperts', given);
    const box = window.page.locator('.quick-input-widget:visible');
    await box.getByText('Keeps 5 of 6 experts, without block 2 of the plan: 34.4K of 47.1K parameters').waitFor();
    await box.locator('input').first().fill('1');
    await box
      .getByText('How many of the 6')
      .or(box.getByText(/between 2 and 5|from 2 to 5/))
      .first()
      .waitFor();
    await box.locator('input').first().fill('5');
    await window.page.keyboard.press('Enter');
    const { removed, experts, parameters } = await dropping;
    assert.deepEqual([removed, experts], [[2], { before: 6, after: 5, perToken: 2 }]);
    const written = requireArchitecture(await openCheckpoint(out));
    assert.equal(written.layers.length, 3);
    assert.deepEqual(
      expertBlocks(written).map(({ experts: { count } }) => count),
      [5, 5],
    );
    assert.ok(parameters > 0);
    await window.toast('5 of 6 experts stay: fewer.').waitFor();
  });
});
