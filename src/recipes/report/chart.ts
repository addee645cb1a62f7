/** Charts of a recipe's tables as SVG, drawn without a program. Lines differ by dash and symbol too, never by colour alone. */
import { shortNumber } from '../../format/numbers';
import { escapeHtml } from '../../format/words';
import type { ShownTable } from './values';

const WIDTH = 520;
const HEIGHT = 240;
const LEFT = 64;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 40;
/** Values that span more are drawn on a logarithmic axis. */
const MOST_LINEAR = 30;

/** One chart for each column that has numbers. */
export function chartsOf(table: ShownTable): string[] {
  if (table.chart === undefined) return [];
  const { columns, chart } = table;
  if (chart === 'bars') return columns.flatMap((_, column) => barChart(table, column) ?? []);
  return columns.flatMap((_, column) => (column === 0 ? [] : (lineChart(table, column) ?? [])));
}

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
  readonly isLog: boolean;
}

/** @param from, to pixels of the smallest and the largest value */
function axisOf(values: readonly number[], from: number, to: number, fromZero = false): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const isLog = least > 0 && most / least > MOST_LINEAR;
  const scale = isLog ? Math.log10 : (value: number) => value;
  const pad = isLog ? 0.05 * (Math.log10(most) - Math.log10(least)) : 0.06 * (most - least || Math.abs(most) || 1);
  const low = fromZero && !isLog ? Math.min(0, least) : scale(least) - pad;
  const high = scale(most) + pad;
  const at = (value: number): number => from + ((scale(value) - low) / (high - low)) * (to - from);
  return { at, ticks: isLog ? powers(low, high) : steps(low, high), isLog };
}

/** Round numbers between two others. */
function steps(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= rough) ?? rough;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step);
}

function powers(low: number, high: number): number[] {
  const all = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => 10 ** (Math.floor(low) + i));
  const fine = high - low < 2 ? all.flatMap((power) => [power, 2 * power, 5 * power]) : all;
  return fine.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

const text = (x: number, y: number, words: string, anchor = 'middle', more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escapeHtml(words)}</text>`;

const round = (value: number): number => Math.round(10 * value) / 10;

function frame(title: string, y: Axis, x: string, inside: string): string {
  const lines = y.ticks.map((tick) => {
    const at = round(y.at(tick));
    return `<path class="grid-line" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/>${text(LEFT - 8, at + 4, shortNumber(tick, 3), 'end')}`;
  });
  const label = escapeHtml(`${title}${y.isLog ? ', logarithmic axis' : ''}`);
  return `<svg class="table-chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${lines.join('')}${x}${inside}</svg>`;
}

const figure = (title: string, y: Axis, svg: string, legend = ''): string =>
  `<figure class="table-figure"><figcaption>${escapeHtml(title)}${y.isLog ? ' <span class="muted">(logarithmic)</span>' : ''}</figcaption>${svg}${legend}</figure>`;

function barChart({ columns, rows }: ShownTable, column: number): string | undefined {
  const found = rows.flatMap(({ label, cells }) => {
    const { value, text: words } = cells[column];
    return value === null ? [] : [{ label, value, words }];
  });
  if (found.length === 0) return undefined;
  const y = axisOf(
    found.map(({ value }) => value),
    HEIGHT - BOTTOM,
    TOP,
    true,
  );
  const slot = (WIDTH - LEFT - RIGHT) / found.length;
  const base = y.isLog ? HEIGHT - BOTTOM : y.at(0);
  const every = Math.ceil(found.length / 12);
  const bars = found.map(({ label, value, words }, at) => {
    const x = LEFT + at * slot;
    const top = y.at(value);
    const [upper, height] = [Math.min(top, base), Math.max(1, Math.abs(base - top))];
    const tick = at % every === 0 ? text(x + slot / 2, HEIGHT - BOTTOM + 16, shortened(label, slot * every)) : '';
    return `<rect class="bar" x="${round(x + slot * 0.15)}" y="${round(upper)}" width="${round(slot * 0.7)}" height="${round(height)}"><title>${escapeHtml(`${label}: ${words}`)}</title></rect>${tick}`;
  });
  return figure(columns[column], y, frame(columns[column], y, '', bars.join('')));
}

/** As much of a label as fits. */
function shortened(label: string, width: number): string {
  const most = Math.max(3, Math.floor(width / 7));
  return label.length > most ? `${label.slice(0, most - 1)}…` : label;
}

const DASHES = ['', '6 3', '2 3', '8 3 2 3', '4 2', '10 4', '1 3'];

function lineChart({ columns, rows }: ShownTable, column: number): string | undefined {
  const points = rows.flatMap(({ label, line = label, cells }) => {
    const [x, y] = [cells[0].value, cells[column].value];
    return x === null || y === null ? [] : [{ line, label, x, y, words: `${cells[0].text}, ${cells[column].text}` }];
  });
  if (points.length === 0) return undefined;
  const x = axisOf(
    points.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axisOf(
    points.map((point) => point.y),
    HEIGHT - BOTTOM,
    TOP,
  );
  const names = [...new Set(points.map(({ line }) => line))];
  const drawn = names.map((name, at) => {
    const own = points.filter(({ line }) => line === name);
    const path = own
      .map((point, i) => `${i === 0 ? 'M' : 'L'}${round(x.at(point.x))} ${round(y.at(point.y))}`)
      .join('');
    const marks = own.map(
      (point) =>
        `<g><title>${escapeHtml(`${point.label}: ${point.words}`)}</title>${sign(x.at(point.x), y.at(point.y), at)}</g>`,
    );
    return `<g style="--series: var(--series-${(at % 7) + 1})"><path class="line" stroke-dasharray="${DASHES[at % DASHES.length]}" d="${path}"/>${marks.join('')}</g>`;
  });
  const ticks = x.ticks.map((tick) => text(x.at(tick), HEIGHT - BOTTOM + 16, shortNumber(tick, 3)));
  const axis = `${ticks.join('')}${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, columns[0])}`;
  const title = `${columns[column]} against ${columns[0]}`;
  return figure(columns[column], y, frame(title, y, axis, drawn.join('')), legendOf(names));
}

/** A circle, square, triangle or diamond. */
function sign(x: number, y: number, series: number): string {
  const d = ['m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z', 'm-3.5 -3.5h7v7h-7Z', 'm0 -4.5l4.5 8h-9Z', 'm0 -5l5 5l-5 5l-5 -5Z'][
    series % 4
  ];
  return `<path class="mark" d="M${round(x)} ${round(y)}${d}"/>`;
}

const legendOf = (names: readonly string[]): string =>
  `<div class="legend">${names
    .map(
      (name, at) =>
        `<span class="legend-entry" style="--series: var(--series-${(at % 7) + 1})"><svg class="key" width="26" height="12" aria-hidden="true"><path class="line" stroke-dasharray="${DASHES[at % DASHES.length]}" d="M0 6H26"/>${sign(13, 6, at)}</svg>${escapeHtml(name)}</span>`,
    )
    .join('')}</div>`;
