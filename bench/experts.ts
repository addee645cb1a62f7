/**
 * Experts: seconds and memory of scoring them, and of a sweep, for a model in the shapes of Qwen3-30B-A3B.
 *
 *   npm run bench -- experts [--rows 64] [--length 512] [--memory 1000000000] [--threads N]
 *
 * It makes one block with random BF16 weights (1.2 GB in the temporary folder) and a small vocabulary, and extrapolates to the 48 blocks
 * and the whole vocabulary: each block and each piece of the head takes as long as the one that is measured. First with the room for
 * experts that `--memory` gives: groups of them are opened once for all tokens. Then with room for all experts of a block at once, where a
 * second pass through the open block tells what a further variant of a sweep takes. Peaks are those of the process so far.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { scoreExperts } from '../src/engine/importance/experts/score';
import { peakRssBytes } from '../src/engine/memory';
import { Forward } from '../src/engine/model/forward';
import { tokenLosses } from '../src/engine/model/head';
import { openModel } from '../src/engine/model/model';
import { releaseState } from '../src/engine/model/states';
import { fullView } from '../src/engine/model/view';
import { Work } from '../src/engine/progress';
import { Random } from '../src/engine/random';
import { printMachine } from './support/machine';
import { megabytes, printFacts } from './support/numbers';
import { noteRatio } from './support/ratios';
import { fillWithRandom, writeSyntheticCheckpoint } from './support/synthetic';

/** Qwen3-30B-A3B (Qwen 2025), but for its blocks and its vocabulary. */
const QWEN3_MOE = {
  architectures: ['Qwen3MoeForCausalLM'],
  model_type: 'qwen3_moe',
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 6144,
  moe_intermediate_size: 768,
  num_hidden_layers: 1,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  head_dim: 128,
  num_experts: 128,
  num_experts_per_tok: 8,
  norm_topk_prob: true,
  decoder_sparse_step: 1,
  mlp_only_layers: [],
  vocab_size: 3072,
  max_position_embeddings: 40_960,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
};
const BLOCKS = 48;
const VOCABULARY = 151_936;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '64' },
    length: { type: 'string', default: '512' },
    memory: { type: 'string', default: '1000000000' },
    threads: { type: 'string' },
  },
});
const length = Number(values.length);
const threads = values.threads === undefined ? undefined : Number(values.threads);

const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-experts-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
printMachine();
const bytes = writeSyntheticCheckpoint(folder, QWEN3_MOE);
fillWithRandom(folder);
const checkpoint = await openCheckpoint(folder);
const random = new Random(1);
const rows = Array.from({ length: Number(values.rows) }, () =>
  Array.from({ length }, () => random.below(QWEN3_MOE.vocab_size)),
);
const tokens = rows.length * length;
console.log(
  `one block of Qwen3-30B-A3B, ${megabytes(bytes)} with a small vocabulary; ${rows.length} × ${length} tokens\n`,
);

interface Timed<T> {
  readonly seconds: number;
  /** Of all threads together: what the machine computed, however many others it served. */
  readonly processor: number;
  readonly result: T;
}

async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, processor: (user + system) / 1e6, result };
}

/** "12.3 s, 24.1 s of processors" */
const both = ({ seconds, processor }: Pick<Timed<unknown>, 'seconds' | 'processor'>): string =>
  `${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processors`;

const minutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} min`;

/** Applications of a block in a sweep that leaves out each of the blocks in turn. */
const SWEEP = (BLOCKS * (BLOCKS + 1)) / 2;

/** Scores experts of the block, and measures the losses apart. */
async function scoring(memory: number): Promise<void> {
  const model = await openModel(checkpoint, { device: 'cpu', threads, memory });
  try {
    const forward = new Forward(model, length);
    const state = await forward.embed(rows);
    const job = {};
    const head = await timed(() => tokenLosses(model, [state], rows, new Work(job, 1, 'rows', '')));
    releaseState(state);
    const pass = await timed(() => scoreExperts(model, rows, fullView(1)));
    const [{ tokens: routed }] = pass.result.sums;
    const block = { seconds: pass.seconds - head.seconds, processor: pass.processor - head.processor };
    const whole = (of: 'seconds' | 'processor'): number =>
      BLOCKS * block[of] + (head[of] * VOCABULARY) / QWEN3_MOE.vocab_size;
    printFacts([
      ['room for experts', megabytes(memory)],
      ['tokens of an expert', `${Math.min(...routed)} to ${Math.max(...routed)} of ${tokens}`],
      ['a block', both(block)],
      ['a piece of the head', both(head)],
      [
        `score of ${BLOCKS} blocks`,
        `${minutes(whole('seconds'))}, ${minutes(whole('processor'))} of processors, with the loss of the original`,
      ],
      ['peak memory', megabytes(peakRssBytes())],
    ]);
    console.log();
  } finally {
    await model.close();
  }
}

/** Passes two variants through the block, whose experts are all open. */
async function sweeping(memory: number): Promise<void> {
  const model = await openModel(checkpoint, { device: 'cpu', threads, memory });
  try {
    const forward = new Forward(model, length);
    const open = await forward.open({ block: 0, attention: true, ffn: true }, true);
    const once = async (): Promise<Timed<unknown>> => {
      const state = await forward.embed(rows);
      const pass = await timed(() => open.runAll(state));
      releaseState(pass.result);
      return pass;
    };
    const first = await once();
    const next = await once();
    await open.close();
    noteRatio('time of a block of experts that is opened, against a further variant', first.seconds / next.seconds);
    const whole = (of: 'seconds' | 'processor'): string =>
      ((BLOCKS * (first[of] - next[of]) + SWEEP * next[of]) / 3600).toFixed(1);
    printFacts([
      ['room for experts', megabytes(memory)],
      ['a block, opened', both(first)],
      ['a further variant', both(next)],
      [
        `sweep of ${BLOCKS} blocks`,
        `${whole('seconds')} h, ${whole('processor')} h of processors, without losses; ${SWEEP} applications of a block`,
      ],
      ['peak memory', megabytes(peakRssBytes())],
    ]);
  } finally {
    await model.close();
  }
}

await scoring(Number(values.memory));
await sweeping(3e9);
