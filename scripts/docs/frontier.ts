/**
 * The chart and the table of a comparison of sizes, for docs/results: `npx tsx scripts/docs/frontier.ts NAME RECORD` writes
 * docs/results/frontier/NAME.svg and the numbers beside it, and prints the table. RECORD is that of `coppice frontier --record`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sizesChart } from '../../src/engine/records/before-after/sizes';
import { formatBytes, formatNumber } from '../../src/format/numbers';
import { numeric } from '../../src/format/json';
import { frontierOf } from '../../src/jobs/digest/frontier';

/** The colors of a page that has none of its own, in light and dark. */
const STYLE = `
svg { color: #1f2328; --line: #d0d7de; --paper: #ffffff; background: var(--paper); font: 11px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; --line: #3d444d; --paper: #0d1117; } }
text { fill: currentColor; }
path { fill: none; stroke: currentColor; stroke-width: 1.6; }
.grid-line { stroke: var(--line); stroke-width: 1; }
circle { fill: var(--paper); stroke: currentColor; stroke-width: 1.6; }
.is-worth { fill: currentColor; }
.line-1 path { stroke-dasharray: 6 3; }
.line-2 path { stroke-dasharray: 2 3; }
.line-3 path { stroke-dasharray: 8 3 2 3; }
.line-4 path { stroke-dasharray: 1 2; }
.line-5 path { stroke-dasharray: 10 4; }
`;

const [name, file] = process.argv.slice(2);
const { results } = JSON.parse(readFileSync(file, 'utf8')) as { readonly results: { readonly order: number[][] } };
const digest = frontierOf(results);
if (!digest) throw new Error(`${file} has no sizes`);
const folder = resolve(import.meta.dirname, '../../docs/results/frontier');
mkdirSync(folder, { recursive: true });
const drawn = sizesChart(digest).replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
writeFileSync(join(folder, `${name}.svg`), `${drawn.replace('>', `><style>${STYLE}</style>`)}\n`);
writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ order: results.order, ...digest }, null, 1)}\n`);

const { points } = digest;
const counts = [...new Set(points.map(({ count }) => count))];
const heads = counts.map((count) =>
  count === 0 ? 'all blocks' : `without ${results.order[counts.indexOf(count)].join(', ')}`,
);
console.log(`| type | ${heads.join(' | ')} |\n| --- |${' --- |'.repeat(counts.length)}`);
for (const type of new Set(points.map((point) => point.type))) {
  const cells = counts.map((count) => {
    const { ppl, bytes, frontier } = points.find((point) => point.type === type && point.count === count)!;
    const number = formatNumber(numeric(ppl), 4);
    return `${frontier ? `**${number}**` : number} · ${formatBytes(bytes)}`;
  });
  console.log(`| ${type} | ${cells.join(' | ')} |`);
}
