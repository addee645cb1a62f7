/**
 * A GPU that is lost in the middle of a job of the sidecar: the job ends with an error that offers the CPU, the process
 * lives, and nothing is computed elsewhere unless it is asked for.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError } from '../../src/engine/errors';
import type { ScoreSpec } from '../../src/protocol/jobs';
import type { SidecarClient } from '../../src/sidecar/client';
import { material } from '../sidecar/material';
import { newClient, pidOf } from '../sidecar/started';
import { temporaryFolder } from '../support/temporary';
import { describeWebGpu } from '../support/webgpu';

/** Runs on the GPU until it is gone. */
const RUNS = 20;

/** Loaded into the sidecar before anything else: after so many runs the driver says what drivers say. */
const LOSES_ITS_DEVICE = `
const { InferenceSession } = require('onnxruntime-node');
const create = InferenceSession.create;
let runs = 0;
InferenceSession.create = async (model, options) => {
  const session = await create.call(InferenceSession, model, options);
  if (!options?.executionProviders?.includes('webgpu')) return session;
  const run = session.run.bind(session);
  session.run = (...given) => {
    if (++runs > ${RUNS}) return Promise.reject(new Error('WebGPU device lost (1): the driver was reset'));
    return run(...given);
  };
  return session;
};
`;

describeWebGpu('a device that is lost in the middle of a job', () => {
  let client: SidecarClient;
  before(() => {
    const first = join(temporaryFolder(), 'first.cjs');
    writeFileSync(first, LOSES_ITS_DEVICE);
    client = newClient({
      fork: (program, args, options) => spawn(process.execPath, ['--require', first, program, ...args], options),
    });
  });
  after(() => client.dispose());

  it('ends the job with the offer of the CPU, and the same process computes there when asked', async () => {
    const { model, text } = material(4);
    const drawn = { calibration: text, samples: 4, length: 32 };
    const job: ScoreSpec = { kind: 'score', checkpoint: model, criterion: 'ppl', ...drawn, device: 'webgpu' };
    let done = 0;
    const lost = client.run(job, { onProgress: (progress) => (done = Math.max(done, progress.done)) });
    await assert.rejects(lost, (error: unknown) => {
      assert.ok(error instanceof DeviceError, String(error));
      assert.match(error.why, /device lost|driver/);
      return true;
    });
    assert.ok(done > 0, 'it was under way');
    assert.equal(client.device?.provider, 'webgpu');
    const pid = pidOf(client);
    const { result } = await client.run({ ...job, device: 'cpu' });
    assert.equal(result.blocks?.length, 4);
    assert.equal(client.device?.provider, 'cpu');
    assert.equal(pidOf(client), pid);
  });
});
