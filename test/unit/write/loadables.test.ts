/** What there is to load at a path. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newRecord, RECORD_NAME, recordText } from '../../../src/engine/records/record';
import { loadablesAt } from '../../../src/engine/write/loadables';
import { temporaryFolder } from '../../support/temporary';

/** A folder with empty files of these names, and texts in others. */
function folderOf(names: readonly string[], texts: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'onnx'));
  for (const name of names) writeFileSync(join(folder, name), '');
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  return folder;
}

const record = (target: string): string =>
  recordText(
    newRecord({ kind: 'export', inputs: [], settings: { format: 'onnx', target }, results: {}, started: new Date() }),
  );

describe('what there is to load', () => {
  it('is a GGUF file by its name, and else a checkpoint where there are no models for onnxruntime', async () => {
    assert.deepEqual(await loadablesAt('/nowhere/x.GGUF'), [{ format: 'gguf', path: '/nowhere/x.GGUF' }]);
    const folder = folderOf(['config.json', 'model.safetensors', 'onnx/other.onnx']);
    assert.deepEqual(await loadablesAt(folder), [{ format: 'safetensors', path: folder }]);
    assert.deepEqual(await loadablesAt('/nowhere'), [{ format: 'safetensors', path: '/nowhere' }]);
  });

  it('is each kind of an ONNX folder, the one that its config names first', async () => {
    const config = JSON.stringify({ 'transformers.js_config': { dtype: 'q4' } });
    const names = ['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model_q4.onnx', 'genai_config.json'];
    const path = folderOf(names, { 'config.json': config });
    const each = { format: 'onnx', path, genai: true };
    assert.deepEqual(await loadablesAt(path), [
      { ...each, kind: 'q4' },
      { ...each, kind: 'fp32' },
    ]);
  });

  it('is for WebGPU only where the record says so, and for onnxruntime-genai only with its config', async () => {
    const of = async (text: string): Promise<unknown> => {
      const path = folderOf(['onnx/model_fp16.onnx'], { [RECORD_NAME]: text, 'config.json': '{' });
      const [{ path: same, ...found }] = await loadablesAt(path);
      assert.equal(same, path);
      return found;
    };
    const found = { format: 'onnx', kind: 'fp16', genai: false };
    assert.deepEqual(await of(record('webgpu')), { ...found, target: 'webgpu' });
    assert.deepEqual(await of(record('cpu')), found);
    assert.deepEqual(await of('no record'), found);
  });
});
