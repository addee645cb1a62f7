/** A page that runs an ONNX folder in a browser, and the server for it: model and libraries come from one machine. */
import type { OnnxKind, OnnxTarget } from '../onnx/kinds';
import { imported, indented } from './expressions';
import { transformersStreamer } from './javascript';

/** Models for WebGPU run there where the browser has it; `?device=wasm` takes the CPU. */
export const deviceLine = (target: OnnxTarget): string =>
  target === 'webgpu'
    ? "const device = new URLSearchParams(location.search).get('device') ?? (navigator.gpu ? 'webgpu' : 'wasm');"
    : "const device = 'wasm'; // on WebGPU this model would write wrong texts";

/** Where transformers.js finds model and WebAssembly: at the addresses of the server. */
export const SERVED = `env.allowRemoteModels = false; // everything comes from this server
env.allowLocalModels = true;
env.localModelPath = '/';
env.useBrowserCache = false;
env.backends.onnx.wasm.wasmPaths = '/lib/';
`;

/** The words of a page, and the lines of its script that differ. Texts of lines end with a line break. */
export interface Page {
  /** Name of the text field. */
  readonly label: string;
  /** What is in it at first. */
  readonly text: string;
  readonly button: string;
  /** Imports, and what comes before loading. */
  readonly head: string;
  readonly load: string;
  /** Expression: what stands there before the model has written. */
  readonly start: string;
  /** Shows each piece by `show`, and leaves the whole in `text`. Knows `prompt` and the fields of the form. */
  readonly write: string;
}

/** The page: a field for a text, a number of tokens, a button, and what the model writes. */
export const pageOf = ({ label, text, button, ...script }: Page): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <meta name="color-scheme" content="light dark" />
    <title>A model in the browser</title>
    <style>
      body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
      textarea { box-sizing: border-box; width: 100%; font: inherit; }
      output { white-space: pre-wrap; }
    </style>
    <script type="importmap">
      { "imports": { "@huggingface/transformers": "/lib/transformers.min.js" } }
    </script>
  </head>
  <body>
    <form>
      <p><textarea id="prompt" rows="3" aria-label="${label}">${text}</textarea></p>
      <p><label>Tokens <input id="count" type="number" min="1" value="50" /></label> <button disabled>${button}</button></p>
    </form>
    <p id="status" role="status">Loading the model …</p>
    <p><output></output></p>
    <script type="module">
${indented(pageScript(script), 6)}    </script>
  </body>
</html>
`;

const pageScript = ({ head, load, start, write }: Pick<Page, 'head' | 'load' | 'start' | 'write'>): string => `${head}
try {
${indented(load, 2)}  element('button').disabled = false;
  element('#status').textContent = \`Ready (\${device}).\`;
  element('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    element('button').disabled = true;
    const prompt = element('#prompt').value;
    element('output').textContent = ${start};
    const show = (text) => element('output').append(text);
${indented(write, 4)}    element('output').textContent = text;
    element('button').disabled = false;
  });
} catch (error) {
  element('#status').textContent = \`The model cannot be loaded: \${error.message}\`;
}
`;

/** Finds an element of the page. */
export const ELEMENT = 'const element = (selector) => document.querySelector(selector);\n';

/** The page that continues a text. */
export const browserPage = (kind: OnnxKind, target: OnnxTarget): string =>
  pageOf({
    label: 'The text to continue',
    text: 'Once upon a time',
    button: 'Continue',
    head: `${imported('{ env, pipeline, TextStreamer }', '@huggingface/transformers')}

${ELEMENT}${deviceLine(target)}

${SERVED}`,
    load: `const generator = await ${servedGenerator(kind)};
`,
    start: 'prompt',
    write: `const streamer = ${transformersStreamer('show')};
const max_new_tokens = element('#count').valueAsNumber;
const [{ generated_text: text }] = await generator(prompt, { max_new_tokens, do_sample: false, streamer });
`,
  });

/** Loads the model that the server has at /model/. @param model an expression */
export const servedGenerator = (kind: OnnxKind, model = "'model'"): string =>
  `pipeline('text-generation', ${model}, { dtype: '${kind}', device })`;

/** Where the files are that the server gives, and how it is started. */
export interface Served {
  /** Its first comment, a line each; without the signs. */
  readonly usage: readonly string[];
  /** Lines after the imports of Node. */
  readonly imports: string;
  /** The folder of the model, an expression. */
  readonly model: string;
}

const BESIDE: Served = {
  usage: [
    'usage: node serve.mjs 8000    then open the address that it prints',
    'Once before, in the folder above: npm install',
  ],
  imports: '',
  model: "join(here, '../..')",
};

export const browserServer = ({
  usage,
  imports,
  model,
}: Served = BESIDE): string => `// Serves the page, the model and transformers.js to this machine alone.
${usage.map((line) => `// ${line}\n`).join('')}${imported('{ createReadStream, statSync }', 'node:fs')}
${imported('{ createServer }', 'node:http')}
${imported('{ createRequire }', 'node:module')}
${imported('{ dirname, extname, join }', 'node:path')}
${imported('{ fileURLToPath }', 'node:url')}
${imports}
const here = dirname(fileURLToPath(import.meta.url));
const transformers = createRequire(import.meta.url).resolve('@huggingface/transformers');
const onnxruntime = createRequire(transformers).resolve('onnxruntime-web');
/** Addresses, and the folders of their files. */
const places = [
  ['/model/', ${model}],
  ['/lib/', dirname(transformers)],
  ['/lib/', dirname(onnxruntime)],
  ['/', here],
];
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

/** The file of an address; undefined if there is none. */
function find(address) {
  const path = decodeURIComponent(new URL(address, 'http://localhost').pathname).replace(/\\/$/, '/index.html');
  if (path.split(/[\\\\/]/).includes('..')) return undefined;
  for (const [start, folder] of places) {
    if (!path.startsWith(start)) continue;
    const file = join(folder, path.slice(start.length));
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.isFile()) return { file, bytes: stats.size };
  }
}

const server = createServer(({ url }, response) => {
  let found;
  try {
    found = find(url);
  } catch {
    // an address that is none
  }
  if (!found) return response.writeHead(404).end();
  response.writeHead(200, {
    'content-type': types[extname(found.file)] ?? 'application/octet-stream',
    'content-length': found.bytes,
    // Threads of WebAssembly need a page that shares its memory with no other.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  });
  createReadStream(found.file).on('error', () => response.destroy()).pipe(response);
});
server.listen(Number(process.argv[2] ?? 8000), '127.0.0.1', () => {
  console.log(\`http://127.0.0.1:\${server.address().port}/\`);
});
`;
