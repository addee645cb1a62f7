/**
 * The original beside what was made of it, from records alone: what decides whether a model ships. Each row is one number
 * of all models under one condition, which it names; for what is missing, the command that measures it.
 */
import { mayOverlap, type ReadText } from '../../../format/text-share';
import type { FrontierDigest, RanDigest, RunDigest } from '../digest-types';
import { textsUsedIn } from '../used-texts';
import { textOfKey } from '../rows-key';
import { vocabulariesDiffer } from '../../../format/vocabularies';
import { ranWords } from '../ran';
import { byName, originalOf, resultsOf, wholeOf } from './columns';
import { type Fact, factsOf, type Measure } from './facts';
import { knownFacts, type KnownModel, type ShippedFiles } from './known';
import { type Missing, missingOf, WANTED_SAMPLES } from './missing';
import { labelBeside, labelOf, type ModelRef } from './models';
import { isPerplexity, newest, type Pair, type Row, rowsOf } from './rows';
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

export interface Sample {
  readonly prompt: string;
  readonly of: string;
  /** In the order of the models. */
  readonly texts: readonly { readonly text: string; readonly repetition: number | null }[];
}

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
