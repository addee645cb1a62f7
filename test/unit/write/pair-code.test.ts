/** Code that runs a written pair from anywhere: it has the path of the folder as one literal, and how the draft is set. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { RUNTIMES } from '../../../src/engine/draft/runtimes';
import { pairCode } from '../../../src/engine/write/programs/pair';
import { genaiSpeculate, llamaServer, pythonSpeculate } from '../../../src/engine/write/programs/speculate';

const DRAFTED = { length: 4, threshold: 0, temperature: 0 };
/** Quotes and what shells act on. */
const ODD = '/models/a "b\' $(touch x)';

describe('code that runs a pair', () => {
  it('is that of the program beside the models, with another place', () => {
    const { library, install, code } = pairCode('genai', '/models/pair', DRAFTED);
    assert.deepEqual([library, install], ['onnxruntime-genai', 'pip install onnxruntime-genai']);
    assert.equal(code.replace('"/models/pair"', '"."'), genaiSpeculate(DRAFTED));
    const inPython = pairCode('transformers', '/models/pair', { ...DRAFTED, threshold: 0.4 }).code;
    assert.match(
      inPython,
      /^import pathlib\n\nfrom transformers import .*\n\nhere = pathlib\.Path\("\/models\/pair"\)\n/,
    );
    for (const line of pythonSpeculate({ ...DRAFTED, threshold: 0.4 })
      .split('\n')
      .filter((each) => /^(draft|ids)/.test(each)))
      assert.ok(inPython.includes(line), line);
    assert.doesNotMatch(inPython, /sys|__file__/);
  });

  it('is a command of llama.cpp, or the program that is written for node-llama-cpp', () => {
    const { code } = pairCode('llama.cpp', '/models/pair', { ...DRAFTED, threshold: 0.2 });
    const [target, draft] = ['target.gguf', 'draft.gguf'].map((name) => join('/models/pair', name));
    assert.equal(code, llamaServer({ ...DRAFTED, threshold: 0.2 }, 'posix', [target, draft]));
    assert.match(code, /-m \/models\/pair\/target\.gguf -md .* --spec-draft-n-max 4 --spec-draft-p-min 0\.2\n$/);
    const node = pairCode('node-llama-cpp', '/models/pair', DRAFTED).code;
    assert.equal(node, "npm install node-llama-cpp\nnode /models/pair/speculate.mjs 'Once upon a time'\n");
  });

  it('keeps a path one word, whatever is in it', () => {
    for (const program of RUNTIMES) {
      const { runs, code } = pairCode(program, ODD, DRAFTED);
      const literal = runs === 'python' ? JSON.stringify(ODD) : `'${ODD.replaceAll("'", `'\\''`)}/`;
      assert.ok(code.includes(literal), code);
    }
  });
});
