/** What a step of each kind did, in a few words and numbers: its options, and what its result says. */
import { basename } from 'node:path';
import { shortNumber, formatBytes, formatPercent, shortCount } from '../../format/numbers';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { capitalized, counted } from '../../format/words';
import type { AnyJob } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import type { ValueKind } from '../../jobs/option';
import type { Kind } from '../../jobs/kinds';
import { outputOptions } from '../outputs';
import type { RecipeStep } from '../recipe';
import type { StepEnd } from '../types';
import { blockList } from './values';

/** A name and what is said of it. */
export type Fact = readonly [name: string, value: string];

/** The options that the recipe gives to a step, with the values of the run. Outputs are told elsewhere. */
export function optionFacts(step: RecipeStep, { finished }: StepEnd): Fact[] {
  const job: AnyJob = JOBS[step.job];
  const outputs = outputOptions(step.job);
  return Object.keys(step.options)
    .filter((name) => !outputs.includes(name))
    .flatMap((name): Fact[] => {
      const value = finished?.options[name];
      return value === undefined || value === null ? [] : [[name, optionWords(job.options[name].kind, value)]];
    });
}

function optionWords(kind: ValueKind, value: unknown): string {
  switch (kind.kind) {
    case 'path':
      return basename(String(value));
    case 'models':
      return Array.isArray(value) ? counted(value.length, 'model') : '';
    case 'list':
      return Array.isArray(value) ? value.map((item) => optionWords(kind.of, item)).join(', ') : '';
    case 'blocks':
    case 'parts':
      return Array.isArray(value) ? blockList(value) : '';
    case 'flag':
      return value === true ? 'yes' : 'no';
    case 'bytes':
      return typeof value === 'number' ? formatBytes(value) : '';
    default:
      return isObject(value) ? '' : String(value);
  }
}

/** The main numbers of a step that is done. */
export function resultFacts({ job, result, finished }: Pick<StepEnd, 'job' | 'result' | 'finished'>): Fact[] {
  const found = result ? (FACTS[job]?.(result) ?? writtenFacts(result)) : [];
  // The size of the files, as everywhere: jobs may count the weights alone.
  const bytes = finished?.outputs.reduce((sum, output) => sum + output.bytes, 0) ?? 0;
  return found.map(([name, value]): Fact => [name, name === SIZE && bytes > 0 ? formatBytes(bytes) : value]);
}

const SIZE = 'size';

/** A number of a result in words; nothing if it is not there. */
function number(name: string, value: unknown, words: (value: number) => string = shortNumber): Fact[] {
  const found = parseJsonNumber(value);
  return found === undefined ? [] : [[name, words(found)]];
}

const perSecond = (value: number): string => `${shortNumber(value, 3)} tokens/s`;
const nats = (value: number): string => `${shortNumber(value, 3)} nats`;
const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const field = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

const removedFact = ({ removed }: JsonObject): Fact[] =>
  Array.isArray(removed) && removed.length > 0 ? [['removed', blockList(removed)]] : [];

const fewerWords = (before: number, after: number): string =>
  `${shortCount(after)} of ${shortCount(before)}, −${formatPercent(1 - after / before)}`;

function writtenFacts(result: JsonObject): Fact[] {
  const { parametersBefore, parametersAfter, bytes, bytesAfter } = result;
  const before = parseJsonNumber(parametersBefore);
  const after = parseJsonNumber(parametersAfter);
  const size: Fact[] =
    before === undefined || after === undefined
      ? []
      : [['parameters', before === after ? shortCount(after) : fewerWords(before, after)]];
  return [...removedFact(result), ...size, ...number(SIZE, bytes ?? bytesAfter, formatBytes)];
}

/** What perplexity or divergence was measured on, and in what arithmetic. */
function measuredOn({ windows, window, text, precision }: JsonObject): Fact[] {
  const rows = field(text, 'rows') ?? windows;
  const length = field(text, 'length') ?? window;
  const name = field(text, 'name');
  const words = [
    ...(typeof name === 'string' ? [name] : []),
    ...(typeof rows === 'number' && typeof length === 'number' ? [`${rows} × ${length} tokens`] : []),
    ...(typeof precision === 'string' ? [precision] : []),
  ];
  return words.length === 0 ? [] : [['measured', words.join(', ')]];
}

const likeness = (value: unknown): Fact[] => [
  ...number('perplexity', field(value, 'ppl')),
  ...number('KL divergence', field(value, 'kl'), nats),
  ...number('same most likely token', field(value, 'top1'), formatPercent),
];

const FACTS: Partial<Record<Kind, (result: JsonObject) => Fact[]>> = {
  score: (result) => [
    ...number('perplexity of the whole model', field(result.full, 'ppl')),
    ...leastImportant(result.order),
    ...sharesOf(result.shares),
    ...calibrationOf(result),
  ],
  eval: (result) => [...removedFact(result), ...likeness(result), ...measuredOn(result)],
  tasks: (result) => {
    const models = objects(result.models);
    return (models.length > 0 ? models : [result]).flatMap((model) =>
      number(models.length > 0 ? String(model.label) : 'accuracy', model.average, accuracy(model)),
    );
  },
  heal: (result) => [
    ...removedFact(result),
    ...change('KL divergence', field(result.heldOut, 'before'), field(result.heldOut, 'after'), 'kl', nats),
    ...change('perplexity', field(result.heldOut, 'before'), field(result.heldOut, 'after'), 'ppl'),
  ],
  retrain: (result) => [
    ...removedFact(result),
    ...number('steps', result.steps, String),
    ...change('perplexity', field(result.likeness, 'before'), field(result.likeness, 'after'), 'ppl'),
    ...change('KL divergence', field(result.likeness, 'before'), field(result.likeness, 'after'), 'kl', nats),
    ...number('held-out loss', field(result.best, 'loss'), nats),
    ...number('speed', result.tokensPerSecond, perSecond),
  ],
  iterate: (result) => {
    const rounds = objects(result.rounds);
    return [
      ...writtenFacts(result),
      ...number('rounds', rounds.length, String),
      ...change('perplexity', result.full, rounds.at(-1)?.healed, 'ppl'),
      ...measuredOn(result),
    ];
  },
  curve: (result) => {
    const points = objects(result.points);
    const last = points.at(-1);
    return [
      ...change(`perplexity, 0 to ${points.length === 0 ? 0 : points.length - 1} blocks`, points[0], last, 'ppl'),
      ...measuredOn(result),
    ];
  },
  width: (result) => [
    ...number('share', result.ratio, formatPercent),
    ...writtenFacts(result),
    ...number('perplexity on the calibration rows', result.ppl),
  ],
  versus: (result) => [
    ...objects(result.models).flatMap((model) =>
      number(String(model.label), model.ppl, (ppl) => `perplexity ${shortNumber(ppl)}`),
    ),
    ...measuredOn(result),
  ],
  grid: (result) =>
    objects(result.models).map((model): Fact => {
      const done = objects(model.cells).filter(({ outcome }) => outcome === 'measured');
      const best = Math.max(0, ...done.map((cell) => throughputOf(cell)));
      return [String(model.label), done.length === 0 ? 'not measured' : `at best ${perSecond(best)}`];
    }),
  bench: (result) => [
    ...number('prompt', result.prefillTokensPerSecond, perSecond),
    ...number('writing', result.decodeTokensPerSecond, perSecond),
    ...number('memory at most', result.peakRssBytes, formatBytes),
  ],
  export: (result) => [
    ['format', [result.format, result.type].filter((word) => typeof word === 'string').join(', ')],
    ...writtenFacts(result),
    ...objects(result.measured).flatMap((kind) => [
      ...number(`perplexity, ${String(kind.type)}`, field(kind.perplexity, 'ppl')),
      ...number(`speed, ${String(kind.type)}`, kind.tokensPerSecond, perSecond),
    ]),
    ...verdictOf(result.verified),
  ],
  verify: (result) => verdictOf(result.verified),
};

const throughputOf = (cell: JsonObject): number =>
  parseJsonNumber(field(field(cell.measured, 'throughput'), 'mean')) ?? 0;

function leastImportant(order: unknown): Fact[] {
  if (!Array.isArray(order) || order.length === 0) return [];
  const names = order
    .slice(0, 8)
    .map((part: unknown) => (isObject(part) ? `${String(part.block)}.${String(part.part)}` : String(part)));
  return [['least important first', `${names.join(', ')}${order.length > names.length ? ' …' : ''}`]];
}

const sharesOf = (shares: unknown): Fact[] =>
  objects(shares).flatMap(({ ratio, removed }) =>
    typeof ratio === 'number' && Array.isArray(removed)
      ? [[`at most ${formatPercent(ratio)}`, blockList(removed)]]
      : [],
  );

function calibrationOf({ calibration, precision }: JsonObject): Fact[] {
  const { source, samples, length } = isObject(calibration) ? calibration : {};
  if (typeof source !== 'string') return [];
  const words = [
    source,
    `${String(samples)} × ${String(length)} tokens`,
    ...(typeof precision === 'string' ? [precision] : []),
  ];
  return [['calibration', words.join(', ')]];
}

/** "51.3 % in 5 tasks, 7 items". */
const accuracy =
  ({ tasks }: JsonObject) =>
  (average: number): string => {
    const items = objects(tasks).reduce((sum, task) => sum + (typeof task.items === 'number' ? task.items : 0), 0);
    return `${(100 * average).toFixed(1)} % in ${counted(objects(tasks).length, 'task')}, ${counted(items, 'item')}`;
  };

function change(
  name: string,
  before: unknown,
  after: unknown,
  of: string,
  words: (value: number) => string = (value) => shortNumber(value),
): Fact[] {
  const [from, to] = [before, after].map((each) => parseJsonNumber(field(each, of)));
  return from === undefined || to === undefined ? [] : [[name, `${words(from)} → ${words(to)}`]];
}

function verdictOf(verified: unknown): Fact[] {
  if (!isObject(verified)) return [];
  const { passed, why } = verified;
  return [['verified', passed === true ? 'the same as the model' : capitalized(typeof why === 'string' ? why : 'no')]];
}
