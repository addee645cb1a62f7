/** What `coppice versus` prints: the paper's Tables 1 and 2 for the user's model. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { VersusModel, VersusResult } from '../../jobs/results/versus';
import { METHOD_TITLES } from '../../engine/evaluate/versus-methods';
import { oneLine, table } from '../terminal/text';
import type { Page } from './page';

const GiB = 2 ** 30;

export const versusPage: Page<'versus'> = ({ data, own }, { style, shown }) => ({
  page: (result) => {
    const asked = (data ?? own) !== undefined;
    const { models } = result;
    const [whole] = models;
    const columns = columnsOf(whole, result.speed !== undefined, asked);
    const made = models.filter(({ failure }) => failure === undefined);
    const lines = table(
      columns.map(({ head }) => head),
      made.map((model) => columns.map(({ cell }) => cell(model))),
    );
    const [head, first, ...rest] = lines;
    return [
      style.bold(head),
      first,
      ...result.sizes.flatMap(({ count }) => {
        const own = rest.filter((_, at) => made[at + 1].count === count);
        return own.length > 0 ? ['', ...own] : [];
      }),
      '',
      ...continuations(result).map(shown),
      ...closing(result).map(shown),
    ];
  },
});

interface Column {
  readonly head: string;
  readonly cell: (model: VersusModel) => string;
}

/** Columns of what was asked for; a model that lacks a number has a dash. */
function columnsOf(whole: VersusModel, hasSpeed: boolean, hasTasks: boolean): Column[] {
  const number = (value: number | undefined, digits: number): string =>
    value === undefined ? '–' : formatNumber(value, digits);
  const less = ({ parameters, kind }: VersusModel): string =>
    kind === 'whole' || parameters === undefined ? '' : ` (−${formatPercent(1 - parameters / whole.parameters!)})`;
  const spread = (value: VersusModel['heads']): string => {
    if (!value) return '–';
    return value.sd > 0 ? `${formatNumber(value.mean, 4)} ± ${formatNumber(value.sd, 2)}` : formatNumber(value.mean, 6);
  };
  const speed: Column[] = [
    {
      head: '>latency',
      cell: ({ latency }) => (latency ? `${formatNumber(latency.mean, 3)} ± ${formatNumber(latency.sd, 2)} s` : '–'),
    },
    {
      head: '>tokens/s',
      cell: ({ throughput, speedUp }) =>
        throughput
          ? `${formatNumber(throughput.mean, 3)}${typeof speedUp === 'number' ? ` (${formatNumber(speedUp, 3)}×)` : ''}`
          : '–',
    },
    {
      head: '>memory',
      cell: ({ memoryBytes }) => (memoryBytes === undefined ? '–' : `${(memoryBytes / GiB).toFixed(2)} GiB`),
    },
  ];
  return [
    { head: 'model', cell: nameOf },
    { head: '>parameters', cell: (model) => `${formatCount(model.parameters ?? NaN)}${less(model)}` },
    { head: '>blocks', cell: ({ blocks }) => number(blocks, 3) },
    { head: '>heads', cell: ({ heads }) => spread(heads) },
    { head: '>FFN', cell: ({ ffn }) => spread(ffn) },
    { head: '>perplexity', cell: ({ ppl }) => number(ppl === undefined ? ppl : Number(ppl), 4) },
    ...(hasTasks
      ? [
          {
            head: '>accuracy',
            cell: ({ accuracy }: VersusModel) => (accuracy === undefined ? '–' : formatPercent(accuracy)),
          },
        ]
      : []),
    ...(hasSpeed ? speed : []),
    {
      head: '>pruning',
      cell: ({ pruningSeconds }) => (pruningSeconds === undefined ? '–' : formatSeconds(pruningSeconds)),
    },
  ];
}

const nameOf = ({ method, removed, label }: VersusModel): string => {
  if (method === 'whole') return label;
  const title = METHOD_TITLES[method];
  return removed.length > 0 ? `${title} without ${removed.join(',')}` : title;
};

/** What each model makes of the prompt, a line each. */
function continuations({ prompt, models }: VersusResult): string[] {
  const written = models.filter(({ continuation }) => continuation !== undefined);
  if (prompt === undefined || written.length === 0) return [];
  const names = written.map(({ method, label }) => (method === 'whole' ? label : METHOD_TITLES[method]));
  const width = Math.max(...names.map((name) => name.length));
  const lines = written.map(({ continuation, count, kind }, at) => {
    const first = at > 0 && count !== written[at - 1].count && kind !== 'whole' ? [''] : [];
    return [...first, `  ${names[at].padEnd(width)}  ${oneLine(continuation!.trim())}`];
  });
  return [`${prompt} …`, ...lines.flat(), ''];
}

function closing({ models, sizes, text, speed, seconds, device, precision, ended }: VersusResult): string[] {
  const failed = models.flatMap(({ label, failure, speedFailure }) => [
    ...(failure === undefined ? [] : [`${label}: no such model: ${failure}`]),
    ...(speedFailure === undefined ? [] : [`${label}: no speed: ${speedFailure}`]),
  ]);
  const asLarge = sizes.map(({ count }) => count).join(' or ');
  return [
    ...failed,
    `Width-pruned models are as large as the model without ${asLarge} blocks, as nearly as their heads and neurons allow.`,
    `Perplexity on ${formatCounted(text.rows, 'row')} of ${text.length} tokens of ${text.name}` +
      (text.from === 'calibration' ? ', which also chose what to keep: measure on another text with --text.' : '.'),
    ...(speed
      ? [
          `Speed: ${formatCounted(speed.batch, 'text')} of ${speed.newTokens} new tokens, ${formatCounted(speed.runs, 'run')} ` +
            `after ${formatCounted(speed.warmup, 'warm-up run')}; ${speed.inTurns ? 'all models took turns' : 'one model after another'}; ` +
            `${speed.environment.processor}, ${formatCounted(speed.environment.threads, 'thread')}.`,
        ]
      : []),
    ...(speed ? ['Memory is that of weights, cache and activations, predicted.'] : []),
    'Pruning is the time to choose what goes, for that model alone.',
    `${ended === 'cancelled' ? 'Cancelled' : 'Done'} in ${formatSeconds(seconds)}, ${arithmeticWords(precision, device)}.`,
  ];
}
