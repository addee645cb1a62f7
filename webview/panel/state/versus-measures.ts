/** What the comparison of depth and width can show: how a number is found in a model, and how it is written. Pure. */
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import type { VersusModelDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import { t } from '../../support/l10n';

export interface VersusMeasure {
  readonly key: string;
  readonly name: string;
  /** With its unit, for axes and files. */
  readonly exact: string;
  /** NaN if it was not measured. */
  readonly valueOf: (model: VersusModelDigest) => number;
  readonly words: (value: number) => string;
  /** Whether more is better. */
  readonly more: boolean;
}

const GiB = 2 ** 30;
const plain = (value: number): string => shortNumber(value, 3);

/** The vertical axis. */
export const QUALITIES: readonly VersusMeasure[] = [
  {
    key: 'ppl',
    name: t('Perplexity'),
    exact: t('Perplexity'),
    valueOf: ({ ppl }) => numeric(ppl),
    words: (value) => shortNumber(value, 4),
    more: false,
  },
  {
    key: 'accuracy',
    name: t('Accuracy'),
    exact: t('Accuracy (%)'),
    valueOf: ({ accuracy }) => 100 * (accuracy ?? NaN),
    words: (value) => formatPercent(value / 100),
    more: true,
  },
];

/** The horizontal axis: the paper's Figure 1 has latency and throughput. */
export const COSTS: readonly VersusMeasure[] = [
  {
    key: 'parameters',
    name: t('Parameters'),
    exact: t('Parameters (millions)'),
    valueOf: ({ parameters }) => (parameters ?? NaN) / 1e6,
    words: (value) => shortNumber(value, 4),
    more: false,
  },
  {
    key: 'latency',
    name: t('Latency'),
    exact: t('Seconds for all tokens'),
    valueOf: ({ latency }) => latency?.mean ?? NaN,
    words: plain,
    more: false,
  },
  {
    key: 'throughput',
    name: t('Throughput'),
    exact: t('Tokens per second'),
    valueOf: ({ throughput }) => throughput?.mean ?? NaN,
    words: plain,
    more: true,
  },
  {
    key: 'memory',
    name: t('Memory'),
    exact: t('Predicted memory (GiB)'),
    valueOf: ({ memoryBytes }) => (memoryBytes ?? NaN) / GiB,
    words: (value) => value.toFixed(2),
    more: false,
  },
];

/** The measures that a comparison has. */
export const measured = (all: readonly VersusMeasure[], models: readonly VersusModelDigest[]): VersusMeasure[] =>
  all.filter(({ valueOf }) => models.some((model) => Number.isFinite(valueOf(model))));

/** The measure with this key, or the first one. */
export const measureOf = (all: readonly VersusMeasure[], key: string): VersusMeasure =>
  all.find((each) => each.key === key) ?? all[0];

/** What made a model, as the card names it. */
export function methodText(method: string): string {
  const names: Readonly<Record<string, string>> = {
    whole: t('Original'),
    plan: t('Plan'),
    ppl: t('PPL'),
    taylor: t('Taylor+'),
    'llm-pruner': t('LLM-Pruner'),
    flap: t('FLAP'),
    'wanda-sp': t('Wanda-sp'),
  };
  return names[method] ?? method;
}
