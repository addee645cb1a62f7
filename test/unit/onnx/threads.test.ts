import assert from 'node:assert/strict';
import { mostThreads } from '../../../src/engine/machine-share';
import { usualThreads } from '../../../src/engine/onnx/threads';

describe('threads of a run that is not told', () => {
  it('are those of COPPICE_THREADS, or onnxruntime decides', () => {
    assert.equal(usualThreads({}), undefined);
    assert.equal(usualThreads({ COPPICE_THREADS: '' }), undefined);
    assert.equal(usualThreads({ COPPICE_THREADS: '1' }), 1);
    assert.equal(usualThreads({ COPPICE_THREADS: String(mostThreads()) }), mostThreads());
  });

  for (const said of ['0', '-1', '1.5', 'all', ' 2', '99999', String(mostThreads() + 1)]) {
    it(`cannot be ${JSON.stringify(said)}`, () => {
      assert.throws(() => usualThreads({ COPPICE_THREADS: said }), {
        name: 'UserError',
        message: new RegExp(`COPPICE_THREADS.*${said.trim()}`),
      });
    });
  }
});
