/**
 * Scale: on paper, how many parts a perplexity sweep of 7B, 70B and 405B is best cut into, and where reading the checkpoint is the limit.
 *
 *   npm run bench -- scale [--cpu 1e12] [--gpu 100e12] [--node-read 2e9] [--server-read 20e9] [--start 20] [--memory 16e9] [--quick] [--table]
 *
 * Nothing is measured: all is arithmetic on the models' shapes, for nodes of two kinds, `--cpu` and `--gpu` operations a second
 * each, that read `--node-read` bytes a second from a file server that gives all of them `--server-read`; a part's process
 * takes `--start` seconds until it reads, and has `--memory` bytes for hidden states. Parts are those that Coppice cuts. The
 * formula stands beside a simulation of every event (bench/support/cluster.ts), without and with a node that is lost in the
 * middle of the run; the benchmark fails where they are further apart than stated. `--table`
 * prints the table of docs/design/parts-and-clusters.md in place of all lines.
 */
import { parseArgs } from 'node:util';
import { type Cluster, predictedWithLoss, readingSeconds, simulate } from './support/cluster';
import { bigModels } from './support/big-models';
import { balancedRows, bestParts, largest, Sweep } from './support/scale';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  options: {
    cpu: { type: 'string', default: '1e12' },
    gpu: { type: 'string', default: '100e12' },
    'node-read': { type: 'string', default: '2e9' },
    'server-read': { type: 'string', default: '20e9' },
    start: { type: 'string', default: '20' },
    memory: { type: 'string', default: '16e9' },
    quick: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});

const LENGTH = 128;
const ROWS = values.quick ? [10, 1000] : [10, 100, 1000, 10_000];
const NODES = [1, 8, 64, 512];
/** How far the simulation may be from the formula: below it because nodes drift apart and parts are uneven, above it by rounding. */
const TOLERANCE = { below: 0.7, above: 1.02 };

/** Seconds until a node that was lost takes parts again. */
const REPAIR = 60;

const use = { length: LENGTH, budget: Number(values.memory) };
const cluster = (nodes: number, flops: string): Cluster => ({
  nodes,
  flops: Number(flops),
  nodeRead: Number(values['node-read']),
  serverRead: Number(values['server-read']),
  start: Number(values.start),
});

let faults = 0;
const ratios: number[] = [];
for (const [name, model] of bigModels()) {
  for (const rows of ROWS) {
    const sweep = new Sweep(model, rows, use);
    const kinds = [
      ['cpu', values.cpu],
      ['gpu', values.gpu],
    ] as const;
    const lines = kinds.map(([kind, flops]) => NODES.map((nodes) => line(sweep, kind, cluster(nodes, flops))));
    if (values.table) {
      for (const n of NODES.keys()) console.log(tableRow(name, rows, [lines[0][n], lines[1][n]]));
      continue;
    }
    console.log(`\n${name}, ${rows} rows of ${LENGTH} tokens: ${amount(sweep.flops / 1e15, 'PFLOP')}`);
    lines.flat().forEach(print);
  }
}
console.log('\nRows per pass at which reading takes as long as computing, all nodes reading at once:');
for (const [name, model] of bigModels()) {
  for (const [kind, flops] of [
    ['cpu', values.cpu],
    ['gpu', values.gpu],
  ] as const) {
    const each = NODES.map((nodes) => `${nodes}: ${balancedRows(model, LENGTH, cluster(nodes, flops)).toPrecision(2)}`);
    console.log(`  ${name.padEnd(15)} ${kind}  ${each.join('   ')}`);
  }
}
noteRatio('simulated against the formula, the lowest', Math.min(...ratios));
noteRatio('simulated against the formula, the highest', Math.max(...ratios));
console.log(`\nsimulation / formula: ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`);
if (faults > 0) {
  console.error(`${faults} simulations are not within ${TOLERANCE.below} to ${TOLERANCE.above} of the formula`);
  process.exitCode = 1;
}

type Line = ReturnType<typeof line>;

function line(sweep: Sweep, kind: string, on: Cluster) {
  const { parts, seconds } = bestParts(sweep, on);
  const cut = sweep.cut(parts);
  const part = largest(cut);
  const read = readingSeconds(cut.needs, on)[cut.needs.indexOf(part)];
  const reading = read / (read + part.flops / on.flops);
  const stretches = sweep.stretches(parts);
  const simulated = simulate(stretches, on).seconds;
  const failed = simulate(stretches, on, { node: 0, at: simulated / 2, repair: REPAIR }).seconds;
  if (failed > TOLERANCE.above * predictedWithLoss(cut.needs, on, REPAIR)) faults++;
  const ratio = simulated / seconds;
  ratios.push(ratio);
  if (ratio < TOLERANCE.below || ratio > TOLERANCE.above) faults++;
  const memory = Math.max(...cut.needs.map(({ memoryBytes }) => memoryBytes));
  return { on, kind, parts, part, memory, reading, seconds, simulated, ratio, failed };
}

function print({ on, kind, parts, part, memory, reading, seconds, simulated, ratio, failed }: Line): void {
  console.log(
    [
      `  ${kind} ${String(on.nodes).padStart(4)} nodes`,
      `n ${String(parts).padStart(5)}`,
      `part ${amount(part.flops / 1e12, 'TFLOP').padStart(15)}`,
      `reads ${amount(part.readBytes / 1e9, 'GB').padStart(9)}`,
      `memory ${amount(memory / 1e9, 'GB').padStart(7)}`,
      `reading ${(100 * reading).toFixed(0).padStart(3)} %`,
      `formula ${hours(seconds)}`,
      `simulated ${hours(simulated)} (${ratio.toFixed(2)})`,
      `a node lost ${hours(failed)}`,
    ].join('  '),
  );
}

/** A line of the table in docs/design/parts-and-clusters.md: nodes of both kinds. */
function tableRow(name: string, rows: number, lines: readonly Line[]): string {
  const cells = lines.map(({ parts, part, memory, reading, simulated }) =>
    [
      parts,
      amount(part.flops / 1e12, ''),
      amount(part.readBytes / 1e9, ''),
      amount(memory / 1e9, ''),
      `${(100 * reading).toFixed(0)} %`,
      hours(simulated),
    ].join(' | '),
  );
  return `| ${name}, ${rows} | ${lines[0].on.nodes} | ${cells.join(' | ')} |`;
}

/** "1 290 TFLOP" */
function amount(value: number, unit: string): string {
  const digits = value < 100 ? Number(value.toPrecision(2)) : Math.round(value);
  return `${digits.toLocaleString('en').replaceAll(',', ' ')} ${unit}`.trim();
}

function hours(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : amount(seconds / 3600, 'h');
}
