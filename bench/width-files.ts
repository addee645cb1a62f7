/**
 * Width files: whether stock transformers computes the same with checkpoints that Coppice pruned in width, and refuses the ragged one.
 *
 *   npm run bench -- width-files
 *
 * Tiny seeded models lose attention heads and neurons, chosen by number, and get biases where FLAP gives them. Each is
 * written, opened again by Coppice, and loaded by peers/load_width.py: all logits of two rows, and greedy ids. The exit
 * code is 1 if one differs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { fullWidth, type LayerBiases, narrowCheckpoint } from '../src/engine/checkpoint/width';
import { generate } from '../src/engine/evaluate/generate';
import { Decoder } from '../src/engine/model/decoder';
import { type Model, openModel } from '../src/engine/model/model';
import { fullView } from '../src/engine/model/view';
import { Random } from '../src/engine/random';
import { writeWidth } from '../src/engine/write/width';
import { type TinyName, writeTinyCheckpoint } from '../test/support/tiny-models';
import { isSkipped, torchLoadWidth } from './peers/peer';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { randomRows } from './support/rows';

/** Largest difference of a logit. */
const LIMIT = 1e-3;
const ROW = 24;
const PROMPT = 8;
const NEW = 16;

interface Case {
  readonly toy: TinyName;
  readonly kvHeads?: number;
  /** Groups that every block keeps; in a ragged model the first block keeps all. */
  readonly groups: number;
  readonly biases?: true;
  readonly ragged?: true;
  readonly config?: Readonly<Record<string, unknown>>;
}

const CASES: readonly Case[] = [
  { toy: 'llama-plain', groups: 4 },
  { toy: 'llama-plain', groups: 5 },
  { toy: 'llama-plain', groups: 4, biases: true },
  { toy: 'llama-plain', groups: 5, biases: true },
  { toy: 'llama-bias', groups: 4, biases: true },
  { toy: 'llama-bias', groups: 5 },
  { toy: 'llama-gqa-tied', kvHeads: 4, groups: 3, biases: true },
  { toy: 'llama3-rope', kvHeads: 4, groups: 3 },
  { toy: 'llama3-rope', kvHeads: 4, groups: 3, biases: true },
  { toy: 'llama-linear-rope', kvHeads: 4, groups: 3 },
  { toy: 'llama-rope-parameters', kvHeads: 4, groups: 3 },
  { toy: 'llama-wide-heads', kvHeads: 4, groups: 3 },
  { toy: 'mistral-window', kvHeads: 4, groups: 3 },
  { toy: 'mistral-window', kvHeads: 4, groups: 2, biases: true, config: { sliding_window: null } },
  { toy: 'qwen2-mixed-windows', kvHeads: 4, groups: 3 },
  { toy: 'qwen2-layer-types', kvHeads: 4, groups: 2 },
  { toy: 'qwen2-mixed-windows', kvHeads: 4, groups: 2, biases: true, config: { use_sliding_window: false } },
  { toy: 'qwen2-mixed-windows', kvHeads: 4, groups: 3, biases: true, config: { use_sliding_window: false } },
  { toy: 'qwen3-qknorm', kvHeads: 4, groups: 3 },
  { toy: 'qwen3-qknorm', kvHeads: 4, groups: 3, biases: true },
  { toy: 'mistral-window', kvHeads: 4, groups: 3, biases: true },
  { toy: 'llama-plain', groups: 4, ragged: true },
];

const HEADS = 8;
const NEURONS = 70;

/** Writes the narrower model of a case. @returns which class should run it, and its folder */
async function writeCase(each: Case, folder: string): Promise<{ readonly out: string; readonly runs: string | null }> {
  const { toy, kvHeads = HEADS, groups, biases, ragged, config } = each;
  const source = join(folder, 'source');
  mkdirSync(source, { recursive: true });
  const heads = { num_attention_heads: HEADS, num_key_value_heads: kvHeads };
  writeTinyCheckpoint(source, toy, { config: { ...heads, ...config } });
  const checkpoint = await openCheckpoint(source);
  const architecture = requireArchitecture(checkpoint);
  const random = new Random(7);
  const some = (all: readonly number[], count: number): number[] => {
    const left = [...all];
    while (left.length > count) left.splice(random.below(left.length), 1);
    return left;
  };
  const vector = (): Float32Array => Float32Array.from({ length: architecture.hidden }, () => random.uniform() - 0.5);
  const kept = fullWidth(architecture).layers.map((layer, i) =>
    ragged && i === 0 ? layer : { groups: some(layer.groups, groups), neurons: some(layer.neurons, NEURONS) },
  );
  const added = biases && kept.map((): LayerBiases => ({ o: vector(), down: vector() }));
  const narrow = narrowCheckpoint(checkpoint, { layers: kept, ...(added && { biases: added }) });
  return writeWidth(narrow, join(folder, 'out'), { facts: { method: 'by number' } });
}

/** What Coppice computes with the written model. */
async function expectedOf(model: Model, rows: readonly (readonly number[])[]): Promise<object> {
  const logits: number[][][] = [];
  for (const row of rows) {
    const decoder = await Decoder.open(model, fullView(model.architecture.layers.length), row.length);
    const each: number[][] = [];
    for (const id of row) each.push([...(await decoder.append([id]))]);
    await decoder.close();
    logits.push(each);
  }
  const prompt = rows[0].slice(0, PROMPT);
  const { ids } = await generate(model, prompt, { maxNewTokens: NEW, greedy: true, ignoreEos: true });
  return { rows, logits, prompt, greedy: ids };
}

const root = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
try {
  printMachine();
  let failed = 0;
  for (const [i, each] of CASES.entries()) {
    const folder = join(root, String(i));
    const { out, runs } = await writeCase(each, folder);
    const model = await openModel(await openCheckpoint(out), { device: 'cpu' });
    const file = join(folder, 'expected.json');
    writeFileSync(file, JSON.stringify(await expectedOf(model, randomRows(2, ROW, model.architecture.vocabulary))));
    await model.close();
    const loaded = torchLoadWidth(out, file);
    if (isSkipped(loaded)) {
      console.log(`skipped: ${loaded.skipped}`);
      break;
    }
    if (i === 0) console.log(`transformers ${loaded.machine.transformers}, torch ${loaded.machine.torch}\n`);
    const what = `${each.toy}, ${each.groups} of ${each.kvHeads ?? HEADS} groups${each.biases ? ', biases' : ''}${each.ragged ? ', ragged' : ''}`;
    const { text, right } = verdict(loaded, runs);
    if (!right) failed++;
    else if (loaded.logits !== undefined)
      noteRatio(`logits of transformers, against the tolerance: ${what}`, loaded.logits / LIMIT);
    console.log(`${right ? 'ok  ' : 'FAIL'}  ${what.padEnd(48)} ${text}`);
  }
  if (failed > 0) process.exitCode = 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

function verdict(
  loaded: Exclude<ReturnType<typeof torchLoadWidth>, { readonly skipped: string }>,
  runs: string | null,
): { readonly text: string; readonly right: boolean } {
  if (loaded.refused) {
    const { AutoConfig: config, AutoModelForCausalLM: model } = loaded.refused;
    const right = runs === null && config !== null && model !== null;
    return { right, text: `refused: ${(config ?? model ?? '').slice(0, 90)}` };
  }
  const misfits = [...loaded.missing, ...loaded.unexpected, ...loaded.mismatched];
  const same = loaded.logits! < LIMIT && loaded.greedy === true && misfits.length === 0;
  const text = `${loaded.class}, logits within ${loaded.logits!.toExponential(1)}, greedy ids ${loaded.greedy ? 'equal' : 'DIFFER'}${misfits.length > 0 ? `, misfits ${misfits.join(' ')}` : ''}`;
  return { right: same && loaded.class === runs, text };
}
