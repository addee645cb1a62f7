/**
 * The history of a retrained checkpoint, in words for its model card: the retraining, from the record beside the
 * adapter, and the pruning before it, from the record inside the base checkpoint. Records of other versions may lack
 * fields; missing facts are not mentioned.
 */
import { formatCount } from '../../format/numbers';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { codeSpan, inline } from '../markdown';
import { entries, finite, objects, text } from './fields';
import { recordKind } from './kinds';
import type { RunRecord } from './record';

/**
 * "`mine` itself is `SmolLM2-135M` without blocks 4, 13, chosen by criterion (ppl), and healed in closed form (refit).";
 * undefined if it was not made by pruning.
 */
export function pruningWords(name: string, record: RunRecord | undefined): string | undefined {
  const parent = record?.inputs.find(({ role }) => role === 'model')?.name;
  if (!record || parent === undefined) return undefined;
  if (recordKind(record.kind).narrows) {
    const method = text(record.results.method);
    const how = method === undefined ? '' : ` (${inline(method)})`;
    return `${codeSpan(name)} itself is ${codeSpan(parent)} with fewer attention heads and neurons${how}.`;
  }
  const removed = entries(record.results.removed);
  if (removed.length === 0) return undefined;
  const { chosen, criterion } = record.settings;
  const why = text(chosen) === undefined ? '' : `, chosen ${inline(text(chosen)!)}`;
  const by = text(criterion) === undefined ? '' : ` (${inline(text(criterion)!)})`;
  const blocks = `${removed.length === 1 ? 'block' : 'blocks'} ${inline(removed.join(', '))}`;
  return `${codeSpan(name)} itself is ${codeSpan(parent)} without ${blocks}${why}${by}${healing(record)}.`;
}

/** ", and healed in closed form (refit)"; empty for plain weights. */
function healing({ kind, results }: RunRecord): string {
  const method = text(results.method);
  if (!recordKind(kind).heals || results.weights !== 'healed' || method === undefined) return '';
  return `, and healed in closed form (${inline(method)})`;
}

/** The adapter's training data, duration and effect: lines of a list. */
export function trainingLines(record: RunRecord | undefined): string[] {
  if (!record || !recordKind(record.kind).trains) return [];
  const { results, settings } = record;
  return [
    ...dataLines(results.data),
    ...stepLines(results, settings),
    ...precisionLines(record),
    ...perplexityLines(results),
  ];
}

function dataLines(data: unknown): string[] {
  if (!isObject(data)) return [];
  const files = objects(data.files).flatMap(({ file, kind }) => {
    const [name, what] = [text(file), text(kind)];
    return name === undefined ? [] : [`${codeSpan(name)}${what === undefined ? '' : ` (${inline(what)})`}`];
  });
  const examples = counted(data.train, 'examples');
  const heldOut = counted(data.heldOut, 'held out');
  const sizes = [examples, heldOut].filter((words) => words !== undefined).join(', ');
  return files.length === 0 ? [] : [`data: ${files.join(', ')}${sizes === '' ? '' : `; ${sizes}`}`];
}

function counted(part: unknown, what: string): string | undefined {
  const count = isObject(part) ? finite(part.examples) : null;
  return count === null ? undefined : `${formatCount(count)} ${what}`;
}

function stepLines({ steps }: JsonObject, { batch, learningRate }: JsonObject): string[] {
  const count = finite(steps);
  if (count === null) return [];
  const rows = finite(batch) === null ? '' : ` of ${finite(batch)} rows`;
  const rate = finite(learningRate) === null ? '' : `, learning rate ${finite(learningRate)}`;
  return [`training: ${count} steps${rows}${rate}`];
}

function precisionLines({ precision }: RunRecord): string[] {
  if (precision !== 'int8') return [];
  return [
    'precision: products of frozen weights were computed with 8-bit integers (int8 per row), all else in float32',
  ];
}

/** Perplexity before training and of the kept parameters, and the unpruned model's. */
function perplexityLines({ evaluations, best, unpruned }: JsonObject): string[] {
  const first = objects(evaluations).find(({ step }) => step === 0);
  const [before, after, whole] = [first, best, unpruned].map((look) =>
    isObject(look) ? parseJsonNumber(look.ppl) : undefined,
  );
  if (before === undefined || after === undefined) return [];
  const beside = whole === undefined ? '' : `; ${digits(whole)} of the original`;
  return [
    `perplexity of the part of these data that was held out: ${digits(before)} before, ${digits(after)} after${beside}`,
  ];
}

const digits = (value: number): string => value.toPrecision(4);
