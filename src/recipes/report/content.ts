/** What the report of a recipe's run says, in words, for the page and for Markdown alike. Paths are below known folders. */
import { basename, dirname, isAbsolute, relative } from 'node:path';
import { defined } from '../../format/defined';
import { shownText } from '../../engine/option-token';
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatPercent, shortNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { JOBS } from '../../jobs/definitions';
import type { Fact } from '../../jobs/facts';
import { checkpointName } from '../../jobs/titles';
import { stepsIn } from '../references';
import { forProbes, type LimitName } from '../recipe';
import type { RecipeTable } from '../table';
import { descriptionOf, titleOf } from '../title';
import type { RecipeEnd, StepEnd, LimitCheck } from '../types';
import { type Answer, answerOf } from './answer';
import { optionFacts, resultFacts } from './facts';
import { type ShownTable, tableValues } from './values';

export interface ReportContent {
  readonly title: string;
  readonly description?: string;
  /** Name of the model; undefined for a recipe without one. */
  readonly model?: string;
  /** How it ended, in a sentence. */
  readonly summary: string;
  readonly isWell: boolean;
  /** The original beside what ships; undefined for a recipe that ships nothing. */
  readonly answer?: Answer;
  /** Those that the answer does not tell. */
  readonly limits: readonly ShownLimit[];
  readonly tables: readonly ReportTable[];
  readonly steps: readonly ShownStep[];
  readonly remarks: readonly Remark[];
  readonly files: readonly ShownFile[];
  readonly facts: readonly Fact[];
}

export interface ShownLimit {
  readonly step: string;
  readonly limit: LimitName;
  readonly most: string;
  readonly measured: string;
  readonly kept: boolean;
}

/** A table and whose its numbers are. */
export interface ReportTable extends ShownTable {
  readonly own: string;
  readonly measured: string;
}

export interface ShownStep {
  readonly name: string;
  readonly job: string;
  readonly description?: string;
  readonly state: string;
  readonly time: string;
  readonly doing: readonly Fact[];
  readonly found: readonly Fact[];
  readonly failure?: string;
}

export interface Remark {
  readonly kind: 'warning' | 'note';
  readonly steps: readonly string[];
  readonly text: string;
}

export interface ShownFile {
  readonly step: string;
  readonly path: string;
  readonly bytes: string;
  /** The first digits of its SHA-256. */
  readonly digest: string;
}

export function contentOf(end: RecipeEnd): ReportContent {
  const { recipe, model } = end;
  const own = model === undefined ? undefined : checkpointName(model);
  const description = descriptionOf(recipe, end.variables);
  const tables = tableValues(end);
  const answer = answerOf(end);
  return {
    title: titleOf(recipe, end.variables),
    ...defined({ description, model: own }),
    summary: summaryOf(end),
    isWell: end.ended === 'done',
    ...(answer && { answer }),
    limits: answer ? [] : end.limits.map(shownLimit),
    tables: tables.map((table, at) => ({
      ...table,
      own: own ?? recipe.name,
      measured: measuredBy(end, recipe.tables[at]),
    })),
    steps: end.steps.map((step) => shownStep(end, step)),
    remarks: remarksOf(end.steps),
    files: end.steps.flatMap(({ name, finished }) =>
      (finished?.outputs ?? []).map(({ path, bytes, digest }) => {
        return { step: name, path: placeOf(end, path), bytes: formatBytes(bytes), digest: digest.slice(0, 12) };
      }),
    ),
    facts: factsOf(end),
  };
}

function summaryOf({ ended, steps, ran, quick, seconds, limits }: RecipeEnd): string {
  const before = steps.filter(({ state }) => state === 'kept').length;
  const failed = steps.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const broken = limits.filter(({ kept }) => !kept).map(({ step, limit }) => `${limit} of ${step}`);
  const how = {
    done: 'Done',
    limit: `A limit is broken (${broken.join(', ')})`,
    failed: `Failed${failed.length > 0 ? ` in ${failed.join(', ')}` : ''}`,
  }[ended];
  const counts = [`${counted(ran, 'step')} ran in ${formatSeconds(seconds)}`];
  if (before > 0) counts.push(`${counted(before, 'step')} had been done before`);
  const open = steps.filter(({ state }) => state === 'open').length;
  if (open > 0) counts.push(`${counted(open, 'step')} did not run`);
  return `${how}: ${counts.join(', ')}.${quick ? ' A quick try, with the small values of the recipe.' : ''}`;
}

const LIMIT_WORDS: Readonly<Record<LimitName, (value: number) => string>> = {
  maxPpl: (value) => shortNumber(value),
  maxKl: (value) => `${shortNumber(value)} nats`,
  minSame: (value) => formatPercent(value),
  maxRepetition: (value) => `+${shortNumber(100 * value)} points`,
  minAccuracy: (value) => formatPercent(value),
  ...forProbes((value: number) => `${shortNumber(100 * value)} points`),
  maxBytes: (value) => formatBytes(value),
};

const shownLimit = ({ step, limit, most, measured, kept }: LimitCheck): ShownLimit => {
  const words = LIMIT_WORDS[limit];
  return { step, limit, most: words(most), measured: words(measured), kept };
};

const STATES: Readonly<Record<StepEnd['state'], string>> = {
  done: 'ran',
  kept: 'done before',
  failed: 'failed',
  open: 'did not run',
};

function shownStep({ recipe }: RecipeEnd, end: StepEnd): ShownStep {
  const { name, job, description, state, finished, failure } = end;
  const step = recipe.steps.find((each) => each.name === name);
  return {
    name,
    job,
    ...(description !== undefined && { description }),
    state: STATES[state],
    time: finished ? formatSeconds(finished.seconds) : '',
    doing: step ? optionFacts(step, end) : [],
    found: resultFacts(end),
    ...(failure && { failure: shownText(`${failure.what}: ${failure.why}. ${failure.action}`) }),
  };
}

/** Each text once, with the steps that say it. */
function remarksOf(steps: readonly StepEnd[]): Remark[] {
  const said = new Map<string, { kind: Remark['kind']; steps: string[]; text: string }>();
  for (const kind of ['warning', 'note'] as const) {
    for (const { name, finished } of steps) {
      for (const text of finished?.[kind === 'warning' ? 'warnings' : 'notes'] ?? []) {
        const key = `${kind} ${text}`;
        const known = said.get(key) ?? { kind, steps: [], text: shownText(text) };
        known.steps.push(name);
        said.set(key, known);
      }
    }
  }
  return [...said.values()];
}

/** Below the recipe's folder if it is there, so that no path of the machine is told. */
function placeOf({ recipe, folder }: RecipeEnd, path: string): string {
  const ways = [dirname(recipe.file), folder].map((root) => relative(root, path));
  const way = ways.find((each) => !isAbsolute(each) && !each.startsWith('..')) ?? inFolder(path);
  return way.replaceAll('\\', '/');
}

/** "sample/evaluation.txt". */
const inFolder = (path: string): string => `${basename(dirname(path))}/${basename(path)}`;

/** Texts and questions, by the options that name them. */
const MATERIAL: Readonly<Record<string, string>> = {
  text: 'perplexity on',
  own: 'questions of',
  data: 'questions of',
  calibration: 'calibration by',
};

/** What the numbers of a table were measured on, and in which arithmetic. */
function measuredBy(end: RecipeEnd, table: RecipeTable): string {
  const names = new Set(stepsIn(table));
  const steps = end.steps.filter(({ name, finished }) => names.has(name) && finished);
  const words = Object.entries(MATERIAL).flatMap(([option, what]) => {
    const found = steps.flatMap(({ job, finished }) => {
      if (option === 'data' && JOBS[job].makes) return []; // it is fitted to them
      return [finished!.options[option] ?? []].flat(2).filter((path) => typeof path === 'string');
    });
    return found.length === 0 ? [] : [`${what} ${[...new Set(found.map(inFolder))].join(', ')}`];
  });
  return [...words, ...arithmeticOf(steps)].join('; ');
}

const arithmeticOf = (steps: readonly StepEnd[]): string[] => [
  ...new Set(
    steps.flatMap(({ result, finished }) => {
      const precision = typeof result?.precision === 'string' ? result.precision : undefined;
      const device = typeof result?.device === 'string' ? result.device : finished?.device;
      return precision === undefined ? [] : [arithmeticWords(precision, device)];
    }),
  ),
];

function factsOf(end: RecipeEnd): Fact[] {
  const { recipe, started, coppice, steps, seconds } = end;
  const versions = [...new Set([coppice, ...steps.flatMap(({ finished }) => finished?.coppice ?? [])])];
  const before = steps.flatMap(({ state, finished }) => (state === 'kept' && finished ? finished.seconds : []));
  const devices = [...new Set(steps.flatMap(({ finished }) => finished?.device ?? []))];
  return [
    ['recipe', basename(recipe.file)],
    ['started', started],
    ['this run', formatSeconds(seconds)],
    ...(before.length > 0
      ? [['steps done before', formatSeconds(before.reduce((sum, each) => sum + each, 0))] as const]
      : []),
    ...(devices.length > 0 ? [['computed on', devices.join(', ')] as const] : []),
    ['Coppice', versions.join(', ')],
    ['results and records', placeOf(end, end.folder) || basename(end.folder)],
  ];
}
