/** Sizes against perplexity of the original, from its newest run: whether fewer blocks or fewer bits are the better buy. */
import { numeric } from '../../../format/json';
import { formatBytes, shortNumber } from '../../../format/numbers';
import { counted, escapeHtml } from '../../../format/words';
import { codeSpan, inline, table } from '../../markdown';
import type { FrontierDigest, FrontierPointDigest, RunDigest } from '../digest-types';

/** @param identity of the original's files */
export const sizesOf = (runs: readonly RunDigest[], identity: string | undefined): FrontierDigest | undefined =>
  runs
    .filter(
      ({ model, frontier }) => frontier !== undefined && model.identity !== undefined && model.identity === identity,
    )
    .toSorted((a, b) => b.started.localeCompare(a.started))
    .at(0)?.frontier;

const TITLE = 'Blocks or bits';

/** "q4_k_m without 2 blocks, healed" */
const nameOf = ({ type, count, healed }: FrontierPointDigest): string =>
  count === 0 ? `${type}, original` : `${type} without ${counted(count, 'block')}${healed ? ', healed' : ''}`;

const chosenOf = ({ points, fit }: FrontierDigest): FrontierPointDigest | undefined =>
  typeof fit?.point === 'number' ? points[fit.point] : undefined;

/** What no smaller file beats, the original in each type, and the best that fits; the smallest first. */
function rowsOf(sizes: FrontierDigest): (readonly [name: string, size: string, ppl: string, of: string])[] {
  const { points, original } = sizes;
  const chosen = chosenOf(sizes);
  const rows = points
    .filter((point) => point.frontier || point.count === 0 || point === chosen)
    .toSorted((a, b) => a.bytes - b.bytes || numeric(a.ppl) - numeric(b.ppl))
    .map((point) => {
      const of = [
        ...(point === chosen ? ['the best that fits'] : []),
        ...(point.frontier ? ['no smaller file is better'] : []),
      ];
      return [nameOf(point), formatBytes(point.bytes), shortNumber(numeric(point.ppl)), of.join(', ')] as const;
    });
  if (original === null) return rows;
  return [...rows, ['original, as stored', formatBytes(original.bytes), shortNumber(numeric(original.ppl)), '']];
}

function sentences({ text, rows, calibrated, fit }: FrontierDigest): string[] {
  const measured = `Perplexity on ${rows === null ? '' : `${counted(rows, 'row')} of `}${text}.`;
  return [
    measured,
    ...(calibrated ? ['That text also chose the blocks or healed, so perplexities without blocks are too low.'] : []),
    ...(fit === null
      ? []
      : [
          fit.point === null
            ? `None fits into ${formatBytes(fit.bytes)}.`
            : `The best that fits into ${formatBytes(fit.bytes)} was chosen by that text.`,
        ]),
  ];
}

const HEADS = ['File', 'Size', 'Perplexity', ''];

export function sizesCard(sizes: FrontierDigest | undefined): string {
  if (!sizes) return '';
  const head = HEADS.map((each) => (each === '' ? '<td></td>' : `<th scope="col">${each}</th>`)).join('');
  const body = rowsOf(sizes).map(
    ([name, ...cells]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return `<section class="card"><h2>${TITLE}</h2><p class="muted">${escapeHtml(sentences(sizes).join(' '))}</p>${sizesChart(sizes)}<div class="table-scroll" tabindex="0" role="group" aria-label="${TITLE}"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div></section>`;
}

/** @param level of its heading */
export function sizesMarkdown(sizes: FrontierDigest | undefined, level: number): string[] {
  if (!sizes) return [];
  const commands = sizes.fit?.commands ?? [];
  return [
    `${'#'.repeat(level)} ${TITLE}`,
    sentences(sizes).map(inline).join(' '),
    table(HEADS, rowsOf(sizes)),
    ...(commands.length > 0 ? [commands.map((line) => `- ${codeSpan(line)}`).join('\n')] : []),
  ];
}

const [WIDTH, HEIGHT] = [640, 280];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 90, 16, 36];
const TICKS = 5;

/** A line for each type, from all blocks to fewer; full dots are those that no smaller file beats. Empty without two finite points. */
export function sizesChart(sizes: FrontierDigest): string {
  const { points, fit } = sizes;
  const finite = points.filter(({ ppl }) => Number.isFinite(numeric(ppl)));
  if (finite.length < 2) return '';
  const megabytes = [...finite.map(({ bytes }) => bytes / 1e6), ...(fit === null ? [] : [fit.bytes / 1e6])];
  const x = axisOf(megabytes, LEFT, WIDTH - RIGHT);
  const y = axisOf(
    finite.map(({ ppl }) => numeric(ppl)),
    HEIGHT - BOTTOM,
    TOP,
  );
  const place = ({ bytes, ppl }: FrontierPointDigest): string => `${x.at(bytes / 1e6)} ${y.at(numeric(ppl))}`;
  const types = [...new Set(finite.map(({ type }) => type))];
  const drawn = types.map((type, n) => {
    const own = finite.filter((point) => point.type === type);
    const line = own.filter(
      ({ healed, count }) => healed || !own.some((other) => other.count === count && other.healed),
    );
    const [first] = line;
    const dots = own.map((point) => {
      const label = point.count === 0 ? type : `−${point.count}`;
      const at = place(point).split(' ');
      return (
        `<circle cx="${at[0]}" cy="${at[1]}" r="3.5"${point.frontier ? ' class="is-worth"' : ''}/>` +
        `<text x="${Number(at[0]) + 6}" y="${Number(at[1]) + (point.count === 0 ? 14 : -5)}">${escapeHtml(point === first || point.count > 0 ? label : '')}</text>`
      );
    });
    return `<g class="line-${n % 6}"><path d="M${line.map(place).join('L')}"/>${dots.join('')}</g>`;
  });
  const grid = y.ticks.map(
    (tick) =>
      `<path class="grid-line" d="M${LEFT} ${y.at(tick)}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${y.at(tick) + 4}" text-anchor="end">${shortNumber(tick, 3)}</text>`,
  );
  const below = x.ticks.map(
    (tick) => `<text x="${x.at(tick)}" y="${HEIGHT - 18}" text-anchor="middle">${shortNumber(tick, 4)}</text>`,
  );
  const goal = fit === null ? '' : `<path class="goal" d="M${x.at(fit.bytes / 1e6)} ${TOP}V${HEIGHT - BOTTOM}"/>`;
  const label = `Perplexity against megabytes of ${counted(finite.length, 'file')}; the table has the numbers`;
  return (
    `<svg class="sizes-chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${grid.join('')}${below.join('')}` +
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">megabytes</text><text x="4" y="10">perplexity</text>${goal}${drawn.join('')}</svg>`
  );
}

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** @param from pixels of the smallest value @param to of the largest */
function axisOf(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.06 * (most - least || Math.abs(most) || 1);
  const [low, high] = [least - room, most + room];
  const rough = (high - low) / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((each) => each >= rough) ?? rough;
  const first = Math.ceil(low / step);
  return {
    at: (value) => Math.round(10 * (from + ((value - low) / (high - low)) * (to - from))) / 10,
    ticks: Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step),
  };
}
