/** A page that runs an ONNX folder in a browser, and the server for it: model and libraries come from one machine. */
import type { OnnxKind, OnnxTarget } from '../onnx/kinds';
import { imported } from './expressions';

const CHOICE =
  "const device = new URLSearchParams(location.search).get('device') ?? (navigator.gpu ? 'webgpu' : 'wasm');";

/** The page. Models for WebGPU run there where the browser has it; `?device=wasm` takes the CPU. */
export const browserPage = (kind: OnnxKind, target: OnnxTarget): string => `<!doctype html>
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
      <p><textarea id="prompt" rows="3" aria-label="The text to continue">Once upon a time</textarea></p>
      <p><label>Tokens <input id="count" type="number" min="1" value="50" /></label> <button disabled>Continue</button></p>
    </form>
    <p id="status" role="status">Loading the model …</p>
    <p><output></output></p>
    <script type="module">
      ${imported('{ env, pipeline, TextStreamer }', '@huggingface/transformers')}

      const element = (selector) => document.querySelector(selector);
      ${target === 'webgpu' ? CHOICE : "const device = 'wasm'; // on WebGPU this model would write wrong texts"}

      env.allowRemoteModels = false; // everything comes from this server
      env.allowLocalModels = true;
      env.localModelPath = '/';
      env.useBrowserCache = false;
      env.backends.onnx.wasm.wasmPaths = '/lib/';

      try {
        const generator = await pipeline('text-generation', 'model', { dtype: '${kind}', device });
        element('button').disabled = false;
        element('#status').textContent = \`Ready (\${device}).\`;
        element('form').addEventListener('submit', async (event) => {
          event.preventDefault();
          element('button').disabled = true;
          const prompt = element('#prompt').value;
          element('output').textContent = prompt;
          const show = (text) => element('output').append(text);
          const streamer = new TextStreamer(generator.tokenizer, { skip_prompt: true, skip_special_tokens: true, callback_function: show });
          const max_new_tokens = element('#count').valueAsNumber;
          const [{ generated_text: text }] = await generator(prompt, { max_new_tokens, do_sample: false, streamer });
          element('output').textContent = text;
          element('button').disabled = false;
        });
      } catch (error) {
        element('#status').textContent = \`The model cannot be loaded: \${error.message}\`;
      }
    </script>
  </body>
</html>
`;

export const browserServer = (): string => `// Serves the page, the model and transformers.js to this machine alone.
// usage: node serve.mjs 8000    then open the address that it prints
// Once before, in the folder above: npm install
${imported('{ createReadStream, statSync }', 'node:fs')}
${imported('{ createServer }', 'node:http')}
${imported('{ createRequire }', 'node:module')}
${imported('{ dirname, extname, join }', 'node:path')}
${imported('{ fileURLToPath }', 'node:url')}

const here = dirname(fileURLToPath(import.meta.url));
const transformers = createRequire(import.meta.url).resolve('@huggingface/transformers');
const onnxruntime = createRequire(transformers).resolve('onnxruntime-web');
/** Addresses, and the folders of their files. */
const places = [
  ['/model/', join(here, '../..')],
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
