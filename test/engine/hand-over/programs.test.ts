/** Hand-overs in the programs themselves, where COPPICE_TEST_TRL and COPPICE_TEST_MODELOPT name environments of Python. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TARGETS } from '../../../src/hand-over/manifest';
import { take } from '../../../src/hand-over/take';
import { itWith, trainers } from '../../support/consumers';
import { handedOver } from '../../support/handed-over';
import { temporaryFolder } from '../../support/temporary';

for (const to of TARGETS) {
  describe(`hand-over in ${to}`, function () {
    this.timeout(600_000);

    function python(folder: string, ...args: readonly string[]): { code: number | null; said: string } {
      const env = { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1', CUDA_VISIBLE_DEVICES: '' };
      const { status, stdout, stderr } = spawnSync(trainers[to]!, args, { cwd: folder, encoding: 'utf8', env });
      return { code: status, said: `${stdout}\n${stderr}` };
    }

    itWith(
      trainers[to],
      'has the first loss of Coppice, trains both ways, and its results come back better',
      async () => {
        const { out: folder } = await handedOver({}, to);
        const fine = python(folder, 'check.py');
        assert.equal(fine.code, 0, fine.said);
        const config = join(folder, 'config.json');
        for (const method of ['lora', 'full']) {
          writeFileSync(config, readFileSync(config, 'utf8').replace(/"method": "\w+"/, `"method": "${method}"`));
          const trained = python(folder, 'train.py');
          assert.equal(trained.code, 0, trained.said);
          const compute = { device: 'cpu', threads: 1 } as const;
          const found = await take({ folder, out: join(temporaryFolder(), method), merge: false, compute }, {});
          assert.deepEqual([found.kind, found.steps], [method === 'lora' ? 'adapter' : 'checkpoint', 10]);
          assert.ok(found.after!.loss < found.before!.loss, `${found.before!.loss} → ${found.after!.loss}`);
          renameSync(join(folder, 'result'), join(folder, `result-${method}`));
          rmSync(join(folder, 'training'), { recursive: true });
        }
      },
    );

    itWith(trainers[to], 'is told from one in which a weight or a row is another', async () => {
      const { out: folder } = await handedOver({}, to);
      const weights = join(folder, 'checkpoint/model.safetensors');
      const whole = readFileSync(weights);
      const changed = Buffer.from(whole);
      changed.writeUInt16LE(0x3f80, changed.length - 2);
      writeFileSync(weights, changed);
      const found = python(folder, 'check.py');
      assert.equal(found.code, 1);
      assert.match(found.said, /FAILED: checkpoint\/model\.safetensors/);
      writeFileSync(weights, whole);
      // Another row, whose hash is the one that is expected: then the loss tells.
      const rows = join(folder, 'data/train.jsonl');
      const lines = readFileSync(rows, 'utf8').split('\n');
      const text = [lines[1], ...lines.slice(1)].join('\n');
      writeFileSync(rows, text);
      const manifest = join(folder, 'hand-over.json');
      const hash = createHash('sha256').update(text).digest('hex');
      writeFileSync(
        manifest,
        readFileSync(manifest, 'utf8').replace(/("data\/train\.jsonl": ")[0-9a-f]{64}/, `$1${hash}`),
      );
      const other = python(folder, 'check.py');
      assert.equal(other.code, 1);
      assert.match(other.said, /FAILED: the first loss is not Coppice's/);
    });
  });
}
