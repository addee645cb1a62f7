/**
 * `node --import tsx scripts/docs/estimates.ts`: prints the estimates of time and memory in docs/guide/speed.md, for models whose
 * weights nobody needs to have. They are Coppice's own (src/estimates), of a machine with two cores that has scored SmolLM2 and four
 * blocks of LLaMA-7B's shapes in the seconds that docs/results/measured.md has.
 */
import type { Architecture } from '../../src/engine/checkpoint/architecture';
import { isUnsupported, readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { parametersOf } from '../../src/engine/checkpoint/parameters';
import { timeOf, workOf } from '../../src/estimates/job';
import { MachineSpeeds } from '../../src/estimates/machine';
import { memoryOf } from '../../src/estimates/memory';
import { modelsAt, someBlocks } from '../../src/estimates/models';
import { roughBytes, roughTime } from '../../src/estimates/words';
import type { JsonObject } from '../../src/format/json';
import type { Kind } from '../../src/jobs/kinds';

/** The shapes of a model: vocabulary, hidden size, blocks, heads, key-value heads, their size, FFN, whether the head is the embedding. */
type Shapes = readonly [number, number, number, number, number, number, number, boolean];

const SHAPES: Readonly<Record<string, Shapes>> = {
  'SmolLM2-135M': [49_152, 576, 30, 9, 3, 64, 1536, true],
  'Llama 3.2 1B': [128_256, 2048, 16, 32, 8, 64, 8192, true],
  'Llama 3.2 3B': [128_256, 3072, 28, 24, 8, 128, 8192, true],
  'Llama 3.1 8B': [128_256, 4096, 32, 32, 8, 128, 14_336, false],
  'LLaMA-7B': [32_000, 4096, 32, 32, 32, 128, 11_008, false],
  'four blocks of LLaMA-7B': [32_000, 4096, 4, 32, 32, 128, 11_008, false],
};

function architectureOf([vocabulary, hidden, layers, heads, kvHeads, headDim, ffn, tied]: Shapes): Architecture {
  const found = readConfigArchitecture({
    ...{ model_type: 'llama', hidden_act: 'silu', rms_norm_eps: 1e-5, max_position_embeddings: 8192 },
    ...{ vocab_size: vocabulary, hidden_size: hidden, num_hidden_layers: layers, intermediate_size: ffn },
    ...{ num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim, tie_word_embeddings: tied },
  });
  if (isUnsupported(found)) throw new Error(found.why);
  return found;
}

const models = modelsAt((name) => {
  const architecture = architectureOf(SHAPES[name]);
  return { architecture, bytes: 2 * parametersOf(architecture) };
});
const MACHINE = { total: 25e9, free: 20e9 };

const score = (checkpoint: string): JsonObject => ({ checkpoint, criterion: 'ppl', samples: 10, length: 128 });
const speeds = MachineSpeeds.none(2);
for (const [name, seconds] of [
  ['SmolLM2-135M', 17.9],
  ['four blocks of LLaMA-7B', 22.8],
] as const) {
  const work = workOf({ kind: 'score', options: score(name) }, models)?.find(({ kind }) => kind === 'products');
  if (work) speeds.learn(work, seconds, 'cpu');
}

/** The jobs of the table. */
const jobs = (checkpoint: string): readonly (readonly [string, Kind, JsonObject])[] => {
  const architecture = architectureOf(SHAPES[checkpoint]);
  const remove = someBlocks(architecture, Math.floor(architecture.layers.length / 5));
  const data: string[] = []; // a text that is yet to be chosen, and long enough
  return [
    ['score, 10 × 128', 'score', score(checkpoint)],
    ['heal, 64 × 128', 'heal', { checkpoint, remove, data, tokens: 8192, length: 128 }],
    ['LoRA, 100 steps of 8 × 128', 'retrain', { checkpoint, remove, data, steps: 100, batch: 8, length: 128 }],
    ['write text in float32', 'generate', { checkpoint, prompt: 'Once', maxNewTokens: 64 }],
  ];
};

for (const name of Object.keys(SHAPES).slice(0, -1)) {
  console.log(`${name}: ${parametersOf(architectureOf(SHAPES[name])).toLocaleString('en-US')} parameters`);
  for (const [title, kind, options] of jobs(name)) {
    const seconds = timeOf({ kind, options }, models, speeds, 'cpu')?.seconds ?? NaN;
    console.log(
      `  ${title}: ${roughTime(seconds)}, ${roughBytes(memoryOf({ kind, options }, models, MACHINE) ?? NaN)}`,
    );
  }
}
