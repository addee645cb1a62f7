/**
 * The original beside what was made of it, from records alone: what decides whether a model ships. Each row is one number
 * of all models under one condition, which it names; for what is missing, the command that measures it.
 */
import { isProbeName, PROBE_NAMES, PROBE_TITLES, UNABLE } from '../../../format/probes';
import { mayOverlap, type ReadText } from '../../../format/text-share';
import { namesOnTop } from '../../../format/on-top';
import { formatFactor, formatPercent } from '../../../format/numbers';
import { speedChange } from '../../../format/speeds';
import type { FrontierDigest, RanDigest, RunDigest } from '../digest-types';
import { recordKind } from '../kinds';
import { textsUsedIn } from '../used-texts';
import { textOfKey } from '../rows-key';
import { vocabulariesDiffer } from '../../../format/vocabularies';
import { ranWords } from '../ran';
import { type Fact, factsOf, type Measure } from './facts';
import { knownFacts, type KnownModel, type ShippedFiles } from './known';
import { type Missing, missingOf, WANTED_SAMPLES } from './missing';
import { isWhole, labelBeside, labelOf, type ModelRef, refOf } from './models';
import { modelOf } from './run-models';
import { sizesOf } from './sizes';
import { type Written, writtenOf } from './written';

export interface BeforeAfter {
  /** The last result, which the page is about. */
  readonly subject: string;
  /** The original first; of the same checkpoint without its name: "without 10, 12". */
  readonly models: readonly string[];
  readonly rows: readonly Row[];
  readonly samples: readonly Sample[];
  /** Programs that ran files of these models. */
  readonly ran: readonly Ran[];
  readonly missing: readonly Missing[];
  /** Sizes of the original against perplexity, if they were measured. */
  readonly sizes?: FrontierDigest;
  /** The column that decides: of the file that ships if it was measured beside the original, else the last one. */
  readonly judged: number;
  /** The models have different vocabularies: bits per byte take the place of perplexities. */
  readonly otherVocabularies?: true;
}

/** What the page is about. */
export interface About {
  /** Identity of the original's files; the model that others were compared with when undefined. */
  readonly original?: string;
  /** Identity of the one result that is decided on; the last one when undefined. What others lack is not missing then. */
  readonly subject?: string;
  /** Identity of the file that ships, if it is a model of its own. */
  readonly shipped?: string;
  /** Texts that chose the blocks or fitted the weights of the results; those of the runs when undefined. */
  readonly used?: readonly ReadText[];
  /** Models whose files are at hand, so that their sizes are known without a run. */
  readonly known?: readonly (KnownModel & { readonly shipped?: ShippedFiles })[];
}

export interface Ran {
  readonly file: string;
  /** "llama.cpp 3.22.1 (16 of 16 tokens the same), …" */
  readonly programs: string;
}

export interface Row {
  readonly measure: Measure;
  readonly name: string;
  /** In the order of the models; null if no run has measured it under this condition. */
  readonly cells: readonly (Cell | null)[];
  /** Text or items, precision, device. */
  readonly of: string;
  /** Its text chose the blocks or fitted the weights of a result, so that the numbers are too good. */
  readonly flatters?: true;
  /** Of a probe: the original is no better than a model that guesses. */
  readonly unable?: true;
  /** Speeds that were only observed while the models wrote a text, once and without warm-up. */
  readonly rough?: true;
}

export interface Cell {
  readonly value: number;
  readonly text: string;
  /** Compared with the original: "1.31×", "−2.1 points ± 1.4", "≈" of speeds that may be the same; empty for the original. */
  readonly change: string;
}

export interface Sample {
  readonly prompt: string;
  readonly of: string;
  /** In the order of the models. */
  readonly texts: readonly { readonly text: string; readonly repetition: number | null }[];
}

/** More would not fit beside each other. */
const MAX_RESULTS = 4;

/** @returns undefined if the runs are not about an original and at least one model made from it */
export function beforeAfter(runs: readonly RunDigest[], about: About = {}): BeforeAfter | undefined {
  const { known = [], subject } = about;
  const found = byName([...runs.flatMap(factsOf), ...knownFacts(known)], runs.flatMap(writtenOf));
  const before = originalOf(found, runs, about.original);
  if (!before) return undefined;
  const last = subject === undefined ? undefined : wholeOf(found, subject);
  if (subject !== undefined && (!last || last.key === before.key)) return undefined;
  const results = resultsOf(found, before, last);
  if (results.length === 0) return undefined;
  const models = [before, ...results];
  const pair = last && [before, last];
  const isUsed = usedBy(about.used ?? textsUsedIn(runs));
  const apart = haveOtherVocabularies(models, found.facts, known);
  const hidden: readonly Measure[] = apart ? ['ppl'] : ['bits', 'vocabulary'];
  const isShown = ({ measure }: Fact): boolean => !hidden.includes(measure);
  const measured = rowsOf(found.facts.filter(isShown), models, { pair, isUsed });
  const judged = judgedColumn(measured, models, about.shipped);
  const file = known.find(({ identity }) => identity === last?.identity)?.shipped;
  const isOther = file !== undefined && !file.planned && judged === models.length - 1 && file.name !== last?.name;
  const rows = isOther ? measured.map((row) => ofCheckpoint(row, file.name)) : measured;
  const samples = samplesOf(found.written, models, pair);
  const sizes = sizesOf(runs, before.identity);
  return {
    subject: labelOf(models.at(-1)!),
    models: models.map((model) => labelBeside(model, before)),
    rows,
    samples,
    ran: ranIn(runs, models),
    missing: missingOf(rows, samples, models, { pair, apart }),
    judged,
    ...(sizes && { sizes }),
    ...(apart && { otherVocabularies: true as const }),
  };
}

/** Whether the vocabularies of the models differ, as far as their files or the runs tell. */
function haveOtherVocabularies(
  models: readonly ModelRef[],
  facts: readonly Fact[],
  known: readonly KnownModel[],
): boolean {
  return vocabulariesDiffer(
    models.map(
      ({ key, identity }) =>
        known.find((each) => each.identity === identity)?.vocabulary ??
        facts.find((fact) => fact.model.key === key && fact.vocabulary !== undefined)?.vocabulary,
    ),
  );
}

/** A perplexity of the checkpoint is not that of the file that was exported from it. */
const ofCheckpoint = (row: Row, file: string): Row =>
  isPerplexity(row) ? { ...row, of: `${row.of}; of the checkpoint, not of ${file}` } : row;

/** How well the models predict the text. */
const isPerplexity = ({ measure }: Pick<Row, 'measure'>): boolean => measure === 'ppl' || measure === 'bits';

/** Whether the rows of a condition are of a text that chose or fitted. */
const usedBy =
  (used: readonly ReadText[]) =>
  (condition: string): boolean => {
    const text = textOfKey(condition.replace(/^rows /, ''));
    return text !== undefined && used.some((each) => mayOverlap(each, text));
  };

function judgedColumn(rows: readonly Row[], models: readonly ModelRef[], shipped: string | undefined): number {
  const column = shipped === undefined ? -1 : models.findIndex(({ identity }) => identity === shipped);
  const ppl = rows.find(isPerplexity);
  return column > 0 && ppl?.cells[column] ? column : models.length - 1;
}

interface Found {
  readonly facts: readonly Fact[];
  readonly written: readonly Written[];
}

/** A model that a run knows only by the name of its folder is the one of this name that others know by its files. */
function byName(facts: readonly Fact[], written: readonly Written[]): Found {
  const known = new Map<string, ModelRef>();
  for (const { model } of [...facts, ...written])
    if (model.identity !== undefined && isWhole(model)) known.set(model.name, model);
  const named = <T extends { readonly model: ModelRef }>(each: T): T => {
    const same = each.model.identity === undefined && isWhole(each.model) ? known.get(each.model.name) : undefined;
    return same ? { ...each, model: same } : each;
  };
  return { facts: facts.map(named), written: written.map(named) };
}

function originalOf({ facts, written }: Found, runs: readonly RunDigest[], identity?: string): ModelRef | undefined {
  const named = runs.flatMap(({ model, quality = [] }) => [
    refOf({ ...model, removed: [] }),
    ...quality.flatMap(({ against }) => (against ? [refOf({ ...against, name: against.model, removed: [] })] : [])),
  ]);
  const whole = [...[...facts, ...written].map(({ model }) => model).filter(isWhole), ...named];
  if (identity !== undefined) return whole.find((model) => model.identity === identity);
  const against = runs.flatMap(({ quality = [] }) => quality.flatMap((each) => each.against?.identity ?? []));
  const firsts = runs.flatMap(({ tasks }) =>
    tasks && tasks.models.length > 1 ? (tasks.models[0].identity ?? []) : [],
  );
  const sources = runs.flatMap(({ kind, model }) => (recordKind(kind).cuts ? (model.identity ?? []) : []));
  const changed = [...facts, ...written].flatMap(({ model }) => (isWhole(model) ? [] : (model.identity ?? [])));
  const wanted = [...against, ...firsts, ...sources, ...changed].map((each) =>
    whole.find((model) => model.identity === each),
  );
  return wanted.find((model) => model !== undefined) ?? whole[0];
}

/** The model with these files, as a run or the caller names it. */
const wholeOf = ({ facts, written }: Found, identity: string): ModelRef | undefined =>
  [...facts, ...written].map(({ model }) => model).find((model) => model.identity === identity && isWhole(model));

/**
 * The other models, plain removals first, then the earliest; of too many the newest.
 * @param last the one that the page is about; the last one by this order when undefined
 */
function resultsOf({ facts, written }: Found, before: ModelRef, last?: ModelRef): ModelRef[] {
  const models = new Map<string, { readonly model: ModelRef; readonly started: string }>();
  const told = [...facts.filter(({ aside }) => !aside), ...written];
  for (const { model, started } of [...told].sort((a, b) => a.started.localeCompare(b.started)))
    if (model.key !== before.key && model.key !== last?.key && !models.has(model.key))
      models.set(model.key, { model, started });
  const all = [...models.values()].slice(-(last ? MAX_RESULTS - 1 : MAX_RESULTS)).map(({ model }) => model);
  return [...all.filter(isPlain), ...all.filter((model) => !isPlain(model)), ...(last ? [last] : [])];
}

/** Blocks are left out, and nothing brings back what that costs. */
const isPlain = (model: ModelRef): boolean => !isWhole(model) && namesOnTop(model).length === 0;

const NAMES: Readonly<Partial<Record<Measure, string>>> = {
  ppl: 'Perplexity',
  bits: 'Bits per byte',
  kl: 'KL divergence from the original',
  top1: 'Same next token',
  repetition: 'Repetition of greedy texts',
  accuracy: 'Accuracy, mean of the tasks',
  vocabulary: 'Tokens of the vocabulary',
  parameters: 'Parameters',
  bytes: 'Size',
  shipped: 'Size as it ships',
  prefill: 'Prefill speed',
  decode: 'Decoding speed',
  memory: 'Peak memory',
};

/** Measures of one evaluation: they stand on the rows that perplexity stands on. */
const OF_ROWS: readonly Measure[] = ['kl', 'top1', 'repetition'];

type Pair = readonly ModelRef[];

/** Which conditions come first. */
interface Preference {
  /** The original and the result that is decided on. */
  readonly pair?: Pair;
  readonly isUsed: (condition: string) => boolean;
}

function rowsOf(facts: readonly Fact[], models: readonly ModelRef[], preference: Preference): Row[] {
  const told = [...new Set(facts.map(({ measure }) => measure))];
  const tasks = told.filter((measure) => measure.startsWith('task '));
  const probes = PROBE_NAMES.map((name): Measure => `probe ${name}`);
  const throughputs = told.filter((measure) => measure.startsWith('throughput '));
  const order: Measure[] = [
    'ppl',
    'bits',
    ...OF_ROWS,
    'accuracy',
    ...tasks,
    ...probes,
    'vocabulary',
    'parameters',
    'bytes',
    'shipped',
    'prefill',
    'decode',
    ...throughputs,
    'memory',
  ];
  const ofRows = conditionFor('ppl', facts, models, preference);
  const ofTasks = conditionFor('accuracy', facts, models, preference);
  return order.flatMap((measure): Row[] => {
    const isOfRows = isPerplexity({ measure }) || OF_ROWS.includes(measure);
    const isOfWindows = isOfRows && measure !== 'bits' && ofRows !== undefined;
    const isOfTasks = measure === 'accuracy' || measure.startsWith('task ');
    const usual = isOfWindows ? ofRows : isOfTasks ? ofTasks : undefined;
    const condition = usual ?? conditionFor(measure, facts, models, preference);
    const own = facts.filter((fact) => fact.measure === measure && fact.condition === condition);
    const found = models.map((model) => newest(own.filter((fact) => fact.model.key === model.key)));
    const first = found.find((fact) => fact !== undefined);
    if (!first) return [];
    const cells = found.map(
      (fact, m) => fact && { value: fact.value, text: fact.text, change: m === 0 ? '' : changeOf(fact, found[0]) },
    );
    const name = nameOf(measure);
    const rough = isRough(condition) && { rough: true as const };
    const flatters = isOfRows && preference.isUsed(first.condition) && { flatters: true as const };
    const unable = found[0]?.unable === true && { unable: true as const };
    const of = [first.of, ...(flatters ? [FLATTERS] : []), ...(unable ? [UNABLE] : [])].join('; ');
    return [{ measure, name, cells: cells.map((cell) => cell ?? null), of, ...flatters, ...unable, ...rough }];
  });
}

/** Beside a number. */
const FLATTERS = 'on a text that chose the blocks or fitted the weights, so it is too good';

const isRough = (condition = ''): boolean => condition.startsWith('writing ');

function nameOf(measure: Measure): string {
  const [kind, which] = measure.split(' ');
  if (kind === 'throughput') return which === '1' ? 'Throughput, one text' : `Throughput, ${which} texts`;
  if (kind === 'probe' && isProbeName(which)) return `Probe: ${PROBE_TITLES[which]}`;
  return NAMES[measure] ?? `Accuracy: ${measure.slice('task '.length)}`;
}

/**
 * The condition under which most of the models were measured, the original above all; of several the newest. A pair
 * that is decided on comes before any number of others, rows that chose nothing before those that did, and speeds that were
 * measured before those of a text.
 */
function conditionFor(
  measure: Measure,
  facts: readonly Fact[],
  models: readonly ModelRef[],
  { pair = [], isUsed }: Preference,
): string | undefined {
  const groups = new Map<string, { has: Set<string>; started: string }>();
  for (const { condition, model, started } of facts.filter((fact) => fact.measure === measure)) {
    if (!models.some(({ key }) => key === model.key)) continue;
    const group = groups.get(condition) ?? { has: new Set(), started: '' };
    group.has.add(model.key);
    groups.set(condition, { has: group.has, started: started > group.started ? started : group.started });
  }
  const worth = ([condition, { has }]: readonly [string, { readonly has: ReadonlySet<string> }]): number => {
    const isBeside = has.has(models[0].key) && has.size > 1;
    const isPair = pair.length > 0 && pair.every(({ key }) => has.has(key));
    const doubts = isRough(condition) ? 2 : isUsed(condition) ? 1 : 0;
    return (
      (isPair ? (4 - doubts) * models.length : 0) +
      (isBeside ? models.length : 0) +
      has.size +
      (isBeside && doubts === 0 ? 1 / 2 : 0)
    );
  };
  const best = [...groups].sort((a, b) => worth(b) - worth(a) || b[1].started.localeCompare(a[1].started));
  return best[0]?.[0];
}

const newest = <T extends { readonly started: string }>(all: readonly T[]): T | undefined =>
  [...all].sort((a, b) => b.started.localeCompare(a.started))[0];

export const isSpeed = (measure: Measure): boolean =>
  measure === 'prefill' || measure === 'decode' || measure.startsWith('throughput ');

const SIZES: readonly Measure[] = ['vocabulary', 'parameters', 'bytes', 'shipped', 'memory'];

function changeOf(fact: Fact, before: Fact | undefined): string {
  const { measure, value, paired } = fact;
  if (
    before === undefined ||
    before.unable === true ||
    measure === 'kl' ||
    measure === 'top1' ||
    measure === 'repetition'
  )
    return '';
  if (measure === 'accuracy' || /^(task|probe) /.test(measure)) {
    const isPaired = paired?.to.key === before.model.key;
    const points = 100 * (isPaired ? paired.difference : value - before.value);
    const interval = isPaired && paired.interval !== null ? ` ± ${(100 * paired.interval).toFixed(1)}` : '';
    return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)} points${interval}`;
  }
  if (isSpeed(measure)) return speedChange(fact, before);
  if (SIZES.includes(measure)) return formatPercent(value / before.value - 1).replace('-', '−');
  return formatFactor(value / before.value);
}

/** Prompts that the original and the most results have continued in the same way; a pair that is decided on, both. */
function samplesOf(written: readonly Written[], models: readonly ModelRef[], pair?: Pair): Sample[] {
  const conditions = [...new Set(written.map(({ condition }) => condition))];
  const groups = conditions.flatMap((condition) => {
    const own = written.filter((each) => each.condition === condition);
    const texts = models.map((model) => newest(own.filter((each) => each.model.key === model.key)));
    const count = texts.filter((each) => each !== undefined).length;
    const last = pair && texts.at(-1) === undefined;
    return texts[0] && count > 1 && !last ? [{ texts, count, first: texts[0] }] : [];
  });
  groups.sort((a, b) => b.count - a.count || b.first.started.localeCompare(a.first.started));
  const prompts = new Set<string>();
  const chosen = groups.filter(({ first: { prompt } }) => !prompts.has(prompt) && prompts.add(prompt));
  return chosen.slice(0, WANTED_SAMPLES).map(({ texts, first: { prompt, of } }) => ({
    prompt,
    of,
    texts: texts.map((each) => ({ text: each?.text ?? '', repetition: each?.repetition ?? null })),
  }));
}

/** Of files that were written from one of the models, or are one; of each file and program the newest run. */
function ranIn(runs: readonly RunDigest[], models: readonly ModelRef[]): Ran[] {
  const keys = new Set(models.map(({ key }) => key));
  const files = new Map<string, Map<string, RanDigest['programs'][number]>>();
  for (const run of [...runs].sort((a, b) => a.started.localeCompare(b.started))) {
    const { ran } = run;
    if (!ran || !(keys.has(modelOf(run).key) || models.some(({ name }) => name === ran.file))) continue;
    const programs = files.get(ran.file) ?? new Map<string, RanDigest['programs'][number]>();
    for (const program of ran.programs) programs.set(`${program.name} ${program.of}`, program);
    files.set(ran.file, programs);
  }
  return [...files].map(([file, programs]) => ({ file, programs: ranWords([...programs.values()]) }));
}
