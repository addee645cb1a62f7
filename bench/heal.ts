/**
 * Closed-form healing: its seconds and memory against PyTorch doing the same, and the memory of a 7B-shaped block.
 *
 *   npm run bench -- heal [PART…] [--model PATH] [--remove 13-18 …] [--text FILE] [--tokens 8192] [--threads N] [--no-torch]
 *
 * Parts, both unless named. `speed`: SmolLM2-135M-Instruct loses 5, 12, 14, 16–18 and then 13–18, and all Linears from the first cut
 * on are refitted on the same rows, drawn from all of a book. PyTorch is the reference tool (golden/tools/heal.py beside
 * the repository, through peers/heal_torch.py), with products in float64, which is its default, and in float32; for a family with
 * norms behind these Linears, read from a GGUF file, it is golden/tools/heal_postnorm.py, which has one kind of products. The dense
 * stream counts as healing on both sides. `whole` adds what both need around it: opening the model, and measuring the
 * plain, the healed and the rounded model against the whole one; Coppice also writes the new weights.
 *
 * A model with norms behind its last Linears (Gemma 3 270M) loses 8, 9 and 15 unless others are named.
 *
 * `large`: the built command line heals three blocks of LLaMA-7B's shapes without the middle one: two down_proj and one
 * o_proj, over 4 rows of 128 tokens.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { denseOf } from '../src/engine/checkpoint/kinds/parts';
import { heal } from '../src/engine/heal/heal';
import { HEAL_DEFAULTS, refitRidge } from '../src/engine/heal/methods';
import type { TokenRows } from '../src/engine/model/forward';
import { openModel } from '../src/engine/model/model';
import { parseRemoved, viewWithout } from '../src/engine/model/view';
import { healingRows } from '../src/engine/retrain/data/healing-rows';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import type { HealResult } from '../src/jobs/results/heal';
import { hasShared, shared } from '../test/support/shared';
import { isSkipped, torchHealing, type TorchHealing, torchHealingBehindNorms } from './peers/peer';
import { buildProduct, type BuiltRun, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { megabytes, timed, times } from './support/numbers';
import { randomRowsFile } from './support/rows';
import { MODEL_OPTION, modelOr } from './support/subject';
import { fillWithRandom, LLAMA_7B, writeSyntheticCheckpoint } from './support/synthetic';
import { noteRatio } from './support/ratios';

const GOALS = { speed: 2, large: 4e9 };
const LENGTH = 128;
const LARGE = { ...LLAMA_7B, num_hidden_layers: 3 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    ...MODEL_OPTION,
    remove: { type: 'string', multiple: true },
    text: { type: 'string' },
    tokens: { type: 'string', default: '8192' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
const parts = { speed, large };
try {
  printMachine();
  buildProduct();
  for (const [name, part] of Object.entries(parts)) {
    if (positionals.length === 0 || positionals.includes(name)) await part();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function speed(): Promise<void> {
  const checkpoint = modelOr(values.model);
  const rows = await rowsOfText(checkpoint);
  const file = join(folder, 'rows.json');
  writeFileSync(file, JSON.stringify({ rows }));
  const { style } = requireArchitecture(await openCheckpoint(checkpoint));
  const usual = style.norms === 'before' ? ['5,12,14,16-18', '13-18'] : ['8,9,15'];
  for (const removed of values.remove ?? usual) await compare(checkpoint, removed, rows, file);
}

/** Rows from all of a text, so that both sides heal on what a user would. */
async function rowsOfText(checkpoint: string): Promise<TokenRows> {
  if (values.text === undefined && !hasShared) throw new Error('name a text: --text FILE');
  const text = values.text ?? shared('data/prose/sherlock.txt');
  const tokenizer = await loadTokenizer(checkpoint);
  const model = await openModel(await openCheckpoint(checkpoint), { device: 'cpu' });
  try {
    const settings = { data: [text], tokens: Number(values.tokens), length: LENGTH, seed: 1, heldOut: 0 };
    const source = { author: model, tokenizer, defaults: HEAL_DEFAULTS };
    return (await healingRows(settings, source, {})).fit;
  } finally {
    await model.close();
  }
}

async function compare(checkpoint: string, removed: string, rows: TokenRows, file: string): Promise<void> {
  const { layers, style } = requireArchitecture(await openCheckpoint(checkpoint));
  const isBehind = style.norms !== 'before';
  const parts = parseRemoved(removed, layers.length);
  const tokens = rows.length * rows[0].length;
  const ridge = isBehind ? HEAL_DEFAULTS.normRidge : refitRidge(denseOf(layers[0]).width, tokens);
  console.log(`\nwithout ${removed}: ${rows.length} rows of ${rows[0].length} tokens, ridge ${ridge.toFixed(2)}`);

  const healing = await healingSeconds(checkpoint, removed, rows, ridge);
  const whole = runBuilt(
    'heal',
    checkpoint,
    ...['--remove', removed, '--calibration', file, '--held-out', '0', '--ridge', String(ridge)],
    ...['--patch', join(folder, `${removed}.safetensors`)],
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
  );
  const { before, after, rounded } = whole.json.fit as HealResult['fit'];
  print('Coppice', healing, whole.seconds, whole.peakBytes);
  const kl = [before, after, rounded].map((stage) => Number(stage.kl));
  console.log(`  KL ${kl[0].toFixed(4)}, healed ${kl[1].toFixed(4)}, rounded ${kl[2].toFixed(4)}`);

  if (isBehind) {
    compareBehindNorms(checkpoint, file, parts, healing, whole);
    return;
  }
  for (const products of ['float64', 'float32'] as const) {
    const outcome = values.torch ? torch(checkpoint, file, parts, ridge, products) : { skipped: '--no-torch' };
    if (isSkipped(outcome)) {
      console.log(`PyTorch skipped: ${outcome.skipped}`);
      return;
    }
    const { dense, heal: own, seconds, peakBytes, healPeakBytes } = outcome;
    print(`PyTorch, products in ${products}`, dense + own, seconds, peakBytes, healPeakBytes);
    const goal = products === 'float64' ? ` (goal: ${times(GOALS.speed)})` : '';
    const apart = Math.max(
      ...([before, after, rounded] as const).map((stage, i) => {
        const { kl: other } = [outcome.before, outcome.after, outcome.rounded][i];
        return Math.abs(Number(stage.kl) - other);
      }),
    );
    noteRatio(
      `speed of healing without ${removed}, against PyTorch with products in ${products}`,
      (dense + own) / healing,
    );
    console.log(
      `  Coppice heals ${times((dense + own) / healing)} as fast${goal}, the whole ${times(seconds / whole.seconds)}, ` +
        `in ${times(whole.peakBytes / peakBytes)} the memory; KL differ by ${apart.toExponential(0)} at most`,
    );
  }
}

function compareBehindNorms(
  checkpoint: string,
  file: string,
  parts: ReturnType<typeof parseRemoved>,
  healing: number,
  whole: BuiltRun,
): void {
  const outcome = values.torch && hasShared ? torchBehindNorms(checkpoint, file, parts) : { skipped: '--no-torch' };
  if (isSkipped(outcome)) {
    console.log(`PyTorch skipped: ${outcome.skipped}`);
    return;
  }
  const { dense, heal: own, seconds, peakBytes, before, after } = outcome;
  print('PyTorch', dense + own, seconds, peakBytes);
  console.log(
    `  KL of the first rows ${before.kl.toFixed(4)}, healed ${after.kl.toFixed(4)}; ` +
      `Coppice heals ${times((dense + own) / healing)} as fast, in ${times(whole.peakBytes / peakBytes)} the memory`,
  );
}

function torchBehindNorms(
  checkpoint: string,
  file: string,
  parts: ReturnType<typeof parseRemoved>,
): ReturnType<typeof torchHealingBehindNorms> {
  const removed = parts.map(({ block }) => String(block));
  const options = ['--removed', ...removed, '--ridge', String(HEAL_DEFAULTS.normRidge)];
  if (threads !== undefined) options.push('--threads', String(threads));
  return torchHealingBehindNorms(shared('golden/tools/heal_postnorm.py'), checkpoint, file, ...options);
}

/** Seconds of fitting alone, of a model that is open. */
async function healingSeconds(checkpoint: string, removed: string, rows: TokenRows, ridge: number): Promise<number> {
  const model = await openModel(await openCheckpoint(checkpoint), { device: 'cpu', threads });
  try {
    const blocks = model.architecture.layers.length;
    const view = viewWithout(blocks, parseRemoved(removed, blocks));
    const { seconds } = await timed(() => heal(model, view, rows, { method: 'refit', ridge, measure: false }));
    return seconds;
  } finally {
    await model.close();
  }
}

function torch(
  checkpoint: string,
  file: string,
  parts: ReturnType<typeof parseRemoved>,
  ridge: number,
  products: 'float64' | 'float32',
): TorchHealing | { skipped: string } {
  if (!hasShared) return { skipped: 'the reference material is not there' };
  const removed = parts.map(({ block }) => String(block));
  const options = ['--removed', ...removed, '--ridge', String(ridge), '--products', products];
  if (threads !== undefined) options.push('--threads', String(threads));
  return torchHealing(shared('golden/tools/heal.py'), checkpoint, file, ...options);
}

function print(name: string, healing: number, whole: number, peakBytes: number, healPeakBytes?: number): void {
  const own = healPeakBytes === undefined ? '' : ` (${megabytes(healPeakBytes)} before measuring)`;
  console.log(
    `${name.padEnd(28)}  healing ${healing.toFixed(1)} s, whole ${whole.toFixed(1)} s, peak ${megabytes(peakBytes)}${own}`,
  );
}

function large(): void {
  const checkpoint = join(folder, '7b');
  mkdirSync(checkpoint);
  const bytes = writeSyntheticCheckpoint(checkpoint, LARGE);
  fillWithRandom(checkpoint); // of zeros there is nothing to fit
  const rows = randomRowsFile(folder, 4, LENGTH, LARGE.vocab_size);
  const patch = join(folder, '7b.safetensors');
  const { json, peakBytes, seconds } = runBuilt(
    'heal',
    checkpoint,
    ...['--remove', '1', '--calibration', rows, '--held-out', '0', '--patch', patch],
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
  );
  const { before, after } = json.fit as HealResult['fit'];
  if (!(Number(after.kl) < Number(before.kl))) throw new Error(`KL ${before.kl} before, ${after.kl} after`);
  console.log(
    `\n7B-shaped, 2 of 3 blocks   peak ${megabytes(peakBytes)} in ${seconds.toFixed(0)} s ` +
      `(${(bytes / 1e9).toFixed(1)} GB in BF16, 512 tokens; KL ${Number(before.kl).toFixed(3)} → ${Number(after.kl).toFixed(3)}; ` +
      `goal: ${megabytes(GOALS.large)})`,
  );
}
