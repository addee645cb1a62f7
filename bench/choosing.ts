/**
 * Choosing: which blocks other tools choose by their own code, which Coppice's criteria choose, and the perplexity without them.
 *
 *   npm run bench -- choosing [--model PATH] [--count 6] [--rows ROWS.json] [--criteria ppl,kl,…] [--text FILE] [--limit 64]
 *     [--bos stream] [--results FOLDER] [--threads N] [--no-torch]
 *
 * SmolLM2-135M-Instruct unless named, and rows that are drawn from a book as `coppice score` draws them. Every tool (peers/choose_blocks.py)
 * and every criterion reads the same rows in float32, without a screen. The blocks of each are chosen twice by the same rule: among all
 * blocks, and with the first four and the last two protected, which is Coppice's default and that of the paper's code; `greedy` runs with
 * protection only, because its set depends on it. Every set is measured on the same windows of the evaluation text. Whole orders of
 * pairs that should agree are compared, and their scores. LLM-Pruner's `--layer_wise` keeps the first layers, whatever they are
 * worth, so it needs no run. With `--results`, what that folder holds is not measured again.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { type Ranking, selectByScores } from '../src/engine/importance/ranking';
import { scoresIn } from '../src/engine/importance/scores-file';
import { keepList, rankBlocks } from '../src/engine/importance/select';
import { numberRanges } from '../src/format/ranges';
import { shared } from '../test/support/shared';
import { type Chosen, type Choosers, isSkipped, torchChoosers } from './peers/peer';
import { buildProduct, runBuilt } from './support/built';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr, rowsFileOr } from './support/subject';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    ...MODEL_OPTION,
    count: { type: 'string', default: '6' },
    rows: { type: 'string' },
    criteria: { type: 'string', default: 'ppl,kl,taylor,magnitude,block-influence,angular,greedy' },
    text: { type: 'string' },
    limit: { type: 'string', default: '64' },
    bos: { type: 'string', default: 'stream' },
    results: { type: 'string' },
    threads: { type: 'string' },
    torch: { type: 'boolean', default: true },
  },
});

/** Tools whose numbers should be those of a criterion, and how many of that criterion's scores one of theirs is the sum of. */
const PAIRS: readonly { readonly tool: string; readonly criterion: string; readonly sumOver?: 'tokens' | 'rows' }[] = [
  { tool: 'PruneMe', criterion: 'angular' },
  { tool: 'ShortGPT, angular', criterion: 'angular', sumOver: 'rows' },
  { tool: 'ShortGPT', criterion: 'block-influence', sumOver: 'tokens' },
  { tool: 'ShortGPT, hf-models', criterion: 'block-influence', sumOver: 'tokens' },
  { tool: 'shortened-llm, perplexity', criterion: 'ppl' },
  { tool: 'shortened-llm, Taylor', criterion: 'taylor' },
  { tool: 'shortened-llm, magnitude', criterion: 'magnitude' },
];

const path = modelOr(values.model);
const rowsFile = await rowsFileOr(values.rows, path);
const { rows } = JSON.parse(readFileSync(rowsFile, 'utf8')) as { rows: number[][] };
const text = values.text ?? shared('data/wikitext2/wiki.test.raw.hf-joined.txt');
const count = Number(values.count);
const checkpoint = await openCheckpoint(path);
const blocks = requireArchitecture(checkpoint).layers.length;
const ends = keepList(blocks);
const threads = values.threads === undefined ? [] : ['--threads', values.threads];

const folder = values.results ?? mkdtempSync(join(tmpdir(), 'coppice-bench-choosing-'));
if (values.results === undefined) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
mkdirSync(folder, { recursive: true });

/** What `measure` gives, kept under a name. */
function kept<T extends object>(name: string, measure: () => T): T {
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T;
  const result = measure();
  if (!isSkipped(result)) writeFileSync(file, JSON.stringify(result));
  return result;
}

interface Choice {
  readonly name: string;
  readonly seconds?: number;
  readonly free?: readonly number[];
  readonly betweenEnds?: readonly number[];
}

interface Scores {
  readonly ranking: Ranking;
  readonly seconds: number;
}

function scoresOf(criterion: string): Scores {
  const options = ['--criterion', criterion, ...threads];
  if (criterion !== 'magnitude' && criterion !== 'deepest') options.push('--calibration', rowsFile);
  if (['ppl', 'kl', 'greedy'].includes(criterion)) options.push('--precision', 'float32');
  if (criterion === 'greedy') options.push('--count', String(count), '--keep', [...ends].join(','));
  const json = kept(criterion, () => runBuilt('score', path, ...options).json);
  return { ranking: scoresIn(json, criterion, checkpoint, blocks).ranking, seconds: Number(json.seconds) };
}

const NONE: ReadonlySet<number> = new Set();

const choiceOf = (name: string, { ranking, seconds }: Scores): Choice => ({
  name,
  seconds,
  ...(ranking.kind !== 'removals' && { free: selectByScores(ranking, blocks, count, NONE) }),
  betweenEnds: selectByScores(ranking, blocks, count, ends),
});

/** What a tool found, in the form that Coppice selects by. */
const rankingOf = ({ scores, runs }: Chosen): Ranking =>
  scores ? { kind: 'scores', scores } : { kind: 'windows', windows: runs!.map((run) => ({ ...run, size: count })) };

const listed = (set: readonly number[] | undefined): string => (set ? numberRanges(set, '–') : '–');

function perplexity(set: readonly number[]): number {
  const remove = set.length > 0 ? ['--remove', set.join(',')] : [];
  const name = `eval-${set.join('-') || 'original'}`;
  const options = ['--text', text, '--limit', values.limit, '--bos', values.bos, '--precision', 'float32', ...threads];
  return Number(kept(name, () => runBuilt('eval', path, ...options, ...remove).json).ppl);
}

/** Whether a tool orders the blocks or the runs as a criterion does, and how far its scores are from the criterion's. */
function agreement(theirs: Ranking, own: Ranking, divisor: number): string {
  const [a, b] = [scored(theirs), scored(own)];
  const common = [...a.keys()].filter((key) => b.has(key));
  const order = (of: ReadonlyMap<number, number>): number[] =>
    rankBlocks(common.map((key) => of.get(key)!)).map((i) => common[i]);
  const [first, second] = [order(a), order(b)];
  const differ = first.flatMap((key, place) => (key === second[place] ? [] : [place]));
  const apart = common.map((key) => ({ key, by: Math.abs(a.get(key)! / divisor / b.get(key)! - 1) }));
  const worst = apart.reduce((most, each) => (each.by > most.by ? each : most));
  const rest = Math.max(...apart.filter((each) => each !== worst).map(({ by }) => by));
  const orders =
    differ.length === 0 ? 'the same order' : `another order at places ${differ.map((p) => p + 1).join(', ')}`;
  const left = [...b.keys()].filter((key) => !a.has(key));
  return (
    `${orders} of ${common.length}${left.length > 0 ? `, without ${left.join(', ')}` : ''}; ` +
    `scores apart by ${worst.by.toExponential(1)} at most (${worst.key}), the others by ${rest.toExponential(1)}`
  );
}

/** Score of each block, or of the run of `count` blocks that starts there. */
const scored = (ranking: Ranking): ReadonlyMap<number, number> =>
  ranking.kind === 'windows'
    ? new Map(ranking.windows.filter(({ size }) => size === count).map(({ start, score }) => [start, score]))
    : new Map(ranking.kind === 'scores' ? ranking.scores.map((score, block) => [block, score]) : []);

printMachine();
buildProduct();
const scores = new Map<string, Scores>();
for (const criterion of values.criteria.split(',')) {
  scores.set(criterion, scoresOf(criterion));
  console.log(`${criterion}: ${scores.get(criterion)!.seconds.toFixed(1)} s`);
}
const peers = values.torch
  ? kept<Choosers | { skipped: string }>('peers', () => torchChoosers(path, rowsFile, count, ...threads))
  : { skipped: '--no-torch' };
if (isSkipped(peers)) console.log(`other tools skipped: ${peers.skipped}`);

const found = isSkipped(peers) ? [] : Object.entries(peers.results);
for (const [name, tool] of found) if ('failed' in tool) console.log(`${name} failed: ${tool.failed}`);
const tools = found.flatMap(([name, tool]) => ('failed' in tool ? [] : [{ name, tool }]));
const choices: Choice[] = [
  ...tools.map(({ name, tool }) => choiceOf(name, { ranking: rankingOf(tool), seconds: tool.seconds })),
  { name: 'LLM-Pruner, --layer_wise', free: Array.from({ length: count }, (_, i) => blocks - count + i) },
  ...[...scores].map(([name, each]) => choiceOf(`Coppice, ${name}`, each)),
];
for (const { name, tool } of tools) {
  const ours = choices.find((each) => each.name === name)!.free;
  if (ours!.join() !== tool.blocks.join()) console.log(`${name} itself takes ${listed(tool.blocks)}`);
}

console.log(`\nperplexity of the original: ${perplexity([]).toFixed(2)}\n`);
const cell = (set: readonly number[] | undefined): string => (set ? perplexity(set).toFixed(1) : '–');
console.log('| chosen by | of all blocks | perplexity | ends protected | perplexity | seconds |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { name, free, betweenEnds, seconds } of choices) {
  const cells = [name, listed(free), cell(free), listed(betweenEnds), cell(betweenEnds), seconds?.toFixed(1) ?? '–'];
  console.log(`| ${cells.join(' | ')} |`);
  if (betweenEnds) {
    noteRatio(
      'perplexity without blocks between the ends, against the original',
      perplexity(betweenEnds) / perplexity([]),
      {
        precision: name,
      },
    );
  }
}

console.log('');
for (const { tool: name, criterion, sumOver } of PAIRS) {
  const theirs = tools.find((each) => each.name === name);
  const own = scores.get(criterion);
  if (!theirs || !own) continue;
  const divisor = sumOver === 'tokens' ? rows.length * rows[0].length : sumOver === 'rows' ? rows.length : 1;
  console.log(`${name} against ${criterion}: ${agreement(rankingOf(theirs.tool), own.ranking, divisor)}`);
}
