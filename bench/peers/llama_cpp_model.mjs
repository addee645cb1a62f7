/** Loads a GGUF file into llama.cpp, for the other scripts here. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @param folder where node-llama-cpp is installed
 * @param threads of a context too
 */
export async function loadModel(folder, file, threads) {
  const entry = createRequire(join(folder, 'package.json')).resolve('node-llama-cpp');
  const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);
  const llama = await getLlama({
    gpu: false,
    maxThreads: threads,
    build: 'never',
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
  });
  return llama.loadModel({ modelPath: file });
}
