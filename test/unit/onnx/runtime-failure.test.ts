/** What onnxruntime throws, in its own words of version 1.30, and what the user reads. */
import assert from 'node:assert/strict';
import { DeviceError, UserError } from '../../../src/engine/errors';
import { loadFailure, translateFailure } from '../../../src/engine/onnx/runtime-failure';

const arena =
  "Non-zero status code returned while running Gemm node. Name:'Gemm_1' Status Message: bfc_arena.cc:360 void* " +
  'onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for ' +
  'requested buffer of size 4398046511104';

describe('errors of onnxruntime', () => {
  it('memory that is short names --memory and how much was wanted', () => {
    const error = translateFailure(new Error(arena), 'cpu');
    assert.ok(error instanceof UserError && !(error instanceof DeviceError));
    assert.match(error.why, /4194304 MiB/);
    assert.match(error.action, /--memory/);
  });

  it('a GPU that is lost, or has too little memory, is a device error that offers the CPU', () => {
    for (const message of [
      'WebGPU device lost (1): the driver was reset',
      'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
      'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.',
      'CUDA failure 2: out of memory',
    ]) {
      const error = translateFailure(new Error(message), 'webgpu');
      assert.ok(error instanceof DeviceError, message);
      assert.match(error.action, /--device cpu/);
      assert.equal((error.cause as Error).message, message);
    }
  });

  it('a file that went away or was cut short is named', () => {
    const gone = translateFailure(
      new Error('External data path validation failed for initializer: w. External data path does not exist: "/a/b.x"'),
      'cpu',
    );
    assert.ok(gone instanceof UserError);
    assert.match(gone.what, /\/a\/b\.x/);
    const short = translateFailure(
      new Error(
        'External initializer: model.norm.weight offset: 0 size to read: 16384 given file_length: 1000 are out',
      ),
      'cpu',
    );
    assert.ok(short instanceof UserError);
    assert.match(short.what, /model\.norm\.weight/);
    assert.match(short.why, /1000 bytes/);
  });

  it('anything else is passed on: it is a bug', () => {
    const bug = new Error('GEMM: Dimension mismatch, W: {1,4} K: 1 N:1');
    assert.equal(translateFailure(bug, 'cpu'), bug);
  });
});

describe('errors of files that onnxruntime reads by itself', () => {
  it('are told by their number', () => {
    const mapped = translateFailure(new Error('Exception during initialization: frame.cc:74 SystemError : 24'), 'cpu');
    assert.ok(mapped instanceof UserError);
    assert.match(`${mapped.why} ${mapped.action}`, /too many files are open.*ulimit -n/);
    const opened = translateFailure(new Error('open file "x" fail, errcode = 5 - unknown error'), 'cpu');
    assert.ok(opened instanceof UserError);
    assert.match(opened.why, /the disk or its connection/);
  });
});

describe('threads that cannot be started', () => {
  it('name --threads and the limits', () => {
    const message = 'env.cc:251 PosixThread(…) pthread_create failed, error code: 11 error msg: try again';
    const error = translateFailure(new Error(message), 'cpu');
    assert.ok(error instanceof UserError);
    assert.match(error.action, /--threads 1.*ulimit -v/);
  });
});

describe('an onnxruntime that cannot be loaded', () => {
  it('is told apart by why: too little memory, or a library that does not fit', () => {
    const short = loadFailure(new Error('libonnxruntime.so.1: failed to map segment from shared object'));
    assert.match(`${short.why} ${short.action}`, /too little memory.*ulimit -v/);
    const foreign = loadFailure(new Error("Cannot find module 'onnxruntime-node'\nRequire stack:\n- /x.js"));
    assert.equal(foreign.why, "Cannot find module 'onnxruntime-node'");
  });
});
