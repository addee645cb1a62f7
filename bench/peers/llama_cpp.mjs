/**
 * Decodes with llama.cpp for `bench/decode.ts`: for each line on stdin one greedy run, whose tokens a second it prints as a
 * line of JSON. It ends with stdin.
 *
 *   node llama_cpp.mjs FOLDER FILE.gguf THREADS TOKENS PROMPT      FOLDER: where node-llama-cpp is installed; PROMPT: JSON list of ids
 *
 * The first token, which follows from the prompt, does not count. The cache has llama.cpp's own type, float16.
 */
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { loadModel } from './llama_cpp_model.mjs';

const [folder, file, threads, tokens, prompt] = process.argv.slice(2);
const model = await loadModel(folder, file, Number(threads));
const ids = JSON.parse(prompt);
const context = await model.createContext({
  contextSize: ids.length + Number(tokens) + 8,
  sequences: 1,
  threads: Number(threads),
});
const sequence = context.getSequence();

async function run() {
  await sequence.clearHistory();
  let [count, start] = [-1, 0]; // the first token comes from the prompt
  const written = sequence.evaluate(ids, { temperature: 0, yieldEogToken: true });
  while (count < Number(tokens)) {
    await written.next();
    if (++count === 0) start = performance.now();
  }
  const seconds = (performance.now() - start) / 1000;
  await written.return(); // gives the sequence free
  return count / seconds;
}

console.log(JSON.stringify({ ready: true }));
const requests = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
while (!(await requests.next()).done) console.log(JSON.stringify({ tokensPerSecond: await run() }));
process.exit(0); // llama.cpp's threads would keep the process
