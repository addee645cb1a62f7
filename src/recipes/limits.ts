/** Limits of a recipe: what a step's result says to them. */
import { parseJsonNumber, isObject, type JsonObject } from '../format/json';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { gatesIn } from '../jobs/result-fields';
import { parseBytes } from '../jobs/values';
import { UserError } from '../engine/errors';
import { forProbes, LIMIT_NAMES, type LimitName, type Limits, type ProbeLimit } from './recipe';
import { writesProducts } from './outputs';
import type { FinishedStep, LimitCheck } from './types';

/** The limits that a step of the kind can be judged by. */
export function measuresOf(kind: Kind, options: JsonObject): LimitName[] {
  const gates = gatesIn(JOBS[kind].result).filter(({ needs }) => needs === undefined || options[needs] !== undefined);
  const writes = writesProducts(kind, options);
  return [...new Set<LimitName>([...gates.map(({ limit }) => limit), ...(writes ? (['maxBytes'] as const) : [])])];
}

/** What a finished step measured for a limit; undefined if its result lacks it. */
export function measured(limit: LimitName, { job, outputs }: FinishedStep, result: JsonObject): number | undefined {
  if (limit === 'maxBytes') return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const gates = gatesIn(JOBS[job].result).filter((gate) => gate.limit === limit);
  const found = gates.flatMap(({ path }) => valuesAt(result, path)).flatMap((value) => numberOf(value) ?? []);
  return gates.some(({ of }) => of === 'worst') && found.length > 0 ? Math.max(...found) : found.at(-1);
}

function valuesAt(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (name === undefined) return [value];
  if (name === '*') return Array.isArray(value) ? value.flatMap((item) => valuesAt(item, rest)) : [];
  return isObject(value) ? valuesAt(value[name], rest) : [];
}

/** Of repetition what is above the unpruned model's; less is no gain. */
function numberOf(value: unknown): number | undefined {
  if (!isObject(value)) return parseJsonNumber(value);
  const [own, unpruned] = [parseJsonNumber(value.mean), parseJsonNumber(value.unpruned)];
  return own === undefined || unpruned === undefined ? undefined : Math.max(0, own - unpruned);
}

/** Limits that need an unpruned model beside the measured one. */
const COMPARED: readonly LimitName[] = ['maxKl', 'minSame', 'maxRepetition'];

/** Whether the limit is on what is lost in probes, of all of them or of one. */
export const isOfProbes = (limit: LimitName): limit is 'maxProbeLoss' | ProbeLimit => limit.startsWith('maxProbeLoss');

/** Whether the limit is the least that is accepted. */
export const isLeast = (limit: LimitName): boolean => limit === 'minAccuracy' || limit === 'minSame';

/**
 * The verdicts on a finished step. A number that is not finite keeps to no limit.
 * @param limits with every value in place
 * @throws UserError for a limit that is no number, or one that the result has no number for
 */
export function judge(step: FinishedStep, result: JsonObject, limits: Limits): LimitCheck[] {
  return LIMIT_NAMES.filter((name) => limits[name] !== undefined).map((limit) => {
    const most = limitValue(limit, limits[limit]);
    const found = measured(limit, step, result);
    if (found === undefined) {
      throw new UserError(
        `The limit ${limit} of “${step.name}” cannot be judged`,
        isOfProbes(limit) && comparesProbes(result)
          ? 'the original cannot do it either, so nothing can be lost of it'
          : 'the result of the step has no such number',
        unjudgedAction(limit),
      );
    }
    const kept = isLeast(limit) ? found >= most : found <= most;
    return { step: step.name, limit, most, measured: found, kept };
  });
}

/** Whether the result says what a model scores in probes beside another one. */
const comparesProbes = ({ differences }: JsonObject): boolean =>
  Array.isArray(differences) && differences.some((each: unknown) => isObject(each) && each.probes !== undefined);

function unjudgedAction(limit: LimitName): string {
  if (isOfProbes(limit)) return 'Give two models, the original first, and the probe in “probes”; or remove the limit.';
  return COMPARED.includes(limit) ? 'Compare with the original: add “against”.' : 'Put it into another step.';
}

/**
 * Checks the limits whose values are known before the run, so that no step computes for one that cannot be judged.
 * @param valueOf undefined for a value that a step has to find first @param step undefined for those of the recipe
 * @throws UserError
 */
export function checkLimits(limits: Limits, valueOf: (written: number | string) => unknown, step?: string): void {
  for (const name of LIMIT_NAMES) {
    const written = limits[name];
    if (written === undefined) continue;
    const value = valueOf(written);
    if (value !== undefined) limitValue(name, value, step);
  }
}

/** "0.5", "1e6" */
const DECIMAL = /^\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** @throws UserError for what is no number: null, which would be 0, and lists among it */
export function limitValue(name: LimitName, value: unknown, step?: string): number {
  const found = numberIn(name, value);
  if (found !== undefined && Number.isFinite(found) && found >= 0) return found;
  throw new UserError(
    `The limit ${name}${step === undefined ? '' : ` of “${step}”`} cannot be used`,
    value === null
      ? 'it is null, and a limit that holds for everything is none'
      : `${JSON.stringify(value)} is no number of at least 0`,
    value === null ? 'Give it a number, or remove the limit.' : EXAMPLES[name],
  );
}

function numberIn(name: LimitName, value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  if (name === 'maxBytes') return bytesOf(value);
  return DECIMAL.test(value) ? Number(value) : undefined;
}

function bytesOf(text: string): number {
  try {
    return parseBytes(text);
  } catch {
    return NaN;
  }
}

const EXAMPLES: Readonly<Record<LimitName, string>> = {
  ...forProbes('Give a share, such as 0.1 for 10 points.'),
  maxPpl: 'Give a perplexity, such as 60.',
  maxKl: 'Give nats, such as 0.2.',
  minSame: 'Give a share, such as 0.8.',
  maxRepetition: 'Give a share, such as 0.1 for 10 points.',
  minAccuracy: 'Give a share, such as 0.5.',
  maxBytes: 'Give bytes, or a text such as "100MB".',
};
