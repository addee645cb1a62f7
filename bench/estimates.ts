/**
 * Estimated against measured time of every job. Each job runs twice in a row, in a process of its own: before it ran once, its time follows
 * from the first measurement of the machine; before the second run, which has other amounts, from what has run so far. Peaks
 * of memory stand beside what was estimated. Goal: within a factor of 1.5 after one run.
 *
 *     npm run bench -- estimates [--model PATH] [--only score,heal]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type AskedJob, timeOf } from '../src/estimates/job';
import { finishedOf, learnFrom } from '../src/estimates/learn';
import { MachineSpeeds, type Time } from '../src/estimates/machine';
import { machineMemory, memoryOf } from '../src/estimates/memory';
import { openSpeeds } from '../src/estimates/measure-rates';
import { openModels } from '../src/estimates/models';
import type { JsonObject } from '../src/format/json';
import { argvOf } from '../src/jobs/argv';
import { JOBS } from '../src/jobs/definitions';
import { inThisProcess } from '../src/jobs/run-spec';
import type { JobSpec } from '../src/protocol/jobs';
import { shared } from '../test/support/shared';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

const { values } = parseArgs({ options: { ...MODEL_OPTION, only: { type: 'string' } } });
const model = modelOr(values.model);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-estimates-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.env.COPPICE_CACHE = join(folder, 'cache');

const calibration = shared('data/prose/sherlock.txt');
const text = calibration;
/** For training, whose held-out tenth is read before and after. */
const pages = join(folder, 'pages.txt');
writeFileSync(pages, readFileSync(text, 'utf8').slice(0, 60_000));
const own = [join(import.meta.dirname, '../media/sample/stories.coppice-tasks.json')];
const columns = [
  { label: 'whole', checkpoint: model },
  { label: 'shorter', checkpoint: model, remove: [6, 7] },
];
const remove = [6, 7, 8];
let outputs = 0;
const out = (): string => join(folder, `out-${(outputs += 1)}`);
const exported = join(folder, 'exported.gguf');
const adapter = (): string => join(folder, 'adapter');

/** A job, and what is different the second time. */
type Planned = readonly [kind: AskedJob['kind'], options: () => JsonObject, then: JsonObject];

/** In an order that has what a job needs before it. */
const JOBS_OF_BENCH: Readonly<Record<string, Planned>> = {
  magnitude: ['score', () => ({ criterion: 'magnitude' }), {}],
  score: ['score', () => ({ calibration, samples: 4 }), { samples: 8 }],
  'score kl': ['score', () => ({ calibration, criterion: 'kl', samples: 4 }), { samples: 8 }],
  'score taylor': ['score', () => ({ calibration, criterion: 'taylor', samples: 4 }), { samples: 10 }],
  'score greedy': ['score', () => ({ calibration, criterion: 'greedy', samples: 2, count: 2 }), { count: 4 }],
  eval: ['eval', () => ({ text, limit: 40 }), { limit: 100, remove }],
  'eval repetition': ['eval', () => ({ text, limit: 10, repetition: 4 }), { repetition: 8 }],
  curve: ['curve', () => ({ calibration, samples: 4, most: 3 }), { most: 6 }],
  heal: ['heal', () => ({ data: [text], remove, tokens: 4096, out: out() }), { tokens: 8192 }],
  'heal self': ['heal', () => ({ data: ['self'], remove, tokens: 1024 }), { tokens: 2048, seed: 7 }],
  prune: ['prune', () => ({ blocks: remove, out: out() }), { blocks: [6, 7] }],
  'prune scored': [
    'prune',
    () => ({ calibration, criterion: 'ppl', samples: 4, count: 3, out: out() }),
    { samples: 8 },
  ],
  retrain: [
    'retrain',
    () => ({ data: [pages], remove, heal: 'none', steps: 4, batch: 4, out: adapter() }),
    { steps: 10, out: join(folder, 'again') },
  ],
  'retrain full': [
    'retrain',
    () => ({ data: [pages], remove, heal: 'none', steps: 2, batch: 4, full: true, out: out() }),
    { steps: 6 },
  ],
  merge: ['merge', () => ({ adapter: adapter(), out: out() }), {}],
  'iterate none': [
    'iterate',
    () => ({ calibration: pages, samples: 4, count: 2, method: 'none', out: out() }),
    { count: 4 },
  ],
  iterate: [
    'iterate',
    () => ({ calibration: pages, samples: 4, count: 2, steps: 2, batch: 4, out: out() }),
    { count: 3, steps: 4 },
  ],
  'iterate refit': [
    'iterate',
    () => ({ calibration: pages, samples: 4, count: 2, method: 'refit', tokens: 2048, out: out() }),
    { count: 3 },
  ],
  width: ['width', () => ({ calibration, method: 'flap', ratio: 0.2, out: out() }), { samples: 20 }],
  versus: ['versus', () => ({ calibration, samples: 4, counts: [3], newTokens: 16 }), { counts: [3, 6] }],
  tasks: ['tasks', () => ({ own, limit: 20 }), { limit: 60 }],
  generate: ['generate', () => ({ prompt: 'The sea', maxNewTokens: 40 }), { maxNewTokens: 120 }],
  samples: ['samples', () => ({ prompts: ['The sea', 'Once'], maxNewTokens: 40 }), { maxNewTokens: 80 }],
  bench: ['bench', () => ({ newTokens: 32 }), { newTokens: 96 }],
  speeds: ['speeds', () => ({ newTokens: 16 }), { newTokens: 48 }],
  grid: ['grid', () => ({ batch: [1, 8], newTokens: [32], runs: 1 }), { batch: [1, 4, 16], newTokens: [64] }],
  export: ['export', () => ({ type: ['q8_0'], out: exported }), { type: ['f16'], out: join(folder, 'again.gguf') }],
  'export onnx': ['export', () => ({ format: 'onnx', out: out() }), { type: ['q8'] }],
  verify: ['verify', () => ({ output: exported, against: model }), {}],
};

/** The options with their model. */
function askedOf([kind, options, then]: Planned, again: boolean): AskedJob {
  const known = JOBS[kind].options;
  const several = 'columns' in known && !('checkpoints' in known) ? { columns } : {};
  const one = 'checkpoint' in known ? { checkpoint: model } : 'checkpoints' in known ? { checkpoints: [model] } : {};
  return { kind, options: { ...one, ...several, ...options(), ...(again && then) } };
}

interface Ran {
  readonly seconds: number;
  readonly peakBytes?: number;
}

/** Runs a job as the terminal does, which learns from it. */
async function run({ kind, options }: AskedJob): Promise<Ran> {
  if (kind !== 'samples' && kind !== 'speeds') {
    const { seconds, peakBytes } = runBuilt(kind, ...argvOf(JOBS[kind], options).slice(1));
    return { seconds, peakBytes };
  }
  const spec = { kind, ...options } as unknown as JobSpec;
  const start = performance.now();
  const outcome = await inThisProcess()(spec);
  const seconds = (performance.now() - start) / 1000;
  await learnFrom(await MachineSpeeds.open(), finishedOf(spec, outcome, seconds));
  return { seconds };
}

const factor = (time: Time | undefined, { seconds }: Ran): string =>
  time
    ? `${time.seconds.toFixed(1).padStart(8)} ${seconds.toFixed(1).padStart(8)} ${(time.seconds / seconds).toFixed(2).padStart(6)}`
    : 'not known'.padStart(24);

buildProduct();
printMachine();
const chosen = values.only?.split(',');
const jobs = Object.entries(JOBS_OF_BENCH).filter(([name]) => chosen?.includes(name) ?? true);
const start = performance.now();
await openSpeeds();
console.log(
  `first measurement: ${((performance.now() - start) / 1000).toFixed(1)} s`,
  (await MachineSpeeds.open()).rates(),
);
const guesses = await MachineSpeeds.open();
console.log(
  `${''.padEnd(16)} ${'guessed'.padStart(8)} ${'took'.padStart(8)} factor ${'learned'.padStart(8)} ${'took'.padStart(8)} factor   memory     peak`,
);
let within = 0;
for (const [name, job] of jobs) {
  const [asked, again] = [askedOf(job, false), askedOf(job, true)];
  const guess = timeOf(asked, await openModels(asked.options), guesses);
  const before = factor(guess, await run(asked));
  // At once: the speed of a shared machine changes by more in an hour than an estimate may be wrong.
  const models = await openModels(again.options);
  const time = timeOf(again, models, await MachineSpeeds.open());
  const bytes = memoryOf(again, models, machineMemory());
  const ran = await run(again);
  const ratio = time ? time.seconds / ran.seconds : NaN;
  if (ratio < 1.5 && ratio > 1 / 1.5) within += 1;
  if (Number.isFinite(ratio)) noteRatio(`estimated time of ${name}, against the measured time`, ratio);
  const memory = [bytes, ran.peakBytes].map((each) =>
    (each === undefined ? '' : `${Math.round(each / 1e6)} MB`).padStart(8),
  );
  console.log(`${name.padEnd(16)} ${before} ${factor(time, ran)} ${memory.join(' ')}`);
}
console.log(`${within} of ${jobs.length} within a factor of 1.5`);
