/** The package of linux-arm64, on ARM processors in software: it computes the numbers of this machine. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ScoreResult } from '../../src/jobs/results/score';
import { arm64Node, PROCESSORS, whyNoArm64 } from '../support/arm64';
import { buildCli, coppice, jsonOf } from '../support/built-cli';
import { assertAllClose, assertClose, TOLERANCE } from '../support/close';
import { full } from '../support/shared';
import { temporaryFolder } from '../support/temporary';
import { Zip } from '../support/zip';

const root = resolve(import.meta.dirname, '../..');
const why = full ? whyNoArm64() : 'in test:full';

describe(`the package of linux-arm64${why === undefined ? '' : ` (${why})`}`, function () {
  this.timeout('15m');
  let node: string;
  let extension: string;

  before(function () {
    if (why !== undefined) return this.skip();
    try {
      node = arm64Node();
    } catch (error) {
      console.log(`    skipped, an ARM machine cannot be had here: ${(error as Error).message.split('\n')[0]}`);
      return this.skip();
    }
    const folder = temporaryFolder();
    const vsix = join(folder, 'arm64.vsix');
    const args = [join(root, 'scripts/package.mjs'), '--target', 'linux-arm64', '--out', vsix];
    execFileSync(process.execPath, args, { cwd: root, stdio: 'ignore' });
    Zip.open(vsix).extractTo(folder);
    extension = join(folder, 'extension');
    buildCli();
  });

  const sample = (): string => join(extension, 'media/sample');

  /** What the command prints on an emulated processor. */
  async function onArm(processor: string, args: readonly string[]): Promise<Record<string, unknown>> {
    const { stdout } = await promisify(execFile)(
      node,
      [join(extension, 'dist/cli.cjs'), ...args, '--quiet', '--json'],
      {
        env: { PATH: process.env.PATH, QEMU_CPU: processor },
        cwd: extension,
        maxBuffer: 1 << 26,
      },
    );
    return JSON.parse(stdout) as Record<string, unknown>;
  }
  const here = async (args: readonly string[]): Promise<Record<string, unknown>> =>
    jsonOf(await coppice([...args, '--quiet', '--json']));

  it('inspects a model', async () => {
    const args = ['inspect', sample()];
    assert.deepEqual(await onArm(PROCESSORS[0], args), await here(args));
  });

  for (const processor of PROCESSORS) {
    it(`measures and scores the sample model on ${processor}`, async () => {
      const evaluate = [
        'eval',
        sample(),
        '--text',
        join(sample(), 'evaluation.txt'),
        '--limit',
        '4',
        '--device',
        'cpu',
      ];
      const [measured, expected] = [await onArm(processor, evaluate), await here(evaluate)];
      assertClose(Number(measured.meanNll), Number(expected.meanNll), TOLERANCE.meanNll, 'mean loss');

      const rows = ['--calibration', join(sample(), 'calibration.txt'), '--samples', '2', '--length', '32'];
      const score = ['score', sample(), ...rows, '--device', 'cpu'];
      const losses = (result: Record<string, unknown>): number[] =>
        (result as unknown as ScoreResult).blocks!.map(({ meanNll }) => Number(meanNll));
      const [there, local] = [losses(await onArm(processor, score)), losses(await here(score))];
      assertAllClose(there, local, TOLERANCE.meanNll, 'loss without a block');
      const off = Math.max(...there.map((loss, i) => Math.abs(loss - local[i])));
      console.log(`      losses without a block: within ${off.toExponential(1)} nats of this machine's`);
    });
  }
});
