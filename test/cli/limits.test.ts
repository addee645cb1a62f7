/** Limits of the system, and a disk that is full, while the command line computes: each has its own words. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CliMaterial, type Json, makeCliMaterial } from '../support/cli';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { coppice, type CliResult, jsonOf } from '../support/built-cli';

describe('command line: limits of the system', function () {
  this.timeout('2m');
  let material: CliMaterial;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    material = makeCliMaterial();
  });

  const retrain = (out: string, under: string): Promise<CliResult> => {
    const settings = ['--steps', '4', '--batch', '2', '--length', '16', '--threads', '1', '--quiet'];
    return coppice(['retrain', material.model, '--data', material.text, '--out', out, ...settings], { under });
  };

  it('names the file that may not grow (ulimit -f)', async () => {
    const folder = temporaryFolder();
    const { code, stderr } = await retrain(join(folder, 'out'), 'ulimit -f 20');
    assert.equal(code, 1);
    assert.match(stderr, /out\.training\/state\.safetensors, cannot be written\n.*larger than.*allows\n.*ulimit -f/);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('says that memory is short when onnxruntime cannot be loaded (ulimit -v)', async () => {
    // How much Node itself takes depends on the machine: one of these lets it start, and onnxruntime not.
    const model = tinyCheckpoint('llama-gqa-tied'); // without a tokenizer, whose process would be the first to starve
    let refused = 0;
    for (let limit = 900_000; limit <= 1_300_000; limit += 50_000) {
      const { code, stderr } = await coppice(['score', model, '--calibration', material.rows, '--quiet'], {
        under: `ulimit -v ${limit}`,
      });
      if (code === 1) assert.doesNotMatch(stderr, /unexpectedly/);
      if (!stderr.includes('cannot be loaded')) continue;
      refused++;
      assert.match(
        stderr,
        /^error: onnxruntime, which computes, cannot be loaded\n.*too little memory.*\n.*ulimit -v.*\n$/,
      );
    }
    assert.ok(refused > 0, 'none of the limits was between the two');
  });

  it('are the threads of the environment, where a run is not told how many', async () => {
    const { model } = material;
    const few = ['--batch', '1', '--new-tokens', '2', '--runs', '1', '--warmup', '0', '--device', 'cpu'];
    const threads = async (...more: string[]): Promise<unknown> => {
      const asked = ['grid', model, ...few, ...more, '--json'];
      return (jsonOf(await coppice(asked, { env: { COPPICE_THREADS: '1' } })).environment as Json).threads;
    };
    assert.equal(await threads(), 1);
    assert.equal(await threads('--threads', '2'), 2);
    const wrong = await coppice(['eval', model, '--calibration', material.rows], { env: { COPPICE_THREADS: 'all' } });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^error: COPPICE_THREADS is "all"\n.*\n.*whole number from 1 to \d+/);
  });

  it('does not blame the tokenizer for what its process lacks (ulimit -v)', async () => {
    for (let limit = 900_000; limit <= 1_300_000; limit += 100_000) {
      const { code, stderr } = await coppice(['generate', material.model, '--prompt', 'a', '--quiet'], {
        under: `ulimit -v ${limit}`,
      });
      if (code === 1) assert.doesNotMatch(stderr, /unexpectedly|Download the file again/);
    }
  });

  it('says that too many files are open (ulimit -n)', async () => {
    let refused = 0;
    for (let most = 18; most <= 28; most++) {
      const { code, stderr } = await coppice(
        ['score', material.model, '--calibration', material.rows, '--quiet', '--threads', '1'],
        { under: `ulimit -n ${most}` },
      );
      if (code === 0 || !stderr.startsWith('error: ')) continue; // enough, or too few for Node itself
      refused++;
      assert.match(stderr, /too many files are open.*\n.*ulimit -n/);
    }
    assert.ok(refused > 0, 'none of the limits was reached');
  });

  it('names the file on a disk that is full', async function () {
    const disk = join(temporaryFolder(), 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      this.skip(); // only root may mount
    }
    try {
      const { code, stderr } = await retrain(join(disk, 'out'), ':');
      assert.equal(code, 1);
      assert.match(stderr, /disk\/out\S* (?:cannot be written|.*state\.safetensors)[^]*the disk is full/);
      assert.ok(!existsSync(join(disk, 'out')));
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
