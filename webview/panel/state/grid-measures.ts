/** What a grid of speeds can show: how a number is found in a cell, and how it is written. Pure. */
import { shortNumber } from '../../../src/format/numbers';
import type { GridCellDigest } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';

type Figures = NonNullable<GridCellDigest['measured']>;

export interface GridMeasure {
  readonly key: string;
  readonly name: string;
  /** With its unit, for axes and files. */
  readonly exact: string;
  readonly valueOf: (figures: Figures) => number | null;
  /** Standard deviation; undefined where there is none. */
  readonly spreadOf?: (figures: Figures) => number | null;
  readonly words: (value: number) => string;
}

const GiB = 2 ** 30;
const percent = (value: number): string => `${Math.round(value)} %`;
const plain = (value: number): string => shortNumber(value, 3);
const times = (factor: number, value: number | null): number | null => (value === null ? null : factor * value);

export const gibibytes = (bytes: number): string => (bytes / GiB).toFixed(2);

/** The paper's Figures 2 and 6 show the first, Table 9 the memory. */
export const GRID_MEASURES: readonly GridMeasure[] = [
  {
    key: 'throughput',
    name: t('Throughput'),
    exact: t('Tokens per second'),
    valueOf: ({ throughput }) => throughput.mean,
    spreadOf: ({ throughput }) => throughput.sd,
    words: plain,
  },
  {
    key: 'latency',
    name: t('Latency'),
    exact: t('Seconds for all tokens'),
    valueOf: ({ latency }) => latency.mean,
    spreadOf: ({ latency }) => latency.sd,
    words: plain,
  },
  {
    key: 'firstToken',
    name: t('Time to the first token'),
    exact: t('Seconds to the first token'),
    valueOf: ({ firstToken }) => firstToken.mean,
    spreadOf: ({ firstToken }) => firstToken.sd,
    words: plain,
  },
  {
    key: 'laterToken',
    name: t('Time per token (after the first)'),
    exact: t('Time per token (after the first) in ms'),
    valueOf: ({ laterToken }) => times(1000, laterToken.mean),
    spreadOf: ({ laterToken }) => times(1000, laterToken.sd),
    words: plain,
  },
  {
    key: 'memory',
    name: t('Memory'),
    exact: t('Memory at the peak (GiB)'),
    valueOf: ({ peakBytes }) => times(1 / GiB, peakBytes.mean),
    spreadOf: ({ peakBytes }) => times(1 / GiB, peakBytes.sd),
    words: (value) => value.toFixed(2),
  },
  {
    key: 'busy',
    name: t('CPU use'),
    exact: t('CPU use (%)'),
    valueOf: ({ busy }) => times(100, busy),
    words: percent,
  },
  {
    key: 'compute',
    name: t('Share of peak matrix throughput'),
    exact: t('Share of peak matrix throughput (%)'),
    valueOf: ({ compute }) => times(100, compute),
    words: percent,
  },
  {
    key: 'bandwidth',
    name: t('Share of memory bandwidth'),
    exact: t('Share of memory bandwidth (%)'),
    valueOf: ({ bandwidth }) => times(100, bandwidth),
    words: percent,
  },
];

export const gridMeasure = (key: string): GridMeasure =>
  GRID_MEASURES.find((each) => each.key === key) ?? GRID_MEASURES[0];
