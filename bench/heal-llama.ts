/**
 * Healing of LLaMA-7B's shapes by parts: forward passes, sums of products, solutions, new weights, each measured on a few blocks and extrapolated.
 *
 *   npm run bench -- heal-llama [--remove 16-23 …] [--tokens 32768] [--share 13] [--threads N]
 *
 * Three blocks of random numbers lose the middle one, and a share of the rows (one in 13) passes them as in a healing by `refit`
 * of all rows, in the same runs and groups. Opening a block takes a time for each block, passing one and summing products a time
 * for each token, solving and keeping a weight a time for each Linear. So the minutes of 32 blocks follow, for each set that
 * `--remove` names. Beside the seconds stand processor seconds, which other processes on the machine lengthen less: where these
 * are fewer than seconds times threads, the machine was not quiet. Measuring the healed model afterwards, on one row in 32, is
 * not counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { tokensPerRun } from '../src/engine/heal/groups';
import { HEAL_DEFAULTS } from '../src/engine/heal/methods';
import { groupRows } from '../src/engine/heal/rows';
import { OwnCollector } from '../src/engine/heal/site-sums';
import { SiteSolver } from '../src/engine/heal/site-solver';
import { correctedKeys, type Site, sitesOf } from '../src/engine/heal/sites';
import { Products } from '../src/engine/heal/solve';
import { Streams } from '../src/engine/heal/streams';
import { Walk } from '../src/engine/heal/walk';
import { Forward } from '../src/engine/model/forward';
import { type Model, openModel } from '../src/engine/model/model';
import { parseRemoved, viewWithout } from '../src/engine/model/view';
import { Random } from '../src/engine/random';
import { PatchWriter } from '../src/engine/weights/patch-writer';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { fillWithRandom, LLAMA_7B, writeSyntheticCheckpoint } from './support/synthetic';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    remove: { type: 'string', multiple: true, default: ['16-23', '21-28'] },
    tokens: { type: 'string', default: String(HEAL_DEFAULTS.tokens) },
    share: { type: 'string', default: '13' },
    threads: { type: 'string' },
  },
});
const LENGTH = 128;
const BLOCKS = LLAMA_7B.num_hidden_layers;
const threads = values.threads === undefined ? undefined : Number(values.threads);
const share = Number(values.share);

/** Wall-clock and processor seconds. */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}
const NOTHING: Cost = { wall: 0, cpu: 0 };
const plus = (a: Cost, b: Cost): Cost => ({ wall: a.wall + b.wall, cpu: a.cpu + b.cpu });
const by = (factor: number, { wall, cpu }: Cost): Cost => ({ wall: factor * wall, cpu: factor * cpu });

async function costOf<T>(work: () => Promise<T>): Promise<readonly [T, Cost]> {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [result, { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }];
}

/** Of one block, or one site; with sums where a part grows with the tokens. */
interface Measured {
  /** A block opened and closed. */
  readonly open: Cost;
  /** The dense stream through a block, all tokens. */
  readonly dense: Cost;
  /** By the Linear: up to its input, the sums of products, the solution, the new weight applied, and kept. */
  readonly sites: Readonly<Record<Site['tensor'], Readonly<Record<SitePart, Cost>>>>;
}
const PARTS = ['input', 'sums', 'solving', 'applying', 'keeping'] as const;
type SitePart = (typeof PARTS)[number];

const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-7b-'));
try {
  printMachine();
  writeSyntheticCheckpoint(folder, { ...LLAMA_7B, num_hidden_layers: 3 });
  fillWithRandom(folder);
  const model = await openModel(await openCheckpoint(folder), { device: 'cpu', threads });
  try {
    const measured = await measure(model);
    printUnits(measured);
    for (const removed of values.remove) printTotal(measured, removed);
  } finally {
    await model.close();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A healing of three blocks without the middle one, part by part. */
async function measure(model: Model): Promise<Measured> {
  const { architecture } = model;
  const { hidden, layers } = architecture;
  const random = new Random(1);
  const rows = Array.from({ length: Number(values.tokens) / LENGTH }, () =>
    Array.from({ length: LENGTH }, () => random.below(LLAMA_7B.vocab_size)),
  );
  const forward = new Forward(model, LENGTH, tokensPerRun(architecture));
  const groups = groupRows(rows, rows.slice(0, 1), false).filter(({ use }) => use !== 'none');
  const sizes = { hidden, widest: LLAMA_7B.intermediate_size, budget: Infinity };
  const streams = await Streams.open(forward, groups, sizes, { number: 2, of: share });
  const products = new Products(threads);
  const solver = new SiteSolver(model, { method: 'refit' }, Number(values.tokens), products);
  const walk = new Walk(model, forward, model, forward, streams, () => undefined);
  const view = viewWithout(layers.length, [{ block: 1 }]);
  const all = Number(values.tokens) / streams.runs.reduce((sum, run) => sum + run.rows * LENGTH, 0);
  const idle = new Walk(model, forward, model, forward, withoutRuns(streams), () => undefined);
  const checkpoint = await openCheckpoint(folder);
  const contents = { keys: correctedKeys(architecture, view), removed: [1], method: 'refit' } as const;
  const sink = await PatchWriter.temporary(checkpoint, { ...contents, texts: [], facts: {} }, folder);
  try {
    /** What a part costs for all rows: that without any, and the rest times their share. */
    const scaled = async (part: (on: Walk) => Promise<unknown>): Promise<Cost> => {
      const [, fixed] = await costOf(() => part(idle));
      const [, some] = await costOf(() => part(walk));
      return plus(fixed, by(all, plus(some, by(-1, fixed))));
    };
    await walk.embed('dense', rows);
    await walk.pass(['dense', 'dense'], [0, 1]);
    await streams.copy('dense', 'healed');
    const found: Record<string, Record<SitePart, Cost>> = {};
    const [, open] = await costOf(() => idle.pass(['dense', 'target'], [2, 4]));
    let dense = NOTHING;
    // A down_proj before the cut, and an o_proj after it.
    for (const site of sitesOf(view).slice(0, 2)) {
      if (site.cut && site.block === 0) {
        await walk.pass(['dense', 'dense'], [1, 2]);
        const [, passed] = await costOf(() => walk.pass(['dense', 'target'], [2, 4]));
        dense = by(all, plus(passed, by(-1, open)));
      } else {
        await walk.aim(site);
      }
      const shape = { inputs: walk.widthOf(site, 'input'), outputs: hidden };
      const input = await scaled((on) => on.sum(site, undefined));
      let collector = new OwnCollector(streams.runs, shape);
      const both = await scaled((on) => on.sum(site, (collector = new OwnCollector(streams.runs, shape))));
      const [{ changed }, solving] = await costOf(() => solver.refit(site, collector.sums().fitted, 0.5));
      const applying = await scaled((on) => on.apply(site, changed[0]?.values));
      const [, keeping] = await costOf(async () => {
        for (const { key, values: numbers } of changed) await sink.add(key, numbers);
      });
      walk.moveOn();
      found[site.tensor] = { input, sums: plus(both, by(-1, input)), solving, applying, keeping };
    }
    return { open, dense, sites: found as Measured['sites'] };
  } finally {
    await sink.discard();
    await products.close();
    await streams.close();
  }
}

/** The streams as if there were no rows: what passes them only opens and closes. */
function withoutRuns(streams: Streams): Streams {
  return Object.create(streams, { runs: { value: [] } }) as Streams;
}

function cells({ wall, cpu }: Cost, unit = 1): string {
  return `${(wall / unit).toFixed(1)} | ${(cpu / unit).toFixed(1)}`;
}

function printUnits({ open, dense, sites }: Measured): void {
  console.log(`\n| of ${values.tokens} tokens, in seconds | wall | processor |\n| --- | --- | --- |`);
  console.log(`| a block opened | ${cells(open)} |\n| the dense stream through a block | ${cells(dense)} |`);
  for (const [tensor, parts] of Object.entries(sites)) {
    for (const part of PARTS) console.log(`| ${tensor}: ${part} | ${cells(parts[part])} |`);
  }
}

/** All blocks of the model without some. */
function printTotal({ open, dense, sites }: Measured, removed: string): void {
  const all = sitesOf(viewWithout(BLOCKS, parseRemoved(removed, BLOCKS)));
  const of = (part: SitePart): Cost =>
    all.map(({ tensor }) => sites[tensor][part]).reduce((sum, cost) => plus(sum, cost), NOTHING);
  const parts: Record<string, Cost> = {
    opening: by(BLOCKS, open),
    'dense stream': by(BLOCKS, dense),
    'healed stream': plus(of('input'), of('applying')),
    'sums of products': of('sums'),
    solving: of('solving'),
    keeping: of('keeping'),
  };
  const total = Object.values(parts).reduce(plus);
  console.log(`\n| ${BLOCKS} blocks without ${removed}, in minutes | wall | processor |\n| --- | --- | --- |`);
  for (const [name, cost] of Object.entries({ ...parts, all: total })) console.log(`| ${name} | ${cells(cost, 60)} |`);
  for (const [name, cost] of Object.entries(parts)) {
    noteRatio(`processor time of a healing without ${removed}: ${name}, against all`, cost.cpu / total.cpu, {
      model: "LLaMA-7B's shapes",
      precision: 'float32',
    });
  }
  const each = threads ?? availableParallelism();
  console.log(`processor minutes / ${each} threads: ${(total.cpu / 60 / each).toFixed(0)}`);
}
