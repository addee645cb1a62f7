/** The rows of Before and After: one number of all models under one condition, which is the one that most were measured under. */
import { isProbeName, PROBE_NAMES, PROBE_TITLES, UNABLE } from '../../../format/probes';
import { formatFactor, formatPercent } from '../../../format/numbers';
import { speedChange } from '../../../format/speeds';
import type { Fact, Measure } from './facts';
import type { ModelRef } from './models';

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

/** How well the models predict the text. */
export const isPerplexity = ({ measure }: Pick<Row, 'measure'>): boolean => measure === 'ppl' || measure === 'bits';

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

/** The original and the result that is decided on. */
export type Pair = readonly ModelRef[];

/** Which conditions come first. */
interface Preference {
  /** The original and the result that is decided on. */
  readonly pair?: Pair;
  readonly isUsed: (condition: string) => boolean;
}

/** A row for each measure that a run has, in the order of the page. */
export function rowsOf(facts: readonly Fact[], models: readonly ModelRef[], preference: Preference): Row[] {
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

/** The last one that was measured. */
export const newest = <T extends { readonly started: string }>(all: readonly T[]): T | undefined =>
  [...all].sort((a, b) => b.started.localeCompare(a.started))[0];

/** Tokens a second, of any kind. */
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
