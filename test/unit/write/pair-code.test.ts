/** Code that runs a written pair: it names both models as they lie in the folder, and the settings of the forecast. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pairAt } from '../../../src/engine/write/pairs';
import { pairCode } from '../../../src/engine/write/programs/pair';
import { temporaryFolder } from '../../support/temporary';

const DRAFTING = { length: 4, threshold: 0, temperature: 0 };

/** A folder with these files, which are empty. */
function folderOf(...files: readonly string[]): string {
  const folder = join(temporaryFolder(), 'a "pair"');
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

describe('code that runs a pair', () => {
  it('is the one folder of onnxruntime-genai, with the length', async () => {
    const folder = folderOf('genai_config.json', 'onnx/model.onnx', 'draft/model.onnx');
    const { library, install, code } = pairCode(await pairAt(folder, 'genai'), DRAFTING);
    assert.deepEqual([library, install], ['onnxruntime-genai', 'pip install onnxruntime-genai']);
    assert.ok(code.includes(`og.Model(${JSON.stringify(folder)})`));
    assert.match(code, /do_sample=False[^\n]*\nparams\.set_speculative_options\(max_draft_tokens=4\)\ngenerator = /);
    const drawn = pairCode(await pairAt(folder, 'genai'), { ...DRAFTING, temperature: 0.7 }).code;
    assert.match(drawn, /do_sample=True, temperature=0\.7, max_length/);
  });

  it('is two folders of transformers, with constant settings', async () => {
    const folder = folderOf('model/config.json', 'draft/config.json', 'README.md');
    const { code } = pairCode(await pairAt(folder, 'transformers'), { ...DRAFTING, threshold: 0.4 });
    assert.ok(code.includes(`[${JSON.stringify(join(folder, 'model'))}, ${JSON.stringify(join(folder, 'draft'))}]`));
    for (const line of ['num_assistant_tokens = 4', 'schedule = "constant"', 'confidence_threshold = 0.4'])
      assert.ok(code.includes(line), line);
    assert.match(code, /assistant_model=draft, max_new_tokens=50, do_sample=False/);
  });

  it('is two GGUF files and a command of llama.cpp, or the program that is written for node-llama-cpp', async () => {
    const folder = folderOf('model-f16.gguf', 'draft-q4_0.gguf', 'README.md');
    const { code } = pairCode(await pairAt(folder, 'llama.cpp'), { ...DRAFTING, threshold: 0.2 });
    assert.equal(
      code,
      `llama-server -m '${join(folder, 'model-f16.gguf')}' -md '${join(folder, 'draft-q4_0.gguf')}' ` +
        '--spec-type draft-simple --spec-draft-n-max 4 --spec-draft-p-min 0.2 --temp 0\n',
    );
    await assert.rejects(pairAt(folder, 'node-llama-cpp'), { why: 'it lacks speculate.mjs' });
    writeFileSync(join(folder, 'speculate.mjs'), '');
    const node = pairCode(await pairAt(folder, 'node-llama-cpp'), DRAFTING).code;
    assert.match(node, /^npm install node-llama-cpp$/m);
    assert.ok(node.includes(`node '${join(folder, 'speculate.mjs')}' '${join(folder, 'model-f16.gguf')}'`));
    assert.match(node, /'Once upon a time' 50 4\n$/);
  });

  it('is none of a folder that has gone or has no pair', async () => {
    for (const program of ['genai', 'transformers', 'llama.cpp', 'node-llama-cpp'] as const) {
      await assert.rejects(pairAt(join(temporaryFolder(), 'gone'), program), { action: 'Write the pair again.' });
    }
    await assert.rejects(pairAt(folderOf('a.gguf', 'b.gguf'), 'llama.cpp'), /a model and its draft/);
  });
});
