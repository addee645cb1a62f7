/**
 * Mean loss of rows of tokens in llama.cpp, for `bench/precision.ts` and tests. Prints a line of JSON with "meanNll" in nats; every token
 * of a row but the first counts.
 *
 *   node llama_cpp_losses.mjs FOLDER FILE.gguf THREADS ROWS.json      FOLDER: where node-llama-cpp is installed
 *
 * A loss is log Σ exp(logits) − the target's logit, in float64.
 */
import { readFileSync } from 'node:fs';
import { loadModel } from './llama_cpp_model.mjs';

const [folder, file, threads, rowsFile] = process.argv.slice(2);
const model = await loadModel(folder, file, Number(threads));
const rows = JSON.parse(readFileSync(rowsFile, 'utf8'));
const context = await model.createContext({
  contextSize: rows[0].length + 8,
  batchSize: rows[0].length,
  sequences: 1,
  threads: Number(threads),
});
const sequence = context.getSequence();

let [sum, count] = [0, 0];
for (const row of rows) {
  await sequence.clearHistory();
  const results = await sequence.controlledEvaluate(
    row.map((token, i) => (i + 1 < row.length ? [token, { generateNext: { logits: true } }] : token)),
  );
  for (let i = 0; i + 1 < row.length; i++) {
    const { logits } = results[i].next;
    let most = -Infinity;
    for (const value of logits.values()) if (value > most) most = value;
    let all = 0;
    for (const value of logits.values()) all += Math.exp(value - most);
    sum += most + Math.log(all) - logits.get(row[i + 1]);
    count++;
  }
}
console.log(JSON.stringify({ meanNll: sum / count }));
process.exit(0); // llama.cpp's threads would keep the process
