/**
 * The answer of a recipe: the original beside what ships, in one table, and a text of each. Whatever was not measured says
 * so. All numbers come from the results of the steps and from sizes of files. Pure.
 */
import { basename } from 'node:path';
import type { JsonObject } from '../../format/json';
import { formatBytes, formatFactor, shortCount } from '../../format/numbers';
import { capitalized, counted } from '../../format/words';
import { OTHER_VOCABULARIES } from '../../format/vocabularies';
import { joined } from '../../jobs/about';
import { JOBS } from '../../jobs/definitions';
import { blockList } from '../../jobs/facts';
import { checkpointName } from '../../jobs/titles';
import type { RecipeEnd, StepEnd } from '../types';
import { verdictWords } from '../words';
import { accuracyRows, haveOtherVocabularies, qualityRows } from './answer-rows';
import { speedNotes, speedRows } from './answer-speed';
import { checkpointsOf, isExport, Models, NOT_MEASURED, shippingStep, wayTo } from './shipped';

/** A line of the table, in words. */
export interface AnswerRow {
  readonly label: string;
  readonly original: string;
  readonly shipped: string;
  /** What became of it: "0.52×"; empty where that says nothing. */
  readonly change: string;
}

/** The same beginning, continued by both. */
export interface AnswerTexts {
  readonly prompt: string;
  readonly original: string;
  readonly shipped: string;
}

export interface Answer {
  /** What was done, in a sentence. */
  readonly done: string;
  /** Headings: what each is, and its name. */
  readonly original: string;
  readonly shipped: string;
  readonly rows: readonly AnswerRow[];
  /** How some of it was measured. */
  readonly notes: readonly string[];
  readonly texts: readonly AnswerTexts[];
  readonly isGood: boolean;
}

/** Undefined for a recipe that ships nothing. */
export function answerOf(end: RecipeEnd): Answer | undefined {
  const step = shippingStep(end);
  if (step === undefined || end.model === undefined) return undefined;
  const models = new Models(end, step.finished);
  const way = step.finished ? wayTo(step, end) : [];
  const removing = checkpointsOf(way).filter((each) => removedBy(each).length > 0);
  const removed = removing.flatMap(removedBy);
  return {
    done: doneWords(end, step, way, { removed, isOnce: removing.length === 1 }),
    original: `original: ${checkpointName(end.model)}`,
    shipped: `ships: ${step.finished?.outputs.map(({ path }) => basename(path)).join(', ') ?? 'nothing yet'}`,
    notes: [...speedNotes(end, models), ...(haveOtherVocabularies(end, models) ? [OTHER_VOCABULARIES] : [])],
    rows: [
      sizeRow(end, step),
      blocksRow(end, step, removed),
      ...qualityRows(end, step, models),
      ...accuracyRows(end, models),
      ...speedRows(end, step, models),
      ...limitRows(end),
      { label: 'verdict', original: '', shipped: verdictOf(end), change: '' },
    ],
    texts: textsOf(end, models),
    isGood: end.ended === 'done',
  };
}

const removedBy = ({ result }: StepEnd): (number | string)[] =>
  Array.isArray(result?.removed) ? (result.removed as (number | string)[]) : [];

function doneWords(
  { original, steps }: RecipeEnd,
  step: StepEnd,
  way: readonly StepEnd[],
  { removed, isOnce }: { readonly removed: readonly (number | string)[]; readonly isOnce: boolean },
): string {
  if (!step.finished) {
    return `Nothing was written yet: the step “${step.name}” ${step.state === 'failed' ? 'failed' : 'did not run'}.`;
  }
  const blocks = typeof original?.blocks === 'number' ? ` of ${counted(original.blocks, 'block')}` : '';
  // Numbers of a second step are those of the shorter model, and not the original's.
  const gone =
    removed.length === 0
      ? 'no block removed'
      : `${removed.length}${blocks} removed${isOnce ? ` (${blockList(removed)})` : ''}`;
  const others = way.toReversed().map(({ job, result }) => JOBS[job].did?.(result ?? {}) ?? '');
  const written = isExport(step) ? [`written as ${typeWords(step.result)}`] : [];
  const from = steps.find(({ job }) => JOBS[job].givesScores)?.result?.criterion;
  const by = removed.length > 0 && typeof from === 'string' ? [`chosen by ${from}`] : [];
  return `${capitalized(joined(gone, ...by, ...new Set(others), ...written))}.`;
}

/** "GGUF q8_0" */
function typeWords({ format, type }: JsonObject = {}): string {
  const name = format === 'safetensors' ? format : String(format).toUpperCase();
  return typeof type === 'string' && type !== 'stored' ? `${name} ${type}` : name;
}

function sizeRow({ original }: RecipeEnd, step: StepEnd): AnswerRow {
  const { finished, result } = step;
  const bytes = finished?.outputs.reduce((sum, output) => sum + output.bytes, 0);
  const type = typeof original?.type === 'string' ? ` (${original.type})` : '';
  const own = isExport(step) ? ` (${typeWords(result)})` : '';
  return {
    label: 'size of the files',
    original: original ? `${formatBytes(original.bytes)}${type}` : NOT_MEASURED,
    shipped: bytes === undefined ? 'not written' : `${formatBytes(bytes)}${own}`,
    change: original && bytes !== undefined ? formatFactor(bytes / original.bytes) : '',
  };
}

function blocksRow({ original }: RecipeEnd, { finished, result }: StepEnd, removed: readonly unknown[]): AnswerRow {
  const { blocks = null, parameters = null } = original ?? {};
  const words = (count: number | null, parts: unknown): string =>
    [
      ...(count === null ? [] : [counted(count, 'block')]),
      ...(typeof parts === 'number' ? [`${shortCount(parts)} parameters`] : []),
    ].join(', ') || NOT_MEASURED;
  // Attention or FFN alone leave the count as it is.
  const whole = removed.filter((each) => typeof each === 'number').length;
  const after = result?.parametersAfter;
  return {
    label: 'blocks',
    original: words(blocks, parameters),
    shipped: finished ? words(blocks === null ? null : blocks - whole, after) : 'not written',
    change: typeof after === 'number' && parameters !== null ? formatFactor(after / parameters) : '',
  };
}

const limitRows = ({ limits }: RecipeEnd): AnswerRow[] =>
  limits.map((verdict) => ({
    label: `limit ${verdict.limit} (${verdict.step})`,
    original: '',
    shipped: verdictWords(verdict),
    change: verdict.kept ? 'kept' : 'broken',
  }));

function verdictOf({ ended, limits, steps, quick }: RecipeEnd): string {
  const broken = limits.filter(({ kept }) => !kept).map(({ limit }) => limit);
  const failed = steps.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const words =
    ended === 'failed'
      ? `not finished: ${failed.join(', ')} failed`
      : broken.length > 0
        ? `breaks ${broken.join(', ')}`
        : limits.length > 0
          ? `keeps ${counted(limits.length, 'limit')}`
          : 'no limit was set: judge by the numbers';
  return quick ? `${words} (a quick try)` : words;
}

function textsOf({ steps }: RecipeEnd, models: Models): AnswerTexts[] {
  const written = steps.flatMap(({ job, finished, result }) => {
    const whose = job === 'generate' && finished ? models.of(finished.options) : undefined;
    const { text } = result ?? {};
    const prompt = finished?.options.prompt;
    return whose && typeof text === 'string' && typeof prompt === 'string' ? [{ whose, text, prompt }] : [];
  });
  const by = (prompt: string, ...whose: readonly string[]): string | undefined =>
    written.findLast((each) => each.prompt === prompt && whose.includes(each.whose))?.text;
  return [...new Set(written.map(({ prompt }) => prompt))].map((prompt) => ({
    prompt,
    original: by(prompt, 'original') ?? NOT_MEASURED,
    shipped: by(prompt, 'shipped') ?? by(prompt, 'unwritten') ?? NOT_MEASURED,
  }));
}
