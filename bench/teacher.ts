/**
 * Distillation: a step with a teacher that is asked in every step, asked once, and none at all; and how far the second is from the first.
 *
 *   npm run bench -- teacher [--model PATH] [--remove 13-18] [--rows ROWS.json] [--rounds 5] [--threads N]
 *
 * The subject loses a fifth of its blocks, in its middle unless they are named, and gets adapters of rank 8. A pass is forward and
 * backward over the rows, which are text, in the micro-batches of `coppice retrain`. All kinds take turns; medians of the rounds are
 * compared. The loss is the divergence alone.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { linearNames } from '../src/engine/checkpoint/architecture';
import { median } from '../src/engine/median';
import { type Model, openModel } from '../src/engine/model/model';
import { shiftedTargets } from '../src/engine/model/targets';
import { fullView, parseRemoved, viewWithout } from '../src/engine/model/view';
import { initialAdapters, loraModel } from '../src/engine/retrain/lora/lora-model';
import { Backprop } from '../src/engine/retrain/loop/backprop';
import type { Batch } from '../src/engine/retrain/loop/batch';
import type { GradientSums } from '../src/engine/retrain/loop/gradient-sums';
import { KeptTeacher } from '../src/engine/retrain/teacher/kept-teacher';
import { type Taught, Teacher } from '../src/engine/retrain/teacher/teacher';
import { printMachine } from './support/machine';
import { printFacts, timed, times } from './support/numbers';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';
import { noteRatio } from './support/ratios';

const RANK = 8;
const REMOVED = 0.2;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    remove: { type: 'string' },
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
printMachine();
const path = modelOr(values.model);
const rowsFile = await rowsFileOr(values.rows, values.model);
const model = await openModel(await openCheckpoint(path), { device: 'cpu', threads });
try {
  await measure(model);
} finally {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(subject: Model): Promise<void> {
  const blocks = subject.architecture.layers.length;
  const count = Math.round(REMOVED * blocks);
  const middle = Math.floor((blocks - count) / 2);
  const removed = values.remove
    ? parseRemoved(values.remove, blocks)
    : Array.from({ length: count }, (_, i) => ({ block: middle + i }));
  const { rows } = JSON.parse(readFileSync(rowsFile, 'utf8')) as { rows: number[][] };
  const batchOf = (some: number[][]): Batch => ({ rows: some, targets: some.map((row) => shiftedTargets([row])) });
  const batch = batchOf(rows);
  const view = viewWithout(blocks, removed);
  const shape = { rank: RANK, alpha: 2 * RANK, targets: linearNames(subject.architecture), dropout: false };
  const parameters = initialAdapters(subject, view, shape, 1);
  const tokens = rows.length * rows[0].length;
  console.log(
    `without ${removed.map(({ block }) => block).join(', ')}; ${rows.length} rows of ${rows[0].length} tokens\n`,
  );

  const asked = (): Promise<Teacher> =>
    Teacher.open(subject, fullView(blocks), { weight: 1, student: subject, headFrozen: true });
  const open = async (teacher?: Taught): Promise<Backprop> =>
    Backprop.create(subject, loraModel(subject, view, shape, parameters), { teacher, longest: rows[0].length });
  const once = await KeptTeacher.open(await asked(), { model: subject, headFrozen: true }, join(folder, 'said'));
  const passes = {
    'without a teacher': await open(),
    'asked in every pass': await open(await asked()),
    'asked once': await open(once),
  };
  for (const pass of Object.values(passes)) await pass.gradients(batch); // opens the sessions
  const first: number[] = [];
  const found = new Map<string, number[]>(Object.keys(passes).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, pass] of Object.entries(passes)) {
      found.get(name)!.push((await timed(() => pass.gradients(batch))).seconds);
    }
    // Rows that it was not asked about: their last token is another one.
    const others = batchOf(rows.map((row) => [...row.slice(0, -1), round]));
    first.push((await timed(() => passes['asked once'].gradients(others))).seconds);
  }
  const plain = median(found.get('without a teacher')!);
  for (const [name, all] of found) noteRatio(`seconds of a step, ${name}, against none`, median(all) / plain);
  const rate = (seconds: number): string =>
    `${(tokens / seconds).toFixed(0)} tokens/s, ${times(seconds / plain)} the time without a teacher`;
  printFacts([
    ...[...found].map(([name, seconds]) => [name, rate(median(seconds))] as const),
    ['asked once, first pass', rate(median(first))],
  ]);

  const own = await passes['asked in every pass'].gradients(batch);
  const kept = await passes['asked once'].gradients(batch);
  const apart = Math.abs(kept.loss / own.loss - 1).toExponential(1);
  console.log(
    `\nKL divergence ${own.loss.toFixed(6)} nats, asked once ${kept.loss.toFixed(6)}: ${apart} of it apart; ` +
      `gradients ${distance(kept.gradients, own.gradients).toExponential(1)} of their norm`,
  );
  for (const pass of Object.values(passes)) await pass.close();
  await once.close();
}

/** ‖a − b‖ / ‖b‖ over all parameters. */
function distance(a: GradientSums, b: GradientSums): number {
  let [apart, all] = [0, 0];
  for (const [name, values] of b) {
    const others = a.get(name)!;
    values.forEach((x, i) => ((apart += (others[i] - x) ** 2), (all += x ** 2)));
  }
  return Math.sqrt(apart / all);
}
