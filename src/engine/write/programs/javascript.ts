/**
 * Programs of JavaScript that load a model and continue a text, for Node and for browsers; and those of their lines that other
 * programs have too.
 */
import type { OnnxKind, OnnxTarget } from '../onnx/kinds';
import { imported, jsLiteral, NO_FRAME, onnxFile, type Expressions } from './expressions';

/** The line that loads a model in Node. @param path an expression */
export const transformersInNode = (kind: OnnxKind, path: string): string =>
  `env.allowRemoteModels = false; // nothing is downloaded
const generator = await pipeline('text-generation', ${path}, { dtype: '${kind}' });
`;

/** Hands each new piece of the text to a function. @param show its name */
export const transformersStreamer = (show: string): string =>
  `new TextStreamer(generator.tokenizer, { skip_prompt: true, skip_special_tokens: true, callback_function: ${show} })`;

/** @param path an expression */
export const llamaModel = (path: string): string =>
  `const llama = await getLlama({ build: 'never' }); // nothing is downloaded or compiled
const model = await llama.loadModel({ modelPath: ${path} });
`;

/** Where the model has a chat template it gets a conversation, else a text that it continues. */
export const LLAMA_SESSION = {
  chat: {
    imports: 'LlamaChatSession',
    make: 'const session = new LlamaChatSession({ contextSequence: context.getSequence() });',
  },
  text: {
    imports: 'LlamaCompletion',
    make: 'const completion = new LlamaCompletion({ contextSequence: context.getSequence() });',
  },
} as const;

export const nodeTransformers = (kind: OnnxKind, { path, prompt, count }: Expressions, frame = NO_FRAME): string =>
  `${frame.top}${imported('{ env, pipeline }', '@huggingface/transformers')}
${frame.imports}${frame.head}
${transformersInNode(kind, path)}const [{ generated_text: text }] = await generator(${prompt}, { max_new_tokens: ${count}, do_sample: false });
console.log(text);
`;

/** Greedy decoding with a cache of keys and values, by nothing but onnxruntime. */
export const nodeOnnxruntime = (kind: OnnxKind, { path, prompt, count }: Expressions, frame = NO_FRAME): string =>
  `${frame.top}${imported('{ readFileSync }', 'node:fs')}
${imported('{ join }', 'node:path')}
${frame.imports}${imported('{ Tokenizer }', '@huggingface/tokenizers')}
${imported('{ InferenceSession, Tensor }', 'onnxruntime-node')}
${frame.head}
const folder = ${path};
const json = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
const ends = [json('generation_config.json').eos_token_id ?? []].flat();
const session = await InferenceSession.create(join(folder, '${onnxFile(kind)}'));

const int64 = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
const ids = [...tokenizer.encode(${prompt}).ids];
let news = ids; // tokens that the model has not read yet
// What it keeps of the tokens that it has read. Keys and values: [1, heads, tokens, width of a head].
const cache = {};
for (const { name, type, shape } of session.inputMetadata) {
  if (!name.startsWith('past_')) continue;
  const sizes = [1, ...shape.slice(1).map((size) => (typeof size === 'number' ? size : 0))];
  const count = sizes.reduce((all, size) => all * size);
  cache[name] = new Tensor(type, type === 'float16' ? new Uint16Array(count) : new Float32Array(count), sizes);
}

for (let written = 0; written < ${count}; written++) {
  const feeds = { ...cache, input_ids: int64(news), attention_mask: int64(ids.map(() => 1)) };
  if (session.inputNames.includes('position_ids')) {
    feeds.position_ids = int64(news.map((_, i) => ids.length - news.length + i));
  }
  const results = await session.run(feeds);
  const next = likeliest(results.logits);
  if (ends.includes(next)) break;
  ids.push(next);
  news = [next];
  for (const name of Object.keys(cache)) {
    cache[name] = results[name.replace('past_key_values', 'present').replace('past_', 'present_')];
  }
}
console.log(tokenizer.decode(ids, { skip_special_tokens: true }));

/** The token with the largest logit after the last position. */
function likeliest({ data, dims, type }) {
  const last = data.subarray(data.length - dims[2]);
  // Node has no numbers of 16 bits. Their bits are in the order of the numbers when those of negative ones are turned.
  const bits = type === 'float16' && last instanceof Uint16Array;
  const value = (i) => (bits ? (last[i] & 0x8000 ? 0x8000 - last[i] : last[i]) : last[i]);
  let best = 0;
  for (let i = 1; i < last.length; i++) if (value(i) > value(best)) best = i;
  return best;
}
`;

/** Where a page runs the model: only what was written for WebGPU is right there. */
export const browserDevice = (target: OnnxTarget): string =>
  target === 'webgpu' ? "navigator.gpu ? 'webgpu' : 'wasm'" : "'wasm'";

/** For a page, by a bundler or an import map. */
export const browserTransformers = (kind: OnnxKind, target: OnnxTarget, name: string): string =>
  `${imported('{ env, pipeline }', '@huggingface/transformers')}

env.allowRemoteModels = false;
env.allowLocalModels = true; // files of your own server: /models/${name}/config.json and so on
env.localModelPath = '/models/';
const options = { dtype: '${kind}', device: ${browserDevice(target)} };
const generator = await pipeline('text-generation', ${jsLiteral(name)}, options);
const [{ generated_text: text }] = await generator('Once upon a time', { max_new_tokens: 50, do_sample: false });
document.body.append(text);
`;

export const nodeLlamaCpp = ({ path, prompt, count }: Expressions): string =>
  `${imported(`{ getLlama, ${LLAMA_SESSION.text.imports} }`, 'node-llama-cpp')}

${llamaModel(path)}const context = await model.createContext();
${LLAMA_SESSION.text.make}
const prompt = ${prompt};
console.log(prompt + (await completion.generateCompletion(prompt, { maxTokens: ${count}, temperature: 0 })));
`;
