/** `coppice iterate` as users run it: killed at any moment it goes on with the same numbers. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { iterateFolderOf } from '../../src/engine/iterate/workspace';
import type { IterateResult } from '../../src/jobs/results/iterate';
import { buildCli, coppice, jsonOf, startCoppice } from '../support/built-cli';
import { hashesOf } from '../support/hashes';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';
import { until } from '../support/until';

/** All but the time that it took. */
const numbers = ({ rounds, removed, oneShot, plain }: IterateResult): unknown => {
  const point = ({ pruned, healed, trace }: IterateResult['oneShot'][number] | IterateResult['rounds'][number]) => {
    return [pruned, healed, trace.map(({ step, loss, lr, gradNorm }) => [step, loss, lr, gradNorm])];
  };
  return [removed, plain, rounds.map((round) => [round.block, round.scores, point(round)]), oneShot.map(point)];
};

describe('command line: iterate', function () {
  this.timeout('3m');
  let args: string[];

  before(() => {
    buildCli();
    const model = tinyCheckpoint('llama-gqa-tied');
    const rows = join(temporaryFolder(), 'rows.json');
    const row = (seed: number): number[] => Array.from({ length: 24 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
    const training = ['--steps', '4', '--batch', '2', '--rank', '4', '--lr', '0.01', '--save-every', '1'];
    args = ['iterate', model, '--calibration', rows, '--count', '2', '--no-keep-ends', ...training, '--device', 'cpu'];
    args.push('--threads', '1');
  });

  it('killed at any moment, it goes on with the same numbers and weights', async () => {
    const [out, other] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    const whole = jsonOf(await coppice([...args, '--json', '--out', other])) as unknown as IterateResult;
    const folder = iterateFolderOf(out);
    // While round 1 trains, and as soon as round 1 is finished.
    for (const file of ['training-1.safetensors', 'weights-1.safetensors']) {
      const resume = file.startsWith('weights') ? ['--resume'] : [];
      const child = startCoppice([...args, '--out', out, ...resume]);
      await Promise.race([until(file, () => existsSync(folder) && readdirSync(folder).includes(file)), child.result]);
      child.kill('SIGKILL');
      await child.result;
      assert.equal(existsSync(out), false, 'no half output');
    }
    const resumed = jsonOf(await coppice([...args, '--json', '--out', out, '--resume'])) as unknown as IterateResult;
    assert.deepEqual(numbers(resumed), numbers(whole));
    assert.equal(hashesOf(out)['model.safetensors'], hashesOf(other)['model.safetensors']);
    assert.equal(existsSync(folder), false);
  });

  it('after Ctrl-C prints the command that goes on', async () => {
    const out = join(temporaryFolder(), 'out');
    const child = startCoppice([...args, '--out', out]);
    await until('the first round is chosen', () => existsSync(join(iterateFolderOf(out), 'rounds.json')));
    child.kill('SIGINT');
    const { code, stderr } = await child.result;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /about .* for 2 rounds/);
    assert.match(stderr, /the finished rounds are kept\. To continue: coppice iterate .* --resume/);
  });
});
