/** `coppice heal`: rows that were not fitted decide whether the healed weights or the plain ones are kept. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { coppice } from '../support/built-cli';
import { type Json, makeCliMaterial, run } from '../support/cli';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';

/** A correction that is taken four times goes past what it was fitted for, on any rows. */
const TOO_FAR = ['--step', '4', '--step-cut', '4'];

describe('command line: heal keeps the better of plain and healed', function () {
  this.timeout(120_000);
  let model: string;
  let rows: string;
  let pruned: string;

  before(async () => {
    ({ model, rows } = makeCliMaterial());
    pruned = join(temporaryFolder(), 'out');
    await run('prune', model, '--blocks', '1', '--out', pruned);
  });

  const hashOf = (folder: string): string => hashesOf(folder)['model.safetensors'];
  const heal = async (...args: string[]): Promise<Json & { out: string; patch: string; folder: string }> => {
    const folder = temporaryFolder();
    const [out, patch] = [join(folder, 'out'), join(folder, 'patch.safetensors')];
    const text = ['--calibration', rows, '--held-out', '0.5'];
    const json = await run('heal', model, '--remove', '1', ...text, ...args, '--out', out, '--patch', patch);
    return { ...json, out, patch, folder };
  };
  const kl = (stages: unknown, stage: string): number => ((stages as Json)[stage] as Json).kl as number;

  it('the healed weights, if they are nearer to the whole model on the rows held out', async () => {
    const { weights, heldOut, out, patch } = await heal();
    assert.equal(weights, 'healed');
    assert.ok(kl(heldOut, 'rounded') < kl(heldOut, 'before'), JSON.stringify(heldOut));
    assert.notEqual(hashOf(out), hashOf(pruned));
    assert.ok(existsSync(patch));
  });

  it('the plain ones otherwise: the checkpoint is the pruned one, there is no patch, and a warning says so', async () => {
    const { weights, heldOut, out, folder, steps } = await heal(...TOO_FAR);
    assert.equal(weights, 'plain');
    assert.ok(kl(heldOut, 'rounded') >= kl(heldOut, 'before'), JSON.stringify(heldOut));
    assert.ok((steps as unknown[]).length > 0, 'the steps tell what was tried');
    assert.equal(hashOf(out), hashOf(pruned));
    assert.deepEqual(readdirSync(folder), ['out']);

    const text = ['--calibration', rows, '--held-out', '0.5', ...TOO_FAR];
    const { stderr } = await coppice(['heal', model, '--remove', '1', ...text]);
    assert.match(stderr, /the plain weights are kept/);
  });

  it('the healed ones where no row is held out', async () => {
    const { weights, heldOut } = await heal(...TOO_FAR, '--held-out', '0');
    assert.deepEqual([weights, heldOut], ['healed', null]);
  });
});
