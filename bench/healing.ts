/**
 * Healing: what retraining brings back of the perplexity that pruning costs, and the seconds that it takes.
 *
 *   npm run bench -- healing [WAY…] [--checkpoint FOLDER] [--remove 5,12,14,16-18] [--data FILE] [--text FILE]
 *                            [--steps 100] [--batch 16] [--length 128] [--self-tokens 50000] [--lr RATE]
 *
 * SmolLM2-135M loses six of its 30 blocks, those whose removal costs the least perplexity on prose, and is retrained with
 * the adapters that are the default. Ways, all unless named: `instructions` (Alpaca), `teacher` (the same, half of the
 * loss towards the whole model's distribution), `self` (text that the whole model writes). Perplexity is that of the first
 * 64 windows of WikiText-2, of which no way has seen anything. Seconds are those of the whole command.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasShared, shared } from '../test/support/shared';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { percent } from './support/numbers';
import { checkpointOr } from './support/subject';

const GOAL = 0.25;
const WINDOWS = 64;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    checkpoint: { type: 'string' },
    remove: { type: 'string', default: '5,12,14,16-18' },
    data: { type: 'string' },
    text: { type: 'string' },
    steps: { type: 'string', default: '100' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '128' },
    'self-tokens': { type: 'string', default: '50000' },
    lr: { type: 'string' },
  },
});
const checkpoint = checkpointOr(values.checkpoint);
const data = values.data ?? beside('data/instruct/llamafactory.alpaca_en_demo.json', '--data');
const text = values.text ?? beside('data/wikitext2/wiki.test.raw.hf-joined.txt', '--text');
const remove = ['--remove', values.remove];

const WAYS: Readonly<Record<string, readonly string[]>> = {
  instructions: ['--data', data],
  teacher: ['--data', data, '--teacher', checkpoint],
  self: ['--data', 'self', '--self-tokens', values['self-tokens']],
};
const unknown = positionals.find((way) => !(way in WAYS));
if (unknown !== undefined) throw new Error(`there is no way ${unknown}; there are ${Object.keys(WAYS).join(', ')}`);

const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
try {
  printMachine();
  buildProduct();
  const [whole, pruned] = [perplexity(), perplexity(...remove)];
  console.log(`whole ${whole.toFixed(2)}, without ${values.remove} ${pruned.toFixed(2)}`);
  for (const [way, from] of Object.entries(WAYS)) {
    if (positionals.length > 0 && !positionals.includes(way)) continue;
    const out = join(folder, way);
    const schedule = ['--steps', values.steps, '--batch', values.batch, '--length', values.length];
    if (values.lr !== undefined) schedule.push('--lr', values.lr);
    const { seconds, json } = runBuilt('retrain', checkpoint, ...remove, ...from, ...schedule, '--out', out);
    const healed = perplexity('--adapter', out);
    const down = 1 - healed / pruned;
    console.log(
      `${way.padEnd(12)}  ${healed.toFixed(2)} after ${json.steps as number} steps in ${seconds.toFixed(0)} s: ` +
        `${percent(down)} less (goal: ${percent(GOAL)}), ${percent((pruned - healed) / (pruned - whole))} of the loss brought back`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function perplexity(...options: readonly string[]): number {
  const { json } = runBuilt('eval', checkpoint, '--text', text, '--limit', String(WINDOWS), ...options);
  return json.ppl as number;
}

/** A file of the reference material. @throws Error when it is not there */
function beside(file: string, option: string): string {
  if (hasShared) return shared(file);
  throw new Error(`name a file: npm run bench -- healing --checkpoint FOLDER ${option} FILE`);
}
