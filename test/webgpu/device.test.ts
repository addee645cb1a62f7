/** Choosing a device where there is a GPU, but one that the CPU emulates. */
import assert from 'node:assert/strict';
import { UserError } from '../../src/engine/errors';
import { chooseDevice } from '../../src/engine/onnx/device';
import { Graph } from '../../src/engine/onnx/graph';
import { linear } from '../../src/engine/onnx/ops/linear';
import { float32, openSession } from '../../src/engine/onnx/session';
import { describeWebGpu } from '../support/webgpu';

describeWebGpu('devices with a software GPU', () => {
  it('auto takes the CPU, and tells what it saw of the GPU', async () => {
    const { provider, why, tried } = await chooseDevice('auto');
    assert.equal(provider, 'cpu');
    const gpu = tried.find((trial) => trial.provider === 'webgpu');
    assert.ok(gpu?.gflops !== undefined || gpu?.error !== undefined);
    assert.match(why, /webgpu/);
  });

  it('a device that is asked for and there is taken', async () => {
    assert.equal((await chooseDevice('webgpu')).provider, 'webgpu');
  });

  it('a buffer that does not fit is a failure with a way out', async () => {
    const g = new Graph();
    const [x, w] = ['x', 'w'].map((name) => g.input(name, 'float32', ['n', 1]));
    g.output('y', linear(g, x, w));
    const session = await openSession(g.serialize(), { provider: 'webgpu', onDevice: ['y'] });
    try {
      const n = 1 << 15; // a result of 4 GiB, more than the device gives at once
      const column = float32(new Float32Array(n), [n, 1]);
      await assert.rejects(session.run({ x: column, w: column }), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.action, /--device cpu/);
        return true;
      });
    } finally {
      await session.close();
    }
  });
});
