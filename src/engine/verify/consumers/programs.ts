/**
 * Small programs that continue a list of tokens greedily with other libraries, each in a process of its own: two copies of
 * onnxruntime in one process crash. Each prints one line of JSON, { ids }. None uses the network.
 */

/** Arguments: the library's file, the GGUF file, the prompt's ids as JSON, the number of tokens. */
export const LLAMA_PROGRAM = `
import { pathToFileURL } from 'node:url';
const [library, file, prompt, count] = process.argv.slice(2);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(library).href);
// One thread: several wait for each other in a loop. A cache in float32: the usual one rounds.
const llama = await getLlama({ gpu: false, maxThreads: 1, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: file, checkTensors: true });
const ids = JSON.parse(prompt);
const contextSize = Math.min(model.trainContextSize, ids.length + Number(count) + 8);
const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };
const context = await model.createContext({ contextSize, sequences: 1, flashAttention: false, threads: 1, ...cache });
const written = [];
for await (const id of context.getSequence().evaluate(ids, { temperature: 0 })) {
  if (model.isEogToken(id)) break;
  written.push(id);
  if (written.length >= Number(count)) break;
}
console.log(JSON.stringify({ ids: written }));
process.exit(0);
`;

/** Arguments: the library's file, the folder, the prompt's ids as JSON, the number of tokens, the kind. */
export const TRANSFORMERS_PROGRAM = `
import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
const [library, folder, prompt, count, dtype] = process.argv.slice(2);
const { AutoModelForCausalLM, env, Tensor } = await import(pathToFileURL(library).href);
env.allowRemoteModels = false;
env.useFSCache = false;
env.localModelPath = dirname(folder);
const options = { dtype, device: 'cpu', session_options: { intraOpNumThreads: 1 } };
const model = await AutoModelForCausalLM.from_pretrained(basename(folder), options);
const ids = JSON.parse(prompt);
const row = (values) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
const inputs = { input_ids: row(ids), attention_mask: row(ids.map(() => 1)) };
const all = await model.generate({ ...inputs, max_new_tokens: Number(count), do_sample: false });
console.log(JSON.stringify({ ids: Array.from(all.data, Number).slice(ids.length) }));
`;

/** Python. Arguments: the folder, the prompt's ids as JSON, the number of tokens. It prints its version too. */
export const GENAI_PROGRAM = `
import json, sys
import onnxruntime_genai as og
folder, prompt, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
model = og.Model(folder)
params = og.GeneratorParams(model)
params.set_search_options(do_sample=False, max_length=len(prompt) + count)
generator = og.Generator(model, params)
generator.append_tokens(prompt)
ids = []
while not generator.is_done() and len(ids) < count:
    generator.generate_next_token()
    ids.append(int(generator.get_next_tokens()[0]))
print(json.dumps({"ids": ids, "version": og.__version__}))
`;
