/** Depth against width: a chart as the paper's Figure 1, and a table as its Tables 1 and 2. */
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import type { PanelRun, SpreadDigest, VersusDigest, VersusModelDigest } from '../../../src/protocol/panel';
import { blocksText, rowsText, textsText } from '../../support/amounts';
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { dropdown } from '../../support/ui';
import { ChartFrame } from '../charts/frame';
import { table } from '../charts/table';
import { drawVersus, modelName } from '../charts/versus';
import { blockList, formatMeasured, moment, numeric } from '../numbers';
import { ownRuns } from '../state/shown-runs';
import { COSTS, measured, measureOf, methodText, QUALITIES } from '../state/versus-measures';
import { type Context, type Section, startButton, whenChanged } from './section';

export function versusSection(context: Context): Section {
  const { send, setView, still } = context;
  const frame = new ChartFrame('versus', t('Depth against width'), t('Blocks, or heads and neurons?'), context);
  const measures = dropdown(t('Show'), (versusMeasure) => setView({ versusMeasure }));
  const against = dropdown(t('Against'), (versusAgainst) => setView({ versusAgainst }));
  const shown = dropdown(t({ message: 'Run', comment: 'Noun: a recorded job' }), (versus) => setView({ versus }));

  const draw = whenChanged(
    (
      runs: readonly PanelRun[],
      wanted: string,
      measureKey: string,
      againstKey: string,
      trusted: boolean,
      isRunning: boolean,
    ) => {
      const start = (primary: boolean): HTMLElement =>
        startButton(
          trusted && !isRunning,
          t('Compare with Width Pruning…'),
          () => send({ type: 'start', action: 'versus' }),
          { appearance: primary ? 'primary' : 'secondary' },
        );
      const found = runs.filter(({ digest }) => digest.versus !== undefined);
      const run = found.find(({ id }) => id === wanted) ?? found.at(0);
      const versus = run?.digest.versus;
      if (!run || !versus) {
        frame.setTools();
        frame.showEmpty(
          t(
            'Other methods keep all blocks and make each one narrower. This card compares them with removed blocks at equal size: perplexity, accuracy, speed and memory.',
          ),
          ...(still ? [] : [start(true)]),
        );
        return;
      }
      const { models } = versus;
      const [qualities, costs] = [measured(QUALITIES, models), measured(COSTS, models)];
      const quality = measureOf(qualities.length > 0 ? qualities : QUALITIES, measureKey);
      const cost = measureOf(costs.length > 0 ? costs : COSTS, againstKey);
      const choices = (all: readonly { readonly key: string; readonly name: string }[]) =>
        all.map(({ key, name }) => ({ value: key, label: name }));
      measures.show(choices(qualities), quality.key);
      against.show(choices(costs), cost.key);
      shown.show(
        found.map(({ id, digest }) => ({ value: id, label: moment(digest.started) })),
        run.id,
      );
      frame.setTools(
        ...(qualities.length > 1 ? [measures.element] : []),
        ...(costs.length > 1 ? [against.element] : []),
        ...(found.length > 1 ? [shown.element] : []),
        ...(still ? [] : [start(false)]),
      );
      frame.setNote(noteOf(versus));
      frame.setBelow(modelTable(models));
      frame.show(summaryOf(versus), (width) =>
        drawVersus(versus, quality, cost, width, frame, (removed) => send({ type: 'plan/set', removed })),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ runs, jobs, trusted }, { versus, versusMeasure, versusAgainst }) =>
      draw(
        ownRuns(runs),
        versus,
        versusMeasure,
        versusAgainst,
        trusted,
        jobs.some(({ kind }) => kind === 'versus'),
      ),
  };
}

/** The best of both ways at the largest size at which both were measured. */
function summaryOf({ models }: VersusDigest): string {
  const better = (kind: VersusModelDigest['kind'], count: number): VersusModelDigest | undefined =>
    models
      .filter((model) => model.kind === kind && model.count === count && Number.isFinite(numeric(model.ppl)))
      .toSorted((a, b) => numeric(a.ppl) - numeric(b.ppl))
      .at(0);
  const counts = [...new Set(models.map(({ count }) => count))].filter(
    (count) => better('depth', count) && better('width', count),
  );
  const largest = counts.at(-1);
  const [depth, width] = largest === undefined ? [] : [better('depth', largest), better('width', largest)];
  if (!depth || !width) {
    const made = models.filter(({ kind, failure }) => kind !== 'whole' && failure === undefined);
    return t('{0} models beside the original.', made.length);
  }
  const words = (model: VersusModelDigest): string => {
    const quality = t('{0}: perplexity {1}', modelName(model), shortNumber(numeric(model.ppl)));
    return model.speedUp === null ? quality : `${quality}, ${t('{0}× as fast', model.speedUp.toFixed(2))}`;
  };
  return `${words(depth)}. ${words(width)}.`;
}

function noteOf({ text, rows, calibrated, speed, cancelled }: VersusDigest): string {
  return [
    rows === null ? '' : t('Perplexity on {0} of {1}.', rowsText(rows), text),
    calibrated ? t('That text also chose what to keep, so all perplexities but the original’s are too low.') : '',
    speed
      ? `${t('Speed: {0} of {1} new tokens, {2} runs after {3} that do not count.', textsText(speed.batch), speed.newTokens, speed.runs, speed.warmup)} ${
          speed.inTurns ? t('The models took turns.') : t('The models were measured one after another.')
        }`
      : '',
    cancelled ? t('The run was cancelled, so that numbers are missing.') : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** A row for each model, size by size. Bold is the best of a size. */
function modelTable(models: readonly VersusModelDigest[]): HTMLElement {
  const [whole] = models;
  const hasTasks = measured(QUALITIES, models).some(({ key }) => key === 'accuracy');
  const hasSpeed = measured(COSTS, models).some(({ key }) => key === 'latency');
  const columns = columnsOf(whole, hasTasks, hasSpeed);
  const made = table(
    t('Models of the comparison'),
    columns.map(({ head }) => head),
    models.map((model) => {
      const peers = models.filter(({ count, kind }) => count === model.count && kind !== 'whole');
      return columns.map(({ cell, rank }) => {
        const isBest = rank !== undefined && peers.length > 1 && rank(model) === Math.min(...peers.map(rank));
        return isBest ? el('strong', {}, cell(model)) : cell(model);
      });
    }),
  );
  for (const [at, row] of [...made.querySelectorAll('tbody tr')].entries()) {
    const { count, failure } = models[at];
    if (failure !== undefined) spanReason(row, failure);
    if (at > 0 && count !== models[at - 1].count) row.before(sizeRow(count, columns.length));
  }
  const label = t('Models of the comparison');
  return el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': label }, made);
}

/** A line between sizes. */
const sizeRow = (count: number, columns: number): HTMLElement =>
  el(
    'tr',
    { class: 'size' },
    el('th', { colspan: String(columns), scope: 'colgroup' }, t('Without {0}, or as large', blocksText(count))),
  );

/** In place of numbers, why there is no such model. */
function spanReason(row: Element, failure: string): void {
  const [first, ...others] = row.querySelectorAll('td');
  const columns = 1 + others.length;
  for (const other of others) other.remove();
  first.setAttribute('colspan', String(columns));
  first.replaceChildren(el('span', { class: 'why' }, failure));
}

interface Column {
  readonly head: string;
  readonly cell: (model: VersusModelDigest) => Child;
  /** Less is better; infinite where it was not measured. */
  readonly rank?: (model: VersusModelDigest) => number;
}

const orInfinity = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : Infinity;
const muted = (text: string, title?: string): HTMLElement =>
  el('span', { class: 'muted', ...(title !== undefined && { title }) }, text);

function columnsOf(whole: VersusModelDigest, hasTasks: boolean, hasSpeed: boolean): Column[] {
  const GiB = 2 ** 30;
  const spread = (value: SpreadDigest | null): Child =>
    value === null
      ? '–'
      : el('span', {}, shortNumber(value.mean), value.sd > 0 ? muted(` ± ${shortNumber(value.sd, 2)}`) : '');
  const speed: Column[] = [
    {
      head: t('Latency'),
      cell: ({ latency, speedFailure }) =>
        latency
          ? el('span', {}, formatMeasured(latency.mean), muted(` ± ${formatPercent(latency.sd / latency.mean)}`))
          : muted(speedFailure === undefined ? '–' : t('failed'), speedFailure),
      rank: ({ latency }) => orInfinity(latency?.mean),
    },
    {
      head: t('Tokens/s'),
      cell: ({ throughput, speedUp }) =>
        throughput
          ? el('span', {}, shortNumber(throughput.mean, 3), speedUp === null ? '' : muted(` ${speedUp.toFixed(2)}×`))
          : '–',
      rank: ({ throughput }) => orInfinity(throughput ? -throughput.mean : null),
    },
    {
      head: t('Memory'),
      cell: ({ peakBytes }) => (peakBytes ? t('{0} GiB', (peakBytes.mean / GiB).toFixed(2)) : '–'),
      rank: ({ peakBytes }) => orInfinity(peakBytes?.mean),
    },
  ];
  return [
    { head: t('Model'), cell: nameCell },
    {
      head: t('Parameters'),
      cell: ({ parameters, kind }) =>
        parameters === null
          ? '–'
          : el(
              'span',
              {},
              formatCount(parameters),
              kind === 'whole' || whole.parameters === null
                ? ''
                : muted(` −${formatPercent(1 - parameters / whole.parameters)}`),
            ),
    },
    { head: t('Blocks'), cell: ({ blocks }) => (blocks === null ? '–' : String(blocks)) },
    { head: t('Heads'), cell: ({ heads }) => spread(heads) },
    { head: t('FFN'), cell: ({ ffn }) => spread(ffn) },
    {
      head: t('Perplexity'),
      cell: ({ ppl }) => shortNumber(numeric(ppl)),
      rank: ({ ppl }) => orInfinity(numeric(ppl)),
    },
    ...(hasTasks
      ? [
          {
            head: t('Accuracy'),
            cell: ({ accuracy }: VersusModelDigest) => (accuracy === null ? '–' : formatPercent(accuracy)),
            rank: ({ accuracy }: VersusModelDigest) => orInfinity(accuracy === null ? null : -accuracy),
          },
        ]
      : []),
    ...(hasSpeed ? speed : []),
    {
      head: t('Pruning'),
      cell: ({ pruningSeconds }) => (pruningSeconds === null ? '–' : formatMeasured(pruningSeconds)),
    },
  ];
}

/** The method, and the blocks that are gone. */
function nameCell({ method, kind, removed }: VersusModelDigest): HTMLElement {
  const name = methodText(method);
  if (kind !== 'depth') return el('span', {}, name);
  const blocks = removed.filter((block): block is number => typeof block === 'number');
  return el('span', {}, name, ' ', muted(blocks.length === removed.length ? blockList(blocks) : removed.join()));
}
