/** The result of a criterion as a page: a table with a bar per entry, and the order from least to most important. */
import { bosSuffix } from '../../format/bos';
import { arithmeticWords } from '../../format/arithmetic';
import { counted } from '../../format/words';
import type { Criterion } from '../../engine/importance/criteria';
import type {
  BlockScore,
  CriterionResult,
  EnergyResult,
  ModuleScore,
  SearchCourse,
} from '../../engine/importance/result';
import type { Fitness } from '../../engine/importance/evolution';
import { removedJson } from '../../engine/model/view';
import { withinLine } from './curve';
import type { Page } from './page';
import type { Style } from '../terminal/style';
import { formatSeconds } from '../../format/durations';
import { markOf, RACED, SCREENED } from '../../format/score-marks';
import { hasNoise, isNoise } from '../../format/noise';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import type { CalibrationInfo, ShareInfo } from '../../jobs/results/score';
import { table } from '../terminal/text';

const BAR = 30;

export const scorePage: Page<'score'> = ({ criterion }, { style }) => ({
  page: ({ full, within, shares = [], ...result }) => [
    ...scoreResultPage(criterion, { ...result, full: full ?? undefined }, result, style),
    ...(within ? ['', withinLine(within)] : []),
    ...(shares.length > 0 ? ['', ...shares.map(shareLine)] : []),
  ],
});

const shareLine = ({ ratio, removed, parameters }: ShareInfo): string =>
  `at most ${formatPercent(ratio)}: ${removed.join(',')}, which leaves ${formatCount(parameters)} parameters`;

interface ScoreContext {
  readonly seconds: number;
  readonly device: string;
  readonly precision?: string;
  readonly peakRssBytes?: number;
  readonly calibration?: CalibrationInfo | null;
}

function scoreResultPage(
  criterion: Criterion,
  result: CriterionResult,
  { seconds, device, precision, peakRssBytes, calibration }: ScoreContext,
  style: Style,
): string[] {
  const { full, blocks, modules, windows, removals, search, moduleSearch, energy } = result;
  const { leftOut = [], order = [], temporaryBytes } = result;
  const lines: string[] = [];
  if (full)
    lines.push(`${wholeWords(full, style)} (${counted(full.tokens, 'token')}${bosSuffix(calibration?.bos)})`, '');
  if (blocks) lines.push(...scoreTable('block', blocks.map(ofBlock)));
  if (modules) lines.push(...scoreTable('module', modules.map(ofModule)));
  if (windows) lines.push(...windowTable(windows));
  if (removals) lines.push(...removalTable(removals));
  if (search) {
    const words: SearchWords = { what: 'blocks', found: search.blocks, from: search.start.blocks };
    lines.push(...searchLines(words, search, style));
  }
  if (moduleSearch) {
    const words: SearchWords = { what: 'parts', found: moduleSearch.removed, from: moduleSearch.start.removed };
    lines.push(...searchLines(words, moduleSearch, style));
  }
  if (leftOut.length > 0) lines.push(...leftOutLines(leftOut));
  if (energy) lines.push(...energyLines(energy, style));
  if (order.length > 0 && isOrdered(result)) {
    const marks = new Map([
      ...(blocks ?? []).map((score) => [String(score.index), markOf(score)] as const),
      ...(modules ?? []).map((score) => [`${score.block}.${score.part}`, markOf(score)] as const),
    ]);
    const name = (entry: (typeof order)[number]): string =>
      typeof entry === 'number' ? String(entry) : `${entry.block}.${entry.part}`;
    const names = order.map((entry) => (marks.get(name(entry)) ?? '') + name(entry));
    lines.push('', `least important first: ${names.join(', ')}`);
  }
  if (full && isOrdered(result)) lines.push(...noiseLines(result, full.kl ?? full.ppl));
  lines.push(...screenLines(result), ...raceLines(result, calibration?.samples));
  const memory = peakRssBytes === undefined ? '' : `, ${formatBytes(peakRssBytes)} of memory`;
  const arithmetic = precision === undefined ? `on ${device}` : arithmeticWords(precision, device);
  const file = temporaryBytes === undefined ? '' : `, ${formatBytes(temporaryBytes)} in a temporary file`;
  lines.push('', style.dim(`${criterion}, ${formatSeconds(seconds)}, ${arithmetic}${memory}${file}`));
  return lines;
}

/** What the intervals are, and which parts may cost nothing. @param whole the model's perplexity, or its divergence */
function noiseLines({ blocks = [], modules = [] }: CriterionResult, whole: number): string[] {
  const [what, parts] = blocks.length > 0 ? ['block', blocks.map(ofBlock)] : ['module', modules.map(ofModule)];
  const known = parts.filter(([, { jointLow }]) => jointLow !== undefined);
  if (known.length === 0 || !hasNoise(whole)) return [];
  const names = known
    .filter(([, { jointLow = NaN, jointHigh = NaN }]) => isNoise({ low: jointLow, high: jointHigh }, whole))
    .map(([name]) => name);
  const verdict =
    names.length === 0
      ? `none contains ${formatNumber(whole, 4)}: every ${what} makes a difference`
      : `it contains ${formatNumber(whole, 4)} for ${what}${names.length === 1 ? '' : 's'} ${names.join(', ')}: hardly told from noise, more samples help`;
  return [
    '',
    `95% interval: paired with the original over the same rows, for all ${counted(known.length, what)} at once;`,
    verdict,
  ];
}

type Entry = readonly [name: string, score: Omit<BlockScore, 'index'>];
const ofBlock = (block: BlockScore): Entry => [String(block.index), block];
const ofModule = (module: ModuleScore): Entry => [`${module.block}.${module.part}`, module];

/** What the mark means, and how far off such a score may be. */
function screenLines({ screen, blocks, modules, removals = [] }: CriterionResult): string[] {
  if (!screen) return [];
  const { exact, confirmed, margin } = screen;
  const within = margin === undefined ? '' : `: within ±${formatNumber(margin, 3)} nats`;
  if (removals.length > 0) {
    return [
      '',
      `each round was screened in int8 (per row)${within}; ${confirmed} of its models were computed in float32`,
    ];
  }
  const what = blocks ? 'block' : 'module';
  if (![...(blocks ?? []), ...(modules ?? [])].some((score) => markOf(score) === SCREENED)) return [];
  return [
    '',
    `${SCREENED} screened in int8 (per row)${within}, more for ${what}s that matter far more;`,
    `the others are float32: ${counted(confirmed, what)}, so that the ${exact} least important are certain`,
  ];
}

/** What dropped out of a race, and how sure that is. @param rows of the calibration */
function raceLines(
  { race, blocks, modules, screen, removals = [] }: CriterionResult,
  rows: number | undefined,
): string[] {
  if (!race) return [];
  const { confidence, wanted, read } = race;
  const sure = `${formatNumber(100 * confidence, 5)} % sure`;
  if (removals.length > 0) {
    return [
      '',
      `what cannot be the best of a round dropped out of its race (${sure}): ${formatPercent(read)} of the rows were read`,
    ];
  }
  const what = blocks ? 'block' : 'module';
  const dropped = [...(blocks ?? []), ...(modules ?? [])].filter((score) => markOf(score) === RACED);
  if (dropped.length === 0) return [];
  const counts = dropped.map(({ readRows = 0 }) => readRows);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const some = least === most ? `${least}` : `${least} to ${most}`;
  return [
    '',
    `${RACED} estimated from the first ${some}${rows === undefined ? '' : ` of ${rows}`} rows${screen ? ', in int8' : ''}: ${counted(dropped.length, what)}`,
    `that ${dropped.length === 1 ? 'is' : 'are'} not among the ${wanted} least important (${sure})`,
  ];
}

/** "original: perplexity 18.12"; with its KL divergence from the original where that is another model. */
function wholeWords({ ppl, kl = 0 }: NonNullable<CriterionResult['full']>, style: Style): string {
  const perplexity = `perplexity ${style.bold(formatNumber(ppl))}`;
  return Math.abs(kl) < 1e-5
    ? `original: ${perplexity}`
    : `all blocks: ${perplexity}, KL divergence from the original ${formatNumber(kl)} nats`;
}

/** Scores have no order if the loss is not finite or no score is finite. */
function isOrdered({ full, blocks = [], modules = [] }: CriterionResult): boolean {
  const isFinite = ({ score }: { readonly score: number }): boolean => Number.isFinite(score);
  return Number.isFinite(full?.meanNll ?? 0) && [...blocks, ...modules].some(isFinite);
}

function scoreTable(name: string, entries: readonly Entry[]): string[] {
  const bars = barsOf(entries.map(([, { score }]) => score));
  const sure = entries.some(([, { jointLow }]) => jointLow !== undefined);
  const rows = entries.map(([label, { score, margin, readRows, jointLow = NaN, jointHigh = NaN }], i) => [
    label,
    `${markOf({ margin, readRows })}${formatNumber(score)}`,
    ...(sure ? [`${formatNumber(jointLow, 4)} – ${formatNumber(jointHigh, 4)}`] : []),
    bars[i],
  ]);
  const score = entries.some(([, { kl }]) => kl !== undefined) ? '>KL (nats)' : '>score';
  return table([`>${name}`, score, ...(sure ? ['95% interval'] : []), ''], rows);
}

/** The best window of every size. `--json` has the full list. */
function windowTable(windows: NonNullable<CriterionResult['windows']>): string[] {
  const sizes = [...new Set(windows.map(({ size }) => size))].sort((a, b) => a - b);
  const rows = sizes.map((size) => {
    const ofSize = windows.filter((window) => window.size === size);
    const best = ofSize.reduce((a, b) => (b.score < a.score ? b : a));
    return [
      String(size),
      size === 1 ? String(best.start) : `${best.start}-${best.start + size - 1}`,
      formatNumber(best.score),
    ];
  });
  return table(['>size', 'lowest window', '>angular distance'], rows);
}

function removalTable(removals: NonNullable<CriterionResult['removals']>): string[] {
  const compared = removals.some(({ kl }) => kl !== undefined);
  const what = removals.some(({ saves }) => saves !== undefined) ? 'part' : 'block';
  const names = removedJson(removals).map(String);
  const rows = removals.map(({ ppl, kl = NaN }, i) => [
    String(i + 1),
    names[i],
    formatNumber(ppl),
    ...(compared ? [formatNumber(kl)] : []),
  ]);
  return table(['>step', `>${what} removed`, '>perplexity after it', ...(compared ? ['>KL (nats)'] : [])], rows);
}

/** The option that leaves out the same parts, and what it is good for. */
export const leftOutLines = (leftOut: NonNullable<CriterionResult['leftOut']>): string[] => [
  '',
  `without all of them: --remove ${leftOut.join(',')}`,
  leftOut.every((part) => typeof part === 'number')
    ? `whole blocks cost least for what they save: prune --blocks ${leftOut.join(',')} writes a checkpoint without them`
    : 'eval, generate, bench and heal --patch take it; no checkpoint is written without single modules',
];

/** The set, and those that it was compared with. */
function energyLines({ blocks, kl, ppl, healed, ranked, finalists }: EnergyResult, style: Style): string[] {
  const rows = finalists.map((each) => [
    each.blocks.join(', '),
    formatNumber(each.energy),
    formatNumber(each.kl),
    ...(healed === undefined ? [] : [formatNumber(each.healed ?? NaN)]),
  ]);
  const after = healed === undefined ? '' : `, ${formatNumber(healed)} after a quick healing`;
  return [
    `removed together: ${style.bold(blocks.join(', '))}`,
    `KL divergence from the original ${style.bold(formatNumber(kl))}${after}, perplexity ${formatNumber(ppl)}`,
    '',
    ...table(['blocks', '>energy', '>KL (nats)', ...(healed === undefined ? [] : ['>healed'])], rows),
    '',
    ranked === null
      ? 'the nearest of the sets of least energy that annealing found'
      : `the nearest of the sets of least energy, of ${formatCount(ranked)} sets`,
  ];
}

/** The names of a set, and of the one where the search started. */
interface SearchWords {
  readonly what: 'blocks' | 'parts';
  readonly found: readonly (number | string)[];
  readonly from: readonly (number | string)[];
}

/** The set, where the search started, and the generations that found a better one. */
function searchLines(
  { what, found, from }: SearchWords,
  { kl, ppl, start, trajectory, sets }: SearchCourse & Fitness & { readonly start: Fitness },
  style: Style,
): string[] {
  const better = trajectory.filter(({ kl: now }, i) => i === 0 || now < trajectory[i - 1].kl);
  const generations = counted(trajectory.length - 1, 'generation');
  return [
    `removed together: ${style.bold(found.join(', '))}`,
    `KL divergence from the original ${style.bold(formatNumber(kl))}, perplexity ${formatNumber(ppl)}`,
    `greedy start: ${from.join(', ')}, KL ${formatNumber(start.kl)}`,
    '',
    ...table(
      ['>generation', '>best KL'],
      better.map((each) => [String(each.generation), formatNumber(each.kl)]),
    ),
    '',
    `${generations}, ${counted(sets, 'set')} of ${what} measured`,
  ];
}

/**
 * Bars starting at the lowest score, at most `width` wide. One block often has a far larger score than all others, so
 * the scale ends at twice the distance of the upper quartile, and longer bars are cut. A score that is not finite has
 * no bar.
 */
export function barsOf(scores: readonly number[], width = BAR): string[] {
  const finite = scores.filter((score) => Number.isFinite(score)).sort((a, b) => a - b);
  if (finite.length === 0) return scores.map(() => '');
  const [lowest] = finite;
  const quartile = finite[Math.floor((finite.length - 1) * 0.75)];
  const span = Math.min(finite[finite.length - 1] - lowest, 2 * (quartile - lowest)) || 1;
  return scores.map((score) => {
    if (Number.isNaN(score)) return '';
    const share = Number.isFinite(score) ? (score - lowest) / span : 1;
    return '█'.repeat(Math.max(1, Math.min(width, Math.round(share * width)))) + (share > 1 ? '…' : '');
  });
}
