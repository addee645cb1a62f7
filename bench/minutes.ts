/**
 * What a time of healing and training brings back: LoRA, LoRA next to the cuts, and every weight, on text alone and with a teacher.
 *
 *   npm run bench -- minutes [--model PATH] [--remove 13-18] [--minutes 5,10] [--tokens 32768] [--batch 4]
 *                            [--arms lora+teacher,full+teacher,…] [--text FILE] [--state FILE]
 *
 * SmolLM2-135M-Instruct without six of its 30 blocks, unless another model is named. The original writes the text once, and the plan is
 * healed once, by `coppice heal`; each arm then is a run of `coppice retrain` from the healed weights. How long an arm takes is measured
 * by two short runs of it, all arms first: its number of steps is such that healing and training take the minutes at that pace, also
 * where the machine is busy later. Writing the text is not counted: it is said. A model is judged on the first 64 windows of WikiText-2,
 * whose rows were not fitted. With `--state`, what was measured is kept in a file and not repeated.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HEAL_DEFAULTS } from '../src/engine/heal/methods';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { wholeBlocks } from '../src/engine/importance/select';
import { parseRemoved } from '../src/engine/model/view';
import { inThisProcess } from '../src/jobs/run-spec';
import type { Jobs } from '../src/protocol/jobs';
import { shared } from '../test/support/shared';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

type Retraining = Partial<Jobs['retrain']['spec']>;

const METHODS = {
  lora: {},
  cuts: { where: 'cuts' },
  full: { full: true },
} as const satisfies Readonly<Record<string, Retraining>>;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    remove: { type: 'string', default: '13-18' },
    minutes: { type: 'string', default: '5,10' },
    tokens: { type: 'string', default: String(HEAL_DEFAULTS.tokens) },
    batch: { type: 'string', default: '4' },
    arms: { type: 'string', default: 'lora,lora+teacher,cuts+teacher,full,full+teacher' },
    text: { type: 'string' },
    state: { type: 'string' },
  },
});

interface Measured {
  readonly ppl: number;
  readonly kl: number;
  readonly steps?: number;
}
/** Seconds of an arm: for its start and end, and for a step. */
interface Pace {
  readonly once: number;
  readonly step: number;
}
interface State {
  heal?: { readonly seconds: number; readonly writing: number };
  paces: Record<string, Pace>;
  measured: Record<string, Measured>;
}

const state: State =
  values.state !== undefined && existsSync(values.state)
    ? (JSON.parse(readFileSync(values.state, 'utf8')) as State)
    : { paces: {}, measured: {} };
const keep = (): void => {
  if (values.state !== undefined) writeFileSync(values.state, `${JSON.stringify(state, null, 1)}\n`);
};

printMachine();
const model = modelOr(values.model);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-minutes-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const run = inThisProcess();
const { layers } = requireArchitecture(await openCheckpoint(model));
const remove = wholeBlocks(parseRemoved(values.remove, layers.length));
const patch = values.state === undefined ? join(folder, 'healed.safetensors') : `${values.state}.healed.safetensors`;
const text = values.text ?? shared('data/wikitext2/wiki.test.raw.hf-joined.txt');
const selfTokens = Number(values.tokens);
const length = HEAL_DEFAULTS.length;
const own = { data: ['self'], selfTokens, length, batch: Number(values.batch), heldOut: 0 };
let outputs = 0;

/** Perplexity and KL divergence from the original. */
async function judged(name: string, spec: Partial<Jobs['eval']['spec']>, more: Partial<Measured> = {}): Promise<void> {
  const { result } = await run<'eval'>({ kind: 'eval', checkpoint: model, against: model, text, limit: 64, ...spec });
  state.measured[name] = { ppl: result.ppl, kl: result.kl ?? 0, ...more };
  keep();
}

/** A training from the healed weights. @returns where its outcome is, and the seconds of its steps */
async function trained(arm: string, steps: number): Promise<{ readonly out: string; readonly seconds: number }> {
  const [method, taught] = arm.split('+');
  const out = join(folder, `out-${(outputs += 1)}`);
  const teacher = taught === undefined ? {} : { teacher: model, teacherWeight: 1 };
  const options = { ...own, ...METHODS[method as keyof typeof METHODS], ...teacher, steps, out, heal: patch };
  const start = performance.now();
  await run<'retrain'>({ kind: 'retrain', checkpoint: model, merge: method !== 'full', ...options });
  return { out, seconds: (performance.now() - start) / 1000 };
}

if (state.heal === undefined || !existsSync(patch)) {
  rmSync(patch, { force: true });
  const { result } = await run<'heal'>({
    ...{ kind: 'heal', checkpoint: model, remove, data: ['self'], tokens: selfTokens, length, patch },
  });
  const writing = result.writingSeconds ?? 0;
  state.heal = { seconds: result.seconds - writing, writing };
  keep();
}
const { seconds: healing, writing } = state.heal;
console.log(`healing ${healing.toFixed(0)} s; the text of ${selfTokens} tokens was written in ${writing.toFixed(0)} s`);
if (!state.measured.original) await judged('original', {});
if (!state.measured.plain) await judged('plain', { remove });
if (!state.measured.healed) await judged('healed', { heal: patch });
const { original } = state.measured;
const line = (name: string): void => {
  const { ppl, kl, steps } = state.measured[name];
  if (name !== 'original') noteRatio(`perplexity of ${name}, against the original`, ppl / original.ppl);
  console.log(
    `| ${name} | ${steps ?? '–'} | ${ppl.toFixed(2)} | ${(ppl / original.ppl).toFixed(3)} | ${kl.toFixed(4)} |`,
  );
};

/** Steps of the two short runs. */
const SHORT = [2, 6] as const;
const arms = values.arms.split(',');
for (const arm of arms) {
  if (!state.paces[arm]) {
    const [few, more] = [await trained(arm, SHORT[0]), await trained(arm, SHORT[1])];
    const step = (more.seconds - few.seconds) / (SHORT[1] - SHORT[0]);
    state.paces[arm] = { once: few.seconds - SHORT[0] * step, step };
    for (const { out } of [few, more]) rmSync(out, { recursive: true });
    keep();
  }
  const { once, step } = state.paces[arm];
  console.log(`${arm}: ${once.toFixed(1)} s and ${step.toFixed(2)} s a step`);
}

console.log('\n| | steps | perplexity | × original | KL divergence |\n| --- | --- | --- | --- | --- |');
for (const name of ['original', 'plain', 'healed']) line(name);
for (const minutes of values.minutes.split(',').map(Number)) {
  for (const arm of arms) {
    const name = `${arm}, ${minutes} min`;
    if (!state.measured[name]) {
      const { once, step } = state.paces[arm];
      const steps = Math.max(1, Math.floor((60 * minutes - healing - once) / step));
      const { out } = await trained(arm, steps);
      await judged(name, { checkpoint: out }, { steps });
      rmSync(out, { recursive: true });
    }
    line(name);
  }
}
