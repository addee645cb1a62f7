/** Programs of others: what counts as not being there. */
import assert from 'node:assert/strict';
import { isMissing } from '../../../src/engine/verify/consumers/consumers';

describe('a program that is not installed', () => {
  it('is told from one that fails', () => {
    assert.ok(isMissing({ failure: 'spawn python3 ENOENT', isMissing: true }));
    assert.ok(isMissing({ failure: "ModuleNotFoundError: No module named 'onnxruntime_genai'" }));
    for (const failure of [
      "ModuleNotFoundError: No module named 'numpy'",
      'RuntimeError: file onnx/model.onnx not found',
      'FileNotFoundError: [Errno 2] ENOENT',
    ]) {
      assert.ok(!isMissing({ failure }), failure);
    }
    assert.ok(!isMissing({ ids: [1] }));
  });
});
