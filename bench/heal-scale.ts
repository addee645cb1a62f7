/**
 * Scale of healing: on paper, what a healing in parts of LLaMA-7B's and Llama 3.1 70B's shapes needs, and how long some machines take.
 *
 *   npm run bench -- heal-scale [--flops 1e12] [--solve 0.5e12] [--node-read 2e9] [--server-read 20e9] [--tokens 32768]
 *
 * Nothing is measured: all is arithmetic on the models' shapes, without a quarter of the blocks from the middle on. Nodes make
 * `--flops` operations a second, the one that solves `--solve` in float64; each reads and writes `--node-read` bytes a second of
 * a file server that gives all of them `--server-read`. Nothing overlaps: rows, then sums written and read, then the solution.
 */
import { parseArgs } from 'node:util';
import { meanLayerParameters } from '../src/engine/checkpoint/parameters';
import { fittingWork, systemsOf } from '../src/engine/heal/cost';
import { healPartNeeds, sumFiles, sumsBytes } from '../src/estimates/heal-parts';
import type { SizedModel } from '../src/estimates/sweep-needs';
import { bigModels } from './support/big-models';
import { noteRatio } from './support/ratios';

const { values } = parseArgs({
  options: {
    flops: { type: 'string', default: '1e12' },
    solve: { type: 'string', default: '0.5e12' },
    'node-read': { type: 'string', default: '2e9' },
    'server-read': { type: 'string', default: '20e9' },
    tokens: { type: 'string', default: '32768' },
  },
});

const LENGTH = 128;
const NODES = [1, 2, 8, 16, 32];
const MEMORY = 16e9;
const [flops, solve, nodeRead, serverRead, tokens] = [
  values.flops,
  values.solve,
  values['node-read'],
  values['server-read'],
  values.tokens,
].map(Number);

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0);

function hours(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

for (const [name, model] of [...bigModels()].slice(0, 2)) {
  const { architecture } = model;
  const blocks = architecture.layers.length;
  const removed = Array.from({ length: Math.floor(blocks / 4) }, (_, i) => Math.floor(blocks / 2) + i);
  const rows = Math.ceil(tokens / LENGTH);
  console.log(`${name} without ${removed.length} of ${blocks} blocks, ${rows} rows of ${LENGTH} tokens:`);
  let alone: number | undefined;
  for (const nodes of NODES) {
    const { text, seconds } = line(model, removed, rows, nodes);
    console.log(text);
    alone ??= seconds;
    if (nodes !== NODES[0]) {
      noteRatio(`counted: time to heal on ${nodes} nodes, ${NODES[0]} against that`, alone / seconds, { model: name });
    }
  }
}

/** The row of a table, and the whole time. */
function line(
  model: SizedModel,
  removed: readonly number[],
  rows: number,
  nodes: number,
): { readonly text: string; readonly seconds: number } {
  const { architecture } = model;
  const { hidden } = architecture;
  const files = sumFiles(architecture, { rows, length: LENGTH });
  const parts = Math.min(nodes, files);
  const cut = { removed, method: 'refit', rows, length: LENGTH, parts, budget: MEMORY } as const;
  const needs = healPartNeeds(model, cut);
  const each = Math.min(nodeRead, serverRead / parts);
  const walk =
    (2 * meanLayerParameters(architecture) * fittingWork(architecture, removed, 'refit') * rows * LENGTH) /
    parts /
    flops;
  const reading = needs.readBytes / each;
  const systems = systemsOf(architecture, removed, 'refit');
  const total = (of: (width: number) => number): number => systems.reduce((sum, width) => sum + of(width), 0);
  // XᵀX Wᵀ, Cholesky, and both triangular systems.
  const solving = total((n) => n ** 3 / 3 + 4 * n * n * hidden) / solve;
  const sums = (n: number): number => sumsBytes(n, hidden) * files;
  const moving = nodes === 1 ? 0 : total((n) => sums(n) / parts / each + sums(n) / nodeRead + (4 * n * hidden) / each);
  const seconds = walk + reading + moving + solving;
  const cells = [
    String(nodes),
    gigabytes(needs.memoryBytes),
    gigabytes(needs.solverBytes),
    gigabytes(needs.sumsBytes),
    gigabytes(needs.allSumsBytes),
    gigabytes(needs.weightsBytes),
    ...[walk, reading, moving, solving, seconds].map(hours),
  ];
  return { text: `| ${cells.join(' | ')} |`, seconds };
}
