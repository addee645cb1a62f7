/** Code that loads a model: it is complete, and a name in it stays a name. */
import assert from 'node:assert/strict';
import { transform } from 'esbuild';
import { type Loadable, loadingCode } from '../../../src/engine/write/loading-code';

/** Quotes, a backslash, a line break and what shells and templates act on. */
const ODD = '/models/a "b\' $(touch x) `y` \\ ${z}\nline';

const models = (path: string): Loadable[] => [
  { format: 'safetensors', path },
  { format: 'gguf', path: `${path}.gguf` },
  ...(['fp32', 'fp16', 'q8', 'q4'] as const).map((kind): Loadable => ({ format: 'onnx', path, kind })),
];

describe('code that loads a model', () => {
  it('names the programs that run each format', () => {
    const libraries = (model: Loadable): string[] =>
      loadingCode(model).map(({ runs, library }) => `${runs} ${library}`);
    assert.deepEqual(libraries({ format: 'safetensors', path: 'm' }), ['python transformers', 'shell Coppice']);
    assert.deepEqual(libraries({ format: 'safetensors', path: 'm', isStock: false }), ['shell Coppice']);
    assert.deepEqual(libraries({ format: 'gguf', path: 'm.gguf' }), [
      'shell llama.cpp',
      'shell Ollama',
      'node node-llama-cpp',
      'python llama-cpp-python',
    ]);
    const onnx = { format: 'onnx', path: 'm', kind: 'q4' } as const;
    assert.deepEqual(libraries(onnx), [
      'node transformers.js',
      'node onnxruntime-node',
      'browser transformers.js',
      'python onnxruntime-genai',
      'python onnxruntime',
    ]);
    assert.ok(!libraries({ ...onnx, genai: false }).includes('python onnxruntime-genai'));
  });

  it('asks for the graph of its kind', () => {
    const codes = loadingCode({ format: 'onnx', path: 'm', kind: 'q8' }).map(({ code }) => code);
    assert.match(codes[0], /dtype: 'q8'/);
    assert.match(codes[2], /device: 'wasm'/);
    const forGpu = loadingCode({ format: 'onnx', path: 'm', kind: 'q8', target: 'webgpu' })[2].code;
    assert.match(forGpu, /device: navigator\.gpu \? 'webgpu' : 'wasm'/);
    assert.match(codes[1], /'onnx\/model_quantized\.onnx'/);
    assert.match(codes[4], /"onnx\/model_quantized\.onnx"/);
  });

  it('is JavaScript that parses, whatever the name', async () => {
    for (const model of [...models('/models/plain'), ...models(ODD)]) {
      for (const { language, code } of loadingCode(model)) {
        if (language === 'javascript') await transform(code, { loader: 'js', format: 'esm' });
      }
    }
  });

  it('has the path as one literal, or as one quoted word', () => {
    for (const model of models(ODD)) {
      for (const { runs, code } of loadingCode(model)) {
        const path = model.path.replace(/'/g, `'\\''`);
        if (runs === 'shell') assert.ok(code.includes(`'${path}'`) || code.includes(`'FROM ${path}'`), code);
        else if (runs !== 'browser') assert.ok(code.includes(JSON.stringify(model.path)), code);
      }
    }
  });

  it('gives browsers and Ollama a name that an address can have', () => {
    const browser = loadingCode({ format: 'onnx', path: ODD, kind: 'q4' })[2].code;
    assert.match(browser, /pipeline\('text-generation', '[\w.-]+', options\)/);
    const ollama = loadingCode({ format: 'gguf', path: 'C:\\models\\Smol LM.Q4.gguf' }, 'powershell')[1].code;
    assert.match(ollama, /^ollama run Smol-LM\.Q4 'Once upon a time'$/m);
    assert.match(loadingCode({ format: 'gguf', path: '...gguf' })[1].code, /^ollama run model /m);
  });
});
