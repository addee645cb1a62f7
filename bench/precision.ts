/**
 * Precision: what rounding weights to 8 and 4 bits, or factors to bfloat16, costs, as the perplexity of a text.
 *
 *   npm run bench -- precision [--model PATH] --text FILE [--limit 64] [--rotate] [--gguf FILE]
 *
 * bfloat16 is computed by its definition (inputs and weights of Linears rounded, products in float32), and by the processor too where
 * it can.
 *
 * int8 and int4 are Coppice's own, in blocks of 32. Q4_1 is llama.cpp's rounding (ggml: blocks of 32, float16 scale and least
 * number, 4 bits, no search) of every Linear, with the head in Q8_0, computed in float32: only the weights differ. llama.cpp itself, which
 * rounds inputs too, takes part where there is a file for it (--gguf, a model that is a GGUF file, or the reference's Q4_1 of SmolLM2)
 * and npm can install it. The float32 of a GGUF file is that of its own blocks, dequantized.
 *
 * Weights that were once Q4_1 lose nothing by rounding them to it again. With --rotate, the same model is measured in another
 * basis: the residual stream is turned by an orthogonal matrix and every weight that reads or writes it too, with the norms
 * folded into the Linears behind them. In float32 that model computes the same.
 */
import { beginningOf } from '../src/engine/tokenizer/bos';
import { parseArgs } from 'node:util';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import type { Architecture } from '../src/engine/checkpoint/architecture';
import type { WeightKey } from '../src/engine/checkpoint/weight-key';
import { evaluationWindows } from '../src/engine/evaluate/windows';
import { openModelOver } from '../src/engine/model/model';
import { bfloat16Fault } from '../src/engine/onnx/bfloat16-trial';
import type { Precision } from '../src/engine/precision';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import { Overlay } from '../src/engine/weights/overlay';
import type { KeyedPatch } from '../src/engine/weights/patches';
import { checkpointWeights } from '../src/engine/weights/checkpoint';
import type { WeightSource } from '../src/engine/weights/source';
import { llamaCppFolder, llamaCppLoss, ownGguf } from './peers/llama-cpp';
import { isSkipped } from './peers/peer';
import { printMachine } from './support/machine';
import { inGgmlType } from './support/ggml-rounding';
import { rotated } from './support/rotated';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';
import { RoundedLinears } from '../test/support/bfloat16';
import { evaluatePerplexity } from '../test/support/measuring';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    text: { type: 'string' },
    limit: { type: 'string', default: '64' },
    rotate: { type: 'boolean', default: false },
    gguf: { type: 'string' },
  },
});
if (values.text === undefined) throw new Error('name a text: --text FILE');
const checkpoint = await openCheckpoint(modelOr(values.model));
const { bosTokenId } = requireArchitecture(checkpoint);
const tokenizer = await loadTokenizer(checkpoint.home);
const ids = await tokenizer.encode(await readFile(values.text, 'utf8'), { addSpecialTokens: false });

/** As `coppice eval` cuts the text. */
const windows = {
  limit: Number(values.limit),
  window: 128,
  beginning: beginningOf('auto', { tokenizer, bosTokenId }),
} as const;

/** The model's weights, in another basis if asked for. */
async function weights(): Promise<WeightSource> {
  const source = checkpointWeights(checkpoint);
  return values.rotate ? rotated(source) : source;
}

/** All Linears in Q4_1, the head in Q8_0. An embedding that is the head stays as it is where tokens are looked up. */
async function inGgml(source: WeightSource): Promise<WeightSource> {
  const patches: KeyedPatch[] = [];
  for (const [key, type] of ggmlKeys(source.architecture)) {
    patches.push([key, { kind: 'replace', values: inGgmlType(await source.read(key), type) }]);
  }
  return new Overlay(source, patches, { ...source.architecture, tied: false });
}

function* ggmlKeys(a: Architecture): Generator<[WeightKey, 'Q4_1' | 'Q8_0']> {
  for (const layer of a.layers.keys()) {
    for (const name of ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const) yield [{ layer, name }, 'Q4_1'];
  }
  yield ['head', 'Q8_0'];
}

async function perplexity(source: WeightSource, precision: Precision): Promise<number> {
  const model = await openModelOver(source, checkpoint, { device: 'cpu', precision, quantized: { limit: 0 } });
  try {
    return (await evaluatePerplexity(model, ids, { ...windows, bos: windows.beginning.mode })).ppl;
  } finally {
    await model.close();
  }
}

printMachine();
const exact = await perplexity(await weights(), 'float32');
function line(name: string, ppl: number): void {
  if (name !== 'float32') noteRatio('perplexity, against float32', ppl / exact, { precision: name });
  console.log(`${name.padEnd(24)} ${ppl.toFixed(3)}  ${(100 * (ppl / exact - 1)).toFixed(2)} %`);
}
line('float32', exact);
line('bfloat16, by definition', await perplexity(new RoundedLinears(await weights()), 'float32'));
if ((await bfloat16Fault()) === undefined) line('bfloat16', await perplexity(await weights(), 'bfloat16'));
line('int8 in blocks of 32', await perplexity(await weights(), 'int8'));
line('int4 in blocks of 32', await perplexity(await weights(), 'int4'));
line('Q4_1, head Q8_0', await perplexity(await inGgml(await weights()), 'float32'));
const gguf = values.gguf ?? ownGguf(values.model);
if (values.rotate || gguf === undefined) console.log('llama.cpp: skipped, no GGUF file of this model');
else lineOfLlamaCpp(gguf);

function lineOfLlamaCpp(file: string): void {
  const installed = llamaCppFolder();
  if (isSkipped(installed)) {
    console.log(`llama.cpp: skipped, ${installed.skipped}`);
    return;
  }
  try {
    const { rows } = evaluationWindows(ids, windows);
    line(`llama.cpp, ${basename(file)}`, Math.exp(llamaCppLoss(installed.folder, file, rows)));
  } finally {
    installed.remove();
  }
}
