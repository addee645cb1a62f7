/** Devices that are not there, and weights that are gone when a session wants them. */
import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { UserError } from '../../../src/engine/errors';
import { scoreBlocks } from '../../../src/engine/importance/criteria/ppl';
import { chooseDevice } from '../../../src/engine/onnx/device';
import { timeProvider } from '../../../src/engine/onnx/device-trial';
import { openModel } from '../../../src/engine/model/model';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyCheckpoint } from '../../support/tiny-models';

describe('devices', () => {
  it('of another platform are refused with a reason and a way out', async () => {
    const device = process.platform === 'win32' ? 'coreml' : 'dml';
    await assert.rejects(chooseDevice(device), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.why, /does not have this provider/);
      assert.match(error.action, /--device/);
      return true;
    });
  });

  it('are not flooded with threads', async () => {
    for (const device of ['cpu', 'auto'] as const) {
      await assert.rejects(
        chooseDevice(device, 9999),
        (error: unknown) => error instanceof UserError && error.action.includes('--threads'),
      );
    }
    assert.equal((await chooseDevice('cpu', 16)).provider, 'cpu');
  });

  it('the CPU is timed, in float32', async () => {
    const { gflops, error } = await timeProvider('cpu', 1);
    assert.equal(error, undefined);
    assert.ok(gflops !== undefined && gflops > 0);
  });

  it('auto takes the CPU where no other answers, and tells what became of the others', async () => {
    const { provider, tried, why } = await chooseDevice('auto');
    if (tried.every(({ error }) => error !== undefined)) assert.equal(provider, 'cpu');
    for (const trial of tried) assert.ok(why.includes(trial.provider));
  });
});

describe('weights that change while a model is open', () => {
  const cases: [string, (file: string) => void, RegExp][] = [
    ['gone', (file) => rmSync(file), /model\.safetensors cannot be read/],
    ['cut short', (file) => truncateSync(file, 2000), /^Cannot read \/.*\/model\.safetensors$/],
    ['cut at its end', (file) => truncateSync(file, statSync(file).size - 64), /cannot be read from its file/],
  ];
  for (const [title, harm, what] of cases) {
    it(`${title}: a message that names them`, async () => {
      const folder = temporaryFolder();
      writeTinyCheckpoint(folder, 'llama-plain');
      const model = await openModel(await openCheckpoint(folder), { device: 'cpu' });
      try {
        const rows = [[1, 2, 3, 4]];
        harm(join(folder, 'model.safetensors'));
        await assert.rejects(scoreBlocks(model, rows, { seed: 1 }), (error: unknown) => {
          assert.ok(error instanceof UserError, String(error));
          assert.match(error.what, what);
          return true;
        });
      } finally {
        await model.close();
      }
    });
  }
});
