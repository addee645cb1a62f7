/**
 * llama.cpp's logits. Usage: llamacpp-logits.mjs PACKAGE.json IN.json OUT.json, where IN has {files, rows, context}; OUT gets for
 * each file and each of its rows of ids the logits of what follows it, by id. `context` is what llama.cpp calls -c.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [from, input, output] = process.argv.slice(2);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(createRequire(from).resolve('node-llama-cpp')));
const { files, rows, context: contextSize } = JSON.parse(readFileSync(input, 'utf8'));
const llama = await getLlama({
  gpu: false,
  maxThreads: 1,
  build: 'never',
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
});
const found = [];
for (const [i, modelPath] of files.entries()) {
  const model = await llama.loadModel({ modelPath, checkTensors: true });
  const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };
  const context = await model.createContext({ contextSize, sequences: 1, flashAttention: false, threads: 1, ...cache });
  const sequence = context.getSequence();
  const logits = [];
  for (const row of rows[i]) {
    await sequence.clearHistory();
    const ids = [...row.slice(0, -1), [row.at(-1), { generateNext: { logits: true } }]];
    const { next } = (await sequence.controlledEvaluate(ids)).at(-1);
    const values = new Array(next.logits.size);
    for (const [id, value] of next.logits) values[id] = value;
    logits.push(values);
  }
  found.push(logits);
  await context.dispose();
  await model.dispose();
}
writeFileSync(output, JSON.stringify(found));
process.exit(0);
