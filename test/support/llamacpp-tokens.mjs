/**
 * llama.cpp's tokens of texts. Usage: llamacpp-tokens.mjs PACKAGE.json IN.json OUT.json, where IN has {files, texts};
 * OUT gets [{bos, ids}] by file: whether texts begin with BOS, and the ids of each text without it. Texts may be long,
 * so they pass through files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [from, input, output] = process.argv.slice(2);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(createRequire(from).resolve('node-llama-cpp')));
const { files, texts } = JSON.parse(readFileSync(input, 'utf8'));
const quiet = { gpu: false, maxThreads: 1, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.error };
const llama = await getLlama(quiet);
const found = [];
for (const modelPath of files) {
  const model = await llama.loadModel({ modelPath, vocabOnly: true });
  found.push({
    bos: model.tokens.shouldPrependBosToken,
    ids: texts.map((text) => Array.from(model.tokenize(text, true))),
  });
  await model.dispose();
}
writeFileSync(output, JSON.stringify(found));
process.exit(0);
