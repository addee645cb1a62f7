/** The example for a browser: a page with transformers.js, and the server that gives it everything from this machine. */
import { browserServer, deviceLine, ELEMENT, pageOf, SERVED, servedGenerator } from '../browser';
import { imported, onnxFile } from '../expressions';
import { browserDevice } from '../javascript';
import { type Example, type ExampleFile, questionFor } from './example';
import { askFunction, moduleTypes, PLACE_COMMENT, placeInNode, transformersBody } from './module';
import { answered } from './node';

/** @param isTyped the project is in TypeScript */
export const browserFiles = (example: Example<'onnx'>, isTyped: boolean): ExampleFile[] => [
  { name: 'index.html', text: page(example) },
  { name: 'ask.mjs', text: module(example) },
  ...(isTyped ? [moduleTypes(example, LOAD_TYPES)] : []),
  { name: 'model.mjs', text: place(example) },
  { name: 'serve.mjs', text: server(example) },
  { name: 'ask.test.mjs', text: browserTest(example) },
];

const page = (example: Example<'onnx'>): string =>
  pageOf({
    ...(example.chats
      ? { label: 'Your question', button: 'Ask' }
      : { label: 'The text to continue', button: 'Continue' }),
    text: questionFor(example),
    head: `${imported('{ ask, load }', './ask.mjs')}

${ELEMENT}${deviceLine(example.model.target ?? 'cpu')}
`,
    load: 'await load({ device });\n',
    start: "''",
    write: "const text = await ask(prompt, { maxTokens: element('#count').valueAsNumber, onText: show });\n",
  });

const module = (
  example: Example<'onnx'>,
): string => `// Asks the model ${example.name} in a browser, with ${example.library}.
// A page: node serve.mjs, and open the address that it prints.
// Pages of other servers need the folder of the model at /model/, and the files *.wasm and *.mjs of onnxruntime-web at /lib/.
${imported('{ env, pipeline, TextStreamer }', '@huggingface/transformers')}

${SERVED}
let loading;
/**
 * Loads the model, which the first question does too. In Node, where the test runs, it needs the model's folder and the
 * device "cpu".
 * @param {{ model?: string, device?: 'wasm' | 'webgpu' | 'cpu' }} [options]
 */
export const load = ({ model = 'model', device = ${browserDevice(example.model.target ?? 'cpu')} } = {}) =>
  (loading ??= ${servedGenerator(example.model.kind, 'model')});

${askFunction(example, transformersBody(example, 'await load()'))}`;

const LOAD_TYPES = `
/** Loads the model, which the first question does too. */
export function load(options?: { model?: string; device?: 'wasm' | 'webgpu' | 'cpu' }): Promise<unknown>;
`;

function place(example: Example<'onnx'>): string {
  const { imports, path } = placeInNode(example.place);
  const needs = example.place.isRelative ? `${imports}${imported('{ fileURLToPath }', 'node:url')}\n\n` : '';
  return `${needs}${PLACE_COMMENT}
export const MODEL = ${path};
`;
}

const server = ({ install }: Example<'onnx'>): string =>
  browserServer({
    usage: [
      'usage: node serve.mjs 8000    then open the address that it prints',
      `Once before, in the project: ${install}`,
    ],
    imports: `${imported('{ MODEL }', './model.mjs')}\n`,
    model: 'MODEL',
  });

const browserTest = (example: Example<'onnx'>): string => `// usage: node --test
${imported('assert', 'node:assert/strict')}
${imported('{ spawn }', 'node:child_process')}
${imported('{ once }', 'node:events')}
${imported('{ createInterface }', 'node:readline')}
${imported('{ test }', 'node:test')}
${imported('{ fileURLToPath }', 'node:url')}
${imported('{ ask, load }', './ask.mjs')}
${imported('{ MODEL }', './model.mjs')}

test('the server gives the page, the model and the library', async () => {
  const script = fileURLToPath(new URL('serve.mjs', import.meta.url));
  const server = spawn(process.execPath, [script, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [address] = await once(createInterface({ input: server.stdout }), 'line');
    for (const path of ['', 'ask.mjs', 'model/config.json', 'model/${onnxFile(example.model.kind)}', 'lib/transformers.min.js']) {
      const { status } = await globalThis.fetch(new URL(path, address), { method: 'HEAD' });
      assert.equal(status, 200, path);
    }
  } finally {
    server.kill();
  }
});

test('the model answers a question; here in Node', async () => {
  await load({ model: MODEL, device: 'cpu' });
  ${answered(example)}
});
`;
