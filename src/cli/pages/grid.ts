/** What `coppice grid` prints: tables as the paper's Table 9, a row for each model and a column for each cell. */
import { textArithmetic } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { CellFigures, GridCell } from '../../engine/evaluate/grid/result';
import type { GridModel, GridResult } from '../../jobs/results/grid';
import { table } from '../terminal/text';
import type { Page } from './page';

const GiB = 2 ** 30;
const gibibytes = (bytes: number): string => (bytes / GiB).toFixed(2);
const percent = (share: number | null): string => (share === null ? '–' : `${Math.round(100 * share)} %`);
const times = (factor: number | null): string => (factor === null ? '–' : `${formatNumber(factor, 3)}×`);

export const gridPage: Page<'grid'> = (_, { style, shown }) => ({
  page: (result) => {
    const { models } = result;
    const section = (
      title: string,
      cell: (figures: CellFigures, cell: GridCell) => string,
      some = models,
    ): string[] => ['', style.bold(title), ...cellTable(result, some, shown, cell)];
    const others = models.slice(1);
    return [
      ...section('Throughput in tokens/s (± standard deviation)', ({ throughput }) => throughputText(throughput)).slice(
        1,
      ),
      ...section('Latency in s', ({ latency }) => `${formatNumber(latency.mean, 4)} ± ${formatNumber(latency.sd, 2)}`),
      ...section('First token in s, then each further one in ms', firstAndLater),
      ...section(
        'Memory in GiB (predicted)',
        ({ peakBytes }, { predicted }) => `${gibibytes(peakBytes.mean)} (${gibibytes(predicted.total)})`,
      ),
      ...section('CPU use, share of peak matrix throughput, of memory bandwidth', ({ busy, compute, bandwidth }) =>
        [busy, compute, bandwidth].map(percent).join(' · '),
      ),
      ...(others.length > 0
        ? section(
            'Speed-up (best possible)',
            ({ speedUp, floorSpeedUp }) => `${times(speedUp)} (${times(floorSpeedUp)})`,
            others,
          )
        : []),
      '',
      ...closing(result),
    ];
  },
});

const throughputText = ({ mean, sd }: CellFigures['throughput']): string =>
  `${formatNumber(mean, 4)} ± ${formatNumber(sd, 2)}`;

const firstAndLater = ({ firstToken, laterToken }: CellFigures): string =>
  `${formatNumber(firstToken.mean, 3)}, ${laterToken === null ? '–' : formatNumber(1000 * laterToken.mean, 3)}`;

/** A row for each model and a column for each cell; what was not run says why. */
function cellTable(
  { models: [{ cells }] }: Pick<GridResult, 'models'>,
  models: readonly GridModel[],
  shown: (text: string) => string,
  text: (figures: CellFigures, cell: GridCell) => string,
): string[] {
  const all = cells.length > 0 ? cells : (models.find((each) => each.cells.length > 0)?.cells ?? []);
  const columns = all.map(({ batch, newTokens }) => `>L${newTokens} M${batch}`);
  return table(
    ['model', ...columns],
    models.map((model) => [
      shown(nameOf(model)),
      ...all.map((_, at) => {
        const cell: GridCell | undefined = model.cells[at];
        if (cell?.measured) return text(cell.measured, cell);
        if (cell?.outcome === 'oom') return `OOM (${gibibytes(cell.predicted.total)} GiB)`;
        return 'failed';
      }),
    ]),
  );
}

const nameOf = ({ label, removed }: GridModel): string =>
  removed.length > 0 ? `${label} without ${removed.join(',')}` : label;

function closing({
  models,
  rates,
  limitBytes,
  runs,
  warmup,
  prompt,
  environment,
  seconds,
  device,
}: GridResult): string[] {
  const { before, after } = rates;
  const rate = (pick: (rate: typeof before) => number | undefined): string =>
    [before, after].map((each) => formatNumber((pick(each) ?? NaN) / 1e9, 3)).join(' and ');
  const reading = before.bytesPerSecond === undefined ? '' : `, reads ${rate((each) => each.bytesPerSecond)} GB/s`;
  const failures = models.flatMap(({ label, failure, cells }) => {
    const whys = new Set([failure, ...cells.map((cell) => cell.failure)].filter((why) => why !== undefined));
    return [...whys].map((why) => `${label} failed: ${why}`);
  });
  return [
    ...failures,
    ...models.flatMap(({ label, ideal, blocks = 0, parameters = 0, bytes = 0, promptTokens = 0 }) => [
      `${label}: ${formatCounted(blocks, 'block')}, ${formatCount(parameters)} parameters, ${formatBytes(bytes)}, prompt of ` +
        formatCounted(promptTokens, 'token') +
        (typeof ideal === 'number' ? `; ${times(ideal)} expected from its size` : ''),
    ]),
    `${formatCounted(runs, 'run')} of each cell after ${formatCounted(warmup, 'warm-up run')}` +
      (runs < 20 || warmup < 10 ? ' (the paper: 20 after 10)' : ''),
    `Prompt: ${prompt}`,
    `The device multiplies at ${rate((each) => each.flopsPerSecond)} GFLOP/s before and after${reading}; limit of memory ${gibibytes(limitBytes)} GiB.`,
    `${environment.processor}, ${formatCounted(environment.threads, 'thread')}, ${textArithmetic(environment.dtype, device)}; in ${formatSeconds(seconds)}.`,
  ];
}
