/** Errors and numbers across the wire. */
import assert from 'node:assert/strict';
import { CancelledError, DeviceError, UserError } from '../../../src/engine/errors';
import { translateFailure } from '../../../src/engine/onnx/runtime-failure';
import type { WireError } from '../../../src/protocol/errors';
import { fromWire, plain, SidecarBug, toWire } from '../../../src/sidecar/wire';

const across = (error: unknown, onGpu = false): Error =>
  fromWire(JSON.parse(JSON.stringify(toWire(error, onGpu))) as WireError);

describe('errors across the wire', () => {
  it('keep what the user must see', () => {
    const there = across(new UserError('It failed', 'because', 'Do this.'));
    assert.ok(there instanceof UserError && !(there instanceof DeviceError));
    assert.deepEqual([there.what, there.why, there.action], ['It failed', 'because', 'Do this.']);
  });

  it('keep cancellation, by any of its names', () => {
    assert.ok(across(new CancelledError()) instanceof CancelledError);
    assert.ok(across(new DOMException('aborted', 'AbortError')) instanceof CancelledError);
  });

  it('keep a bug with its stack', () => {
    const there = across(new TypeError('x is undefined'));
    assert.ok(there instanceof SidecarBug);
    assert.equal(there.message, 'x is undefined');
    assert.match(there.remoteStack ?? '', /wire\.test/);
    assert.equal(there.offer, undefined);
    assert.equal(across('just text').message, 'just text');
  });

  it('offer the CPU when a GPU fails in the middle of a job, and never otherwise', () => {
    for (const message of ['VK_ERROR_DEVICE_LOST', 'Failed: CUDA out of memory', 'Invalid Buffer "x"']) {
      const gpu = across(translateFailure(new Error(message), 'webgpu'));
      assert.ok(gpu instanceof DeviceError, message);
      assert.match(gpu.action, /cpu/);
      assert.ok(!(across(translateFailure(new Error(message), 'cpu')) instanceof DeviceError), message);
    }
    const bug = across(new Error('who knows'), true);
    assert.ok(bug instanceof SidecarBug && bug.offer === 'cpu');
    assert.ok(!(across(new UserError('No file', 'gone', 'Look.'), true) instanceof DeviceError));
  });

  it('explain system errors', () => {
    const there = across(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: 'out/model' }));
    assert.ok(there instanceof UserError);
    assert.deepEqual([there.what, there.why], ['out/model', 'the disk is full']);
  });

  it('numbers without a notation travel by name', () => {
    assert.deepEqual(plain({ a: [Infinity, -Infinity, NaN, 1], b: undefined }), {
      a: ['Infinity', '-Infinity', 'NaN', 1],
    });
  });
});
