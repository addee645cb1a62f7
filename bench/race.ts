/**
 * Races: which rows need not be read, whether the least important blocks are those of all rows, and what that saves.
 *
 *   npm run bench -- race [--model PATH] [--text FILE] [--seeds 20] [--samples 10] [--length 128] [--precision float32|int8]
 *                         [--confidence 0.999] [--state FILE] [--rounds 6] [--timed] [--threads N]
 *
 * For each seed, all blocks are measured on all rows of that draw, by loss and by KL divergence. Races for the one, three and six least
 * important blocks are then run over these numbers, so it is known what they missed. The share of the work counts the blocks and heads
 * that a race passes. With `--timed`, one draw is also scored with and without a race (one, three and `--rounds` blocks by loss, so many by KL
 * divergence, and so many rounds of greedy), in turns.
 * With `--state`, seeds that were measured before are taken from that file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { loadCalibration } from '../src/engine/importance/calibration';
import { comparisonSweepWork, sweepWork } from '../src/engine/importance/cost';
import { Racer } from '../src/engine/importance/raced-sweep';
import { type Options, runCriterion } from '../src/engine/importance/run-criterion';
import { rankBlocks } from '../src/engine/importance/select';
import { DIVERGENCES, LOSSES, type SweepMeasure } from '../src/engine/importance/sweep-measure';
import { type Model, openModel } from '../src/engine/model/model';
import { fullView, stepsOf } from '../src/engine/model/view';
import type { TokenRows } from '../src/engine/model/forward';
import { optionalTokenizer } from '../src/engine/tokenizer/optional';
import { inSpreadRowInt8 } from '../src/engine/weights/row-int8';
import { printMachine } from './support/machine';
import { percent, printFacts, timed } from './support/numbers';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    text: { type: 'string' },
    seeds: { type: 'string', default: '20' },
    samples: { type: 'string', default: '10' },
    length: { type: 'string', default: '128' },
    precision: { type: 'string', default: 'float32' },
    confidence: { type: 'string', default: '0.999' },
    state: { type: 'string' },
    rounds: { type: 'string', default: '6' },
    timed: { type: 'boolean', default: false },
    threads: { type: 'string' },
  },
});

const path = modelOr(values.model);
const text = values.text ?? join(resolve(import.meta.dirname, '..'), 'media/sample/calibration.txt');
const drawing = { samples: Number(values.samples), length: Number(values.length) };
const confidence = Number(values.confidence);
const threads = values.threads === undefined ? undefined : Number(values.threads);
const checkpoint = await openCheckpoint(path);
const architecture = requireArchitecture(checkpoint);
const steps = stepsOf(fullView(architecture.layers.length));
const candidates = [...steps.keys()];
const perRow = drawing.length - 1;

/** Numbers of the model and without each block, at every position. */
interface Measured {
  readonly nll: number[][];
  readonly kl: number[][];
}

const known = (
  values.state !== undefined && existsSync(values.state) ? JSON.parse(readFileSync(values.state, 'utf8')) : {}
) as Record<string, Measured>;

printMachine();
const model = await openModel(checkpoint, { device: 'cpu', threads });
try {
  const weights = values.precision === 'int8' ? await inSpreadRowInt8(model.weights, threads) : undefined;
  const subject = weights ? model.beside(weights) : model;
  const found: Outcome[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const key = `${path} ${text} ${values.precision} ${drawing.samples}×${drawing.length} ${seed}`;
    known[key] ??= await measure(subject, await rowsOf(seed));
    if (values.state !== undefined) writeFileSync(values.state, JSON.stringify(known));
    for (const wanted of [1, 3, 6]) {
      found.push(await replay('loss', wanted, seed, known[key]), await replay('KL', wanted, seed, known[key]));
    }
  }
  report(found);
} finally {
  await model.close();
}
if (values.timed) await race();

async function rowsOf(seed: number): Promise<TokenRows> {
  const tokenizer = await optionalTokenizer(checkpoint.home, {});
  const { vocabulary, bosTokenId } = architecture;
  return (await loadCalibration(text, { ...drawing, seed, vocabulary, bosTokenId }, tokenizer)).rows;
}

async function measure(subject: Model, rows: TokenRows): Promise<Measured> {
  const { full, without } = await DIVERGENCES.sweep(subject, 'full', rows, steps, candidates, {});
  const all = [full, ...without];
  return {
    nll: all.map(({ losses }) => Array.from(losses)),
    kl: all.map(({ divergences }) => Array.from(divergences)),
  };
}

interface Outcome {
  readonly measure: 'loss' | 'KL';
  readonly wanted: number;
  readonly seed: number;
  /** Of the passes through blocks and heads. */
  readonly work: number;
  readonly missed: number;
  readonly dropped: number;
}

/** A race over numbers that are known. */
async function replay(name: 'loss' | 'KL', wanted: number, seed: number, { nll, kl }: Measured): Promise<Outcome> {
  const numbers = (name === 'loss' ? nll : kl).map((each) => Float64Array.from(each));
  const rows = Array.from({ length: drawing.samples }, (_, row) => Array<number>(drawing.length).fill(row));
  const cost = name === 'loss' ? sweepWork : comparisonSweepWork;
  let work = 0;
  const measureOf: SweepMeasure<Float64Array> = {
    ...LOSSES,
    decides: name === 'loss' ? 'nll' : 'kl',
    sweep: (_model, _teacher, some, _steps, those) => {
      const from = some[0][0] * perRow;
      const part = (all: Float64Array): Float64Array => all.subarray(from, from + some.length * perRow);
      work += some.length * cost(architecture, steps.length, those);
      return Promise.resolve({ full: part(numbers[0]), without: those.map((k) => part(numbers[k + 1])) });
    },
  };
  const racer = new Racer({ measure: measureOf, model, teacher: 'full', rows, race: { confidence } });
  const { out = new Map<number, never>() } = await racer.sweep(steps, candidates, { wanted }, {});
  const mean = (each: Float64Array): number => each.reduce((sum, value) => sum + value, 0) / each.length;
  const least = rankBlocks(numbers.slice(1).map(mean)).slice(0, wanted);
  return {
    measure: name,
    wanted,
    seed,
    work: work / (drawing.samples * cost(architecture, steps.length, candidates)),
    missed: least.filter((k) => out.has(k)).length,
    dropped: out.size,
  };
}

function report(found: readonly Outcome[]): void {
  printFacts([
    ['model', path],
    ['text', `${text}, ${drawing.samples} × ${drawing.length} tokens, ${values.seeds} draws, ${values.precision}`],
    ['confidence', String(confidence)],
  ]);
  console.log(
    '| decides | wanted | work of a sweep over all rows | blocks that drop out | draws with another choice |',
  );
  console.log(
    '| ------- | ------ | ----------------------------- | -------------------- | ------------------------- |',
  );
  for (const name of ['loss', 'KL'] as const) {
    for (const wanted of [1, 3, 6]) {
      const those = found.filter((each) => each.measure === name && each.wanted === wanted);
      const mean = (of: (each: Outcome) => number): number =>
        those.reduce((sum, each) => sum + of(each), 0) / those.length;
      const wrong = those.filter(({ missed }) => missed > 0).length;
      const worst = Math.max(...those.map(({ work }) => work));
      noteRatio(
        `work of a race for ${wanted} by ${name}, against all rows`,
        mean(({ work }) => work),
        {
          text: basename(text),
          precision: values.precision,
        },
      );
      console.log(
        `| ${name} | ${wanted} | ${percent(mean(({ work }) => work))} (at most ${percent(worst)}) | ${mean(({ dropped }) => dropped).toFixed(1)} of ${candidates.length} | ${wrong} of ${those.length} |`,
      );
    }
  }
}

/** One draw, from the files to the choice. */
async function race(): Promise<void> {
  const options: Options = {
    calibration: text,
    seed: 1,
    norm: 'l1',
    reduction: 'sum',
    ...drawing,
    threads,
    device: 'cpu',
  };
  const all = Number(values.rounds);
  const tasks = [
    ...[1, 3, all].map((count) => ({ criterion: 'ppl', count }) as const),
    { criterion: 'kl', count: all },
    { criterion: 'greedy', count: all },
  ] as const;
  for (const { criterion, count } of tasks) {
    const ways: { name: string; seconds: number; chosen: string }[] = [];
    for (const turn of [0, 1]) {
      for (const raced of turn === 0 ? [false, true] : [true, false]) {
        const objective = criterion === 'greedy' ? 'kl' : undefined;
        // Where a confidence is given, there is a race however little it saves.
        const settings: Options = { ...options, objective, precision: 'auto', race: raced, confidence };
        const scope = { count, exact: count, isExactAsked: criterion !== 'greedy' };
        let chosen = '';
        const { seconds } = await timed(async () => {
          const { result } = await runCriterion(checkpoint, criterion, settings, {}, scope);
          const blocks = result.removals?.map(({ block }) => block) ?? (result.order as number[]).slice(0, count);
          chosen = blocks.join(', ');
        });
        ways.push({ name: raced ? 'race' : 'all rows', seconds, chosen });
      }
    }
    const least = (name: string): number =>
      Math.min(...ways.filter((way) => way.name === name).map((way) => way.seconds));
    for (const { name, seconds, chosen } of ways)
      console.log(`${count} by ${criterion}, ${name}: ${seconds.toFixed(1)} s: ${chosen}`);
    const ratio = least('all rows') / least('race');
    console.log(`${count} by ${criterion}: all rows take ${ratio.toFixed(2)} times as long as a race`);
    noteRatio(`speed of a race for ${count} by ${criterion}, against all rows`, ratio, { text: basename(text) });
  }
}
