/** Questions of a retraining by keyboard, with what each answer takes, and texts of the Explorer. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import {
  clearWorkspace,
  coppice,
  forgetAnswers,
  inWorkspace,
  resetSettings,
  writeModel,
  writeText,
} from '../support/coppice';
import { escapeRegExp } from '../../../src/format/words';
import { until } from '../../support/until';
import { Window } from '../support/window';

describe('retraining', () => {
  let window: Window;
  let checkpoint: string;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
    await clearWorkspace();
    await forgetAnswers();
    await window.tidy();
    checkpoint = writeModel('model');
    const records = Array.from({ length: 12 }, (_, n) => ({
      instruction: `Count to ${n}.`,
      output: 'One, two, three.',
    }));
    writeFileSync(inWorkspace('tasks.json'), JSON.stringify(records));
    writeText('prose.txt');
    await (await coppice()).library.rescan();
  });
  after(async () => {
    await forgetAnswers();
    await resetSettings();
    await clearWorkspace();
    await window.disconnect();
  });

  const box = () => window.page.locator('.quick-input-widget:visible');
  const row = (text: RegExp) => box().locator('.quick-input-list .monaco-list-row', { hasText: text });
  const enter = () => window.page.keyboard.press('Enter');
  const sees = (text: RegExp) => box().getByText(text).first().waitFor();

  it('starts with Enter alone, after a summary of what, how long, how much memory and where', async () => {
    const running = vscode.commands.executeCommand('coppice.retrainLora', { checkpoint });
    await row(/Bundled examples/).waitFor();
    await row(/tasks\.json/).click();
    await row(/Two passes over the data \((about|roughly|a few) \S/).waitFor();
    await row(/5 minutes.*more passes over this data would help little/).waitFor();
    assert.equal(await row(/Overnight/).count(), 0); // it would be the same
    await window.screenshot('retraining-presets');
    await enter();
    await row(/Start Retraining.*LoRA.*rank 8/).waitFor();
    await row(/tasks\.json.*steps of 4 rows/i).waitFor();
    await row(/(About|Roughly|A few)/)
      .first()
      .waitFor();
    const said = /(\d+) steps of 4 rows/.exec(
      await row(/tasks\.json/)
        .first()
        .innerText(),
    );
    await row(/Up to .*B of memory.*free/).waitFor();
    await row(/model-adapter/).waitFor();
    await window.screenshot('retraining-summary');
    await enter();
    await running;
    const record = JSON.parse(readFileSync(inWorkspace('model-adapter/coppice.json'), 'utf8')) as {
      readonly settings: { readonly steps: number };
    };
    assert.equal(record.settings.steps, Number(said?.[1])); // a row of the twelve is held out
  });

  it('heals first where a plan is trained, unless that is declined', async () => {
    const { plans, library } = await coppice();
    const { identity } = (await library.open(checkpoint)).checkpoint;
    const blocks = 4;
    plans.set({ path: checkpoint, identity, blocks }, [1]);
    const out = inWorkspace('healed-adapter');
    const running = vscode.commands.executeCommand('coppice.retrainLora', { checkpoint, out });
    await row(/plan/i).first().waitFor();
    await enter();
    await row(/tasks\.json/).click();
    await row(/Heal and Train.*default/).waitFor();
    await row(/Train Only/).waitFor();
    await window.screenshot('retraining-heal');
    await enter();
    await row(/Two passes over the data/).waitFor();
    await enter();
    await row(/Start Retraining.*LoRA.*healed first.*taught by the original/).waitFor();
    await enter();
    await running;
    assert.ok(existsSync(inWorkspace('healed-adapter/healed.patch.safetensors')));
    plans.set({ path: checkpoint, identity, blocks }, []);
  });

  it('asks everything in steps for a file of the Explorer, and Enter takes each default; scores on another', async () => {
    const file = vscode.Uri.file(inWorkspace('tasks.json'));
    const asked = vscode.commands.executeCommand('coppice.retrainOnFile', file, [file]);
    await row(/Two passes over the data/).waitFor();
    await row(/Custom…/).click();
    await row(/An adapter \(LoRA\)/).waitFor();
    await enter();
    await row(/default, as in the paper/).waitFor();
    await enter();
    for (const [prompt, value] of [
      ['Learning rate', '0.001'],
      ['Batch size (rows per step)', '4'],
      ['Maximum tokens per row', undefined],
      ['Number of training steps', undefined],
    ] as const) {
      await sees(new RegExp(`Retrain with LoRA: ${escapeRegExp(prompt)}`));
      await sees(/(about|roughly|a few) .*steps? of .*up to .* of memory/);
      if (value !== undefined) assert.equal(await box().locator('input').first().inputValue(), value);
      if (prompt === 'Number of training steps') await box().locator('input').first().fill('2');
      if (prompt === 'Number of training steps') await sees(/too few to help: take 60 steps or more/);
      if (prompt === 'Maximum tokens per row') await window.screenshot('retraining-custom');
      await enter();
    }
    await row(/A twentieth/).waitFor();
    await enter();
    await row(/Start Retraining/).waitFor();
    await row(/tasks\.json.*2 steps of 4 rows.*too few to help: take 60 steps or more/)
      .first()
      .waitFor();
    await enter();
    await asked;
    assert.ok(existsSync(inWorkspace('model-adapter-2')));

    await vscode.commands.executeCommand('coppice.useAsCalibrationText', vscode.Uri.file(inWorkspace('prose.txt')));
    await window.toast(/Blocks are scored on prose\.txt from now on/).waitFor();
    await until(
      'it is the setting',
      async () => (await coppice()).config.calibration.file === inWorkspace('prose.txt'),
    );
  });
});
